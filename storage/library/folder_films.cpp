#include "storage/library/folder_films.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "core/base/utf8.h"
#include "storage/names/caption_name.h"
#include "storage/names/library_names.h"
#include "storage/names/text_fold.h"
#include "storage/names/video_name.h"

namespace videosync {

namespace {

// How near a picture is to a video; the nearest is its poster.
enum class Nearness : std::uint8_t { own_poster, own_name, rendition, folder, show, fanart, none };

constexpr std::array<std::string_view, 4> folder_posters{"poster", "folder", "cover", "movie"};

std::string join(std::string_view folder, std::string_view name) {
  return folder.empty() ? std::string(name) : fmt::format("{}/{}", folder, name);
}

std::string_view parent_of(std::string_view path) noexcept {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

std::string_view name_of(std::string_view path) noexcept {
  return path.substr(path.rfind('/') + 1);
}

const ListedFile* file_named(const ListedFolder& folder, std::string_view name) {
  const auto found = std::ranges::lower_bound(folder.files, name, {}, &ListedFile::name);
  return found != folder.files.end() && found->name == name ? &*found : nullptr;
}

class FolderReader {
 public:
  FolderReader(const FolderTree& tree, const MediaFolderRef& root, std::size_t library)
      : tree_(tree), root_(root), library_(library) {}

  FolderFilms read() {
    films_.warnings = tree_.warnings;
    for (const ListedFolder& folder : tree_.folders) {
      const bool is_hls =
          !folder.path.empty() && file_named(folder, master_playlist_name) != nullptr;
      if (is_hls) {
        hls_.emplace(folder.path, &folder);
      } else if (!is_of_hls(folder)) {
        plain_.push_back(&folder);
        if (season_of_folder(name_of(folder.path))) {
          seasons_[std::string(parent_of(folder.path))].push_back(&folder);
        }
        add_videos(folder);
      }
    }
    for (const auto& [path, folder] : hls_)
      add_hls(*folder);
    for (const ListedFolder* folder : plain_) {
      for (const ListedFile& file : folder->files)
        if (is_kind(file.name, caption_kinds)) add_caption(*folder, file);
    }
    add_hls_captions();
    label_captions();
    for (const ListedFolder* folder : plain_) {
      add_posters(*folder);
      add_notes(*folder);
    }
    add_folder_posters();
    return std::move(films_);
  }

 private:
  using Places = std::vector<std::size_t>;  // of videos

  LibraryFile file_of(const ListedFolder& folder, const ListedFile& file) const {
    return {root_, join(folder.path, file.name), library_, file.facts};
  }

  // What else such a folder holds is not the library's business.
  bool is_of_hls(const ListedFolder& folder) const {
    return hls_.contains(std::string(parent_of(folder.path)));
  }

  std::size_t add_video(std::string_view folder, std::string_view stem, LibraryFile file) {
    VideoEntry& video = films_.videos.emplace_back();
    video.film = parse_film_name(folder, stem);
    video.folded = fold_text(video.film.title);
    video.place = file.place();
    const std::size_t place = films_.videos.size() - 1;
    nearness_.push_back(Nearness::none);
    by_stem_[join(folder, stem)].push_back(place);
    by_folded_stem_[join(folder, fold_text(stem))].push_back(place);
    return place;
  }

  void add_videos(const ListedFolder& folder) {
    for (const ListedFile& file : folder.files) {
      if (!is_kind(file.name, video_kinds)) continue;
      LibraryFile video = file_of(folder, file);
      const std::size_t place = add_video(folder.path, stem_of(file.name), video);
      films_.videos[place].file = std::move(video);
      in_folder_[folder.path].push_back(place);
    }
  }

  void add_hls(const ListedFolder& folder) {
    LibraryFile playlist = file_of(folder, *file_named(folder, master_playlist_name));
    if (MediaLibrary::url_path_of(playlist.place()) != playlist.place()) {
      films_.warnings.push_back(
          fmt::format("left out \"{}\": no URL can hold the name of this folder", folder.path));
      return;
    }
    if (!by_stem_.contains(folder.path)) {
      const std::string name(name_of(folder.path));
      const std::size_t place = add_video(parent_of(folder.path), name, playlist);
      films_.videos[place].place = std::string(parent_of(playlist.place()));
    }
    for (const std::size_t place : by_stem_[folder.path]) {
      VideoEntry& video = films_.videos[place];
      video.playlist = playlist;
      if (const ListedFile* file = file_named(folder, "poster.jpg")) {
        offer_poster(place, folder, *file, Nearness::rendition);
      }
      if (const ListedFile* file = file_named(folder, "thumbnails.vtt")) {
        video.thumbnails = file_of(folder, *file);
      }
    }
    films_.hls_folders.push_back(std::string(parent_of(playlist.place())));
  }

  // Of that stem exactly, or but for case and accents (a name copied from another system).
  const Places* videos_of(std::string_view folder, std::string_view stem) const {
    const auto exact = by_stem_.find(join(folder, stem));
    if (exact != by_stem_.end()) return &exact->second;
    const auto folded = by_folded_stem_.find(join(folder, fold_text(stem)));
    return folded != by_folded_stem_.end() ? &folded->second : nullptr;
  }

  void add_caption(const ListedFolder& folder, const ListedFile& file) {
    for (const CaptionName& name : caption_names_of(stem_of(file.name))) {
      const Places* videos = videos_of(folder.path, name.stem);
      if (videos == nullptr) continue;
      for (const std::size_t place : *videos)
        add_caption(place, name, file_of(folder, file));
      return;
    }
    films_.warnings.push_back(
        fmt::format("no video is named like the captions \"{}\"", join(folder.path, file.name)));
  }

  // The same text in several kinds of files is one.
  void add_caption(std::size_t place, const CaptionName& name, LibraryFile file) {
    std::vector<Caption>& captions = films_.videos[place].captions;
    const auto same = std::ranges::find_if(captions, [&](const Caption& other) {
      return stem_of(other.file.path) == stem_of(file.path);
    });
    if (same == captions.end()) {
      captions.push_back({name.lang, {}, name.kind, std::move(file)});
    } else if (kind_of(file.path, caption_kinds) < kind_of(same->file.path, caption_kinds)) {
      same->file = std::move(file);
    }
  }

  // Who remembers a language alone takes the first of it, which is no forced one.
  void label_captions() {
    for (VideoEntry& video : films_.videos) {
      std::ranges::stable_sort(video.captions, {}, &Caption::kind);
      std::map<std::string, int> labels;
      for (Caption& caption : video.captions) {
        const std::string label = caption_label(caption.lang, caption.kind);
        const int number = ++labels[label];
        caption.label = number == 1 ? label : fmt::format("{} {}", label, number);
      }
    }
  }

  // captions/<language>.vtt of an HLS folder, for videos without any beside them.
  void add_hls_captions() {
    std::set<std::size_t> bare;
    for (std::size_t place = 0; place < films_.videos.size(); ++place)
      if (films_.videos[place].captions.empty()) bare.insert(place);
    for (const ListedFolder& folder : tree_.folders) {
      const std::string hls(parent_of(folder.path));
      if (!hls_.contains(hls) || name_of(folder.path) != captions_folder_name) continue;
      for (const ListedFile& file : folder.files) {
        if (!is_kind(file.name, caption_kinds)) continue;
        const std::string stem = fmt::format("x.{}", stem_of(file.name));
        const CaptionName name = caption_names_of(stem).back();
        for (const std::size_t place : by_stem_[hls])
          if (bare.contains(place)) add_caption(place, name, file_of(folder, file));
      }
    }
  }

  // The nearest picture, of those as near the kind that comes first.
  void offer_poster(std::size_t place, const ListedFolder& folder, const ListedFile& file,
                    Nearness nearness) {
    LibraryFile& poster = films_.videos[place].poster;
    const bool is_better = nearness < nearness_[place] ||
                           (nearness == nearness_[place] &&
                            kind_of(file.name, poster_kinds) < kind_of(poster.path, poster_kinds));
    if (!is_better) return;
    nearness_[place] = nearness;
    poster = file_of(folder, file);
  }

  void add_posters(const ListedFolder& folder) {
    for (const ListedFile& file : folder.files) {
      if (!is_kind(file.name, poster_kinds)) continue;
      const std::string_view stem = stem_of(file.name);
      const auto offer = [&](std::string_view of, Nearness nearness) {
        const Places* videos = videos_of(folder.path, of);
        if (videos == nullptr) return;
        for (const std::size_t place : *videos)
          offer_poster(place, folder, file, nearness);
      };
      offer(stem, Nearness::own_name);
      for (const auto& [suffix, nearness] :
           {std::pair<std::string_view, Nearness>{"-poster", Nearness::own_poster},
            {"-thumb", Nearness::own_name},
            {"-fanart", Nearness::fanart}}) {
        if (stem.ends_with(suffix)) offer(stem.substr(0, stem.size() - suffix.size()), nearness);
      }
    }
  }

  // poster.jpg and the like: of a folder that is one film's or a show's, and of its seasons.
  void add_folder_posters() {
    for (const ListedFolder* folder : plain_) {
      if (folder->path.empty()) continue;
      for (const ListedFile& file : folder->files) {
        if (!is_kind(file.name, poster_kinds)) continue;
        const std::string stem = fold_text(stem_of(file.name));
        const bool is_fanart = stem == "fanart" || stem == "backdrop";
        if (!is_fanart && std::ranges::find(folder_posters, stem) == folder_posters.end()) continue;
        offer_to_folder(folder->path, *folder, file,
                        is_fanart ? Nearness::fanart : Nearness::folder);
        for (const ListedFolder* season : seasons_[folder->path]) {
          offer_to_folder(season->path, *folder, file,
                          is_fanart ? Nearness::fanart : Nearness::show);
        }
      }
    }
  }

  // name.nfo of a film; movie.nfo of the one that the folder is about; tvshow.nfo of its episodes.
  void add_notes(const ListedFolder& folder) {
    for (const ListedFile& file : folder.files) {
      if (!is_kind(file.name, notes_kinds)) continue;
      const std::string_view stem = stem_of(file.name);
      const auto in_folder = in_folder_.find(folder.path);
      if (const Places* videos = videos_of(folder.path, stem)) {
        for (const std::size_t place : *videos)
          films_.videos[place].notes = file_of(folder, file);
      } else if (stem == "tvshow") {
        add_show_notes(folder, file);
      } else if (stem == "movie" && in_folder != in_folder_.end() && is_of_one(in_folder->second)) {
        for (const std::size_t place : in_folder->second) {
          LibraryFile& notes = films_.videos[place].notes;
          if (!notes) notes = file_of(folder, file);
        }
      }
    }
  }

  void add_show_notes(const ListedFolder& folder, const ListedFile& file) {
    std::vector<const ListedFolder*> folders = seasons_[folder.path];
    folders.push_back(&folder);
    for (const ListedFolder* season : folders) {
      const auto found = in_folder_.find(season->path);
      if (found == in_folder_.end()) continue;
      for (const std::size_t place : found->second) {
        VideoEntry& video = films_.videos[place];
        if (video.film.episode) video.show_notes = file_of(folder, file);
      }
    }
  }

  void offer_to_folder(const std::string& path, const ListedFolder& folder, const ListedFile& file,
                       Nearness nearness) {
    const auto found = in_folder_.find(path);
    if (found == in_folder_.end() || !is_of_one(found->second)) return;
    for (const std::size_t place : found->second)
      offer_poster(place, folder, file, nearness);
  }

  // Whether these are versions and extras of one film, or episodes.
  bool is_of_one(const Places& places) const {
    const FilmName* first = nullptr;
    for (const std::size_t place : places) {
      const FilmName& film = films_.videos[place].film;
      if (film.episode || !film.extra.empty()) continue;
      if (first != nullptr && (film.title != first->title || film.year != first->year))
        return false;
      first = &film;
    }
    return true;
  }

  const FolderTree& tree_;
  const MediaFolderRef& root_;
  const std::size_t library_;
  FolderFilms films_;
  std::vector<Nearness> nearness_;  // of each video's poster
  std::map<std::string, const ListedFolder*> hls_;
  std::vector<const ListedFolder*> plain_;  // the others
  // Of them, by the folder of the show.
  std::unordered_map<std::string, std::vector<const ListedFolder*>> seasons_;
  std::unordered_map<std::string, Places> by_stem_;  // by path without extension
  std::unordered_map<std::string, Places> by_folded_stem_;
  std::unordered_map<std::string, Places> in_folder_;
};

}  // namespace

FolderFilms films_of(const FolderTree& tree, const MediaFolderRef& folder, std::size_t library) {
  return FolderReader(tree, folder, library).read();
}

}  // namespace videosync
