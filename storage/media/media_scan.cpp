// MediaLibrary::scan: from the names in a folder to open, described files.
//
// Names are read and matched first, in the order of their bytes, so that nothing depends on the
// order in which a file system lists them. Files are opened last, video by video as the list shows
// them, until the budget of descriptors is used up; which id means which film is FilmIds' to say.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>
#include <map>

#include "core/base/text.h"
#include "core/base/utf8.h"
#include "storage/media/content_type.h"
#include "storage/media/file_desk.h"
#include "storage/media/film_ids.h"
#include "storage/media/folder_names.h"
#include "storage/media/hls_files.h"
#include "storage/media/media_library.h"
#include "storage/media/video_name.h"

namespace videosync {

namespace {

constexpr std::size_t warnings_max = 1'000;
constexpr std::string_view master_playlist = "/master.m3u8";
constexpr std::array<std::string_view, 5> video_kinds{"mp4", "m4v", "webm", "mkv", "mov"};
constexpr std::array<std::string_view, 1> caption_kinds{"vtt"};
constexpr std::array<std::string_view, 4> poster_kinds{"jpg", "jpeg", "png", "webp"};  // best first

// The place of a name's extension among `kinds`; their number where it is none of them.
template <std::size_t size>
std::size_t kind_of(std::string_view name, const std::array<std::string_view, size>& kinds) {
  const std::string_view extension = extension_of(name);
  std::size_t i = 0;
  while (i < size && !equals_ignoring_case(extension, kinds[i]))
    ++i;
  return i;
}

template <std::size_t size>
bool is_kind(std::string_view name, const std::array<std::string_view, size>& kinds) {
  return kind_of(name, kinds) < size;
}

std::string_view stem_of(std::string_view name) {
  return name.substr(0, name.rfind('.'));
}

// Whoever writes the line escapes what no line can hold.
std::string quoted(std::string_view name) {
  return fmt::format("\"{}\"", name);
}

// A video before its files are open.
struct Draft {
  VideoEntry entry;
  std::vector<std::pair<std::string, std::string>> captions;  // file name, lang
  std::string poster;                                         // file name, "" without
  std::string thumbnails;                                     // the same
  std::int64_t ctime_ns = 0;  // of the file or, for HLS alone, of the master playlist
  bool has_file = false;
};

}  // namespace

class MediaScanner {
 public:
  MediaScanner(const MediaLibrary::Options& options, FileDesk& desk, FilmIds& ids)
      : options_(options), desk_(desk), ids_(ids) {}
  MediaScanner(const MediaScanner&) = delete;
  MediaScanner& operator=(const MediaScanner&) = delete;

  Result<MediaLibrary::Scan> run() {
    if (Result<> read = read_names(); !read) return std::unexpected(read.error());
    add_videos();
    add_hls_folders();
    add_captions();
    add_hls_captions();
    add_posters();
    std::sort(drafts_.begin(), drafts_.end(), [](const Draft& a, const Draft& b) {
      if (natural_less(a.entry.title, b.entry.title)) return true;
      if (natural_less(b.entry.title, a.entry.title)) return false;
      return a.entry.name < b.entry.name;
    });
    MediaLibrary::Scan scan = make_library();
    if (given_up_) return std::unexpected(*given_up_);
    return scan;
  }

 private:
  // Every question to the storage goes through here: once it was given up, the rest is not asked.
  template <class Ask>
  auto ask(Ask ask) -> decltype(ask()) {
    if (given_up_) return std::unexpected(*given_up_);
    auto answer = ask();
    if (!answer && answer.error().code == ErrorCode::timed_out) given_up_ = answer.error();
    return answer;
  }
  Result<MediaFileRef> open_now(const std::string& name) {
    return ask([&] { return desk_.open(folder_, name); });
  }
  Result<FolderNames> list(const std::string& path) {
    return ask([&] { return desk_.list(folder_, path); });
  }

  void warn(std::string line) {
    if (warnings_.size() + 1 < warnings_max) {
      warnings_.push_back(std::move(line));
    } else if (warnings_.size() + 1 == warnings_max) {
      warnings_.push_back("more warnings are left out");
    }
  }

  Result<> read_names() {
    auto folder = desk_.open_folder(options_.directory);
    if (!folder) return std::unexpected(std::move(folder.error()));
    folder_ = std::move(*folder);
    Result<FolderNames> names = list(".");
    if (!names) return std::unexpected(std::move(names.error()));
    files_ = std::move(names->files);
    folders_ = std::move(names->folders);
    for (std::string& line : names->warnings)
      warn(std::move(line));
    return {};
  }

  void add_draft(const std::string& name, std::string_view stem, bool has_file) {
    Draft& draft = drafts_.emplace_back();
    draft.entry.name = name;
    draft.entry.title = title_of(stem);
    if (draft.entry.title.empty()) draft.entry.title = "Untitled";
    draft.has_file = has_file;
    by_stem_[std::string(stem)].push_back(drafts_.size() - 1);
  }

  void add_videos() {
    for (const std::string& name : files_) {
      if (is_kind(name, video_kinds)) add_draft(name, stem_of(name), true);
    }
  }

  void add_hls_folders() {
    for (const std::string& folder : folders_) {
      const Result<MediaFileRef> master = open_now(folder + std::string(master_playlist));
      if (!master) continue;
      if (!by_stem_.contains(folder)) {
        add_draft(folder, folder, false);
        drafts_.back().entry.version = version_of(**master);
        drafts_.back().ctime_ns = (*master)->ctime_ns();
      }
      for (const std::size_t i : by_stem_[folder])
        add_hls(drafts_[i], folder);
      hls_folders_.push_back(folder);
    }
  }

  // What the folder holds besides the renditions; a poster beside the video is preferred.
  void add_hls(Draft& draft, const std::string& folder) {
    draft.entry.hls = folder + std::string(master_playlist);
    const std::string poster = folder + "/poster.jpg";
    if (open_now(poster)) draft.poster = poster;
    const std::string thumbnails = folder + "/thumbnails.vtt";
    if (open_now(thumbnails)) draft.thumbnails = thumbnails;
  }

  void add_captions() {
    for (const std::string& name : files_) {
      if (!is_kind(name, caption_kinds)) continue;
      std::string lang = "und";
      auto videos = by_stem_.find(std::string(stem_of(name)));
      if (videos == by_stem_.end()) {
        if (auto split = split_language(stem_of(name))) {
          videos = by_stem_.find(std::string(split->stem));
          lang = std::move(split->lang);
        }
      }
      if (videos == by_stem_.end()) {
        warn("no video is named like the captions " + quoted(name));
        continue;
      }
      for (const std::size_t i : videos->second)
        drafts_[i].captions.emplace_back(name, lang);
    }
  }

  // captions/<language>.vtt of an HLS folder, for videos without any beside them.
  void add_hls_captions() {
    for (const std::string& folder : hls_folders_) {
      const std::string path = folder + "/captions";
      const Result<FolderNames> names = list(path);
      if (!names) continue;
      std::vector<std::pair<std::string, std::string>> found;
      for (const std::string& name : names->files) {
        if (!is_kind(name, caption_kinds)) continue;
        const std::string as_suffix = "x." + std::string(stem_of(name));
        const auto split = split_language(as_suffix);
        found.emplace_back(fmt::format("{}/{}", path, name), split ? split->lang : "und");
      }
      for (const std::size_t i : by_stem_[folder]) {
        if (drafts_[i].captions.empty()) drafts_[i].captions = found;
      }
    }
  }

  void add_posters() {
    for (const std::string& name : files_) {
      const std::size_t kind = kind_of(name, poster_kinds);
      const auto videos = by_stem_.find(std::string(stem_of(name)));
      if (kind == poster_kinds.size() || videos == by_stem_.end()) continue;
      for (const std::size_t i : videos->second) {
        std::string& poster = drafts_[i].poster;
        const bool is_in_folder = poster.find('/') != std::string::npos;
        if (poster.empty() || is_in_folder || kind < kind_of(poster, poster_kinds)) poster = name;
      }
    }
  }

  // Null where the budget is used up or the file cannot be opened: counted or warned of.
  MediaFileRef open(const std::string& name) {
    MediaFileRef& file = opened_[name];
    if (file != nullptr) return file;
    if (descriptors_left_ == 0) {
      ++left_out_;
      return nullptr;
    }
    Result<MediaFileRef> opened = open_now(name);
    if (!opened) {
      warn("left out " + quoted(name) + ": " + describe(opened.error()));
      return nullptr;
    }
    --descriptors_left_;
    file = std::move(*opened);
    return file;
  }

  static std::string describe(const Error& error) {
    if (error.system_errno != 0) return std::strerror(error.system_errno);
    return error.code == ErrorCode::not_found ? "not a regular file any more" : error.message;
  }

  // False: the video has nothing to show.
  bool open_files(Draft& draft) {
    VideoEntry& entry = draft.entry;
    if (draft.has_file) {
      entry.file = open(entry.name);
      if (entry.file == nullptr) return false;
      entry.version = version_of(*entry.file);
      draft.ctime_ns = entry.file->ctime_ns();
    }
    for (const auto& [name, lang] : draft.captions) {
      MediaFileRef file = open(name);
      if (file != nullptr) entry.captions.push_back({lang, language_label(lang), std::move(file)});
    }
    if (!draft.poster.empty()) entry.poster = open(draft.poster);
    if (!draft.thumbnails.empty()) entry.thumbnails = open(draft.thumbnails);
    return true;
  }

  void assign_ids() {
    std::map<std::string_view, std::size_t> sharers;  // of an HLS folder
    for (const Draft& draft : drafts_)
      if (draft.has_file) ++sharers[draft.entry.hls];
    std::vector<FilmIds::Film> films;
    for (const Draft& draft : drafts_) {
      const std::string& name = draft.entry.name;
      const std::string_view stem = draft.has_file ? stem_of(name) : name;
      FilmIds::Film& film = films.emplace_back(name, "", plain_id_of(name, stem), draft.ctime_ns);
      const bool is_only =
          draft.has_file && !draft.entry.hls.empty() && sharers[draft.entry.hls] == 1;
      if (is_only) film.also = stem;
    }
    const std::vector<FilmIds::Ids> assigned = ids_.assign(films, std::time(nullptr));
    for (std::size_t i = 0; i < drafts_.size(); ++i) {
      const FilmIds::Ids& ids = assigned[i];
      VideoEntry& entry = drafts_[i].entry;
      entry.id = ids.listed;
      for (const std::string& id : {ids.full, ids.also, ids.has_plain ? films[i].plain : ""}) {
        if (!id.empty() && id != entry.id) entry.other_ids.push_back(id);
      }
    }
  }

  MediaLibrary::Scan make_library() {
    const std::size_t reserved = 1 + (hls_folders_.empty() ? 0 : options_.hls_open_max);
    descriptors_left_ =
        options_.descriptors_max > reserved ? options_.descriptors_max - reserved : 0;
    const std::shared_ptr<MediaLibrary> library(new MediaLibrary);
    library->directory_ = options_.directory;
    library->real_directory_ = folder_->real_path();
    library->folder_inode_ = folder_->inode();
    library->folder_device_ = folder_->device();
    std::erase_if(drafts_, [this](Draft& draft) { return !open_files(draft); });
    if (!given_up_) assign_ids();
    for (Draft& draft : drafts_)
      library->videos_.push_back(std::move(draft.entry));
    if (left_out_ > 0) {
      warnings_.push_back(
          fmt::format("the library may hold {} descriptors ({} of them for HLS): {} files are left "
                      "out; raise the limit of open files or share fewer videos",
                      options_.descriptors_max, reserved - 1, left_out_));
    }
    if (!hls_folders_.empty()) {
      library->hls_files_ = std::make_shared<HlsFiles>(folder_, options_.hls_open_max);
      for (std::string& folder : hls_folders_) {
        library->hls_files_->add_folder(std::move(folder));
      }
    }
    library->descriptors_left_ = descriptors_left_;
    library->index();
    choose_default(*library);
    return {library, std::move(warnings_)};
  }

  void choose_default(MediaLibrary& library) {
    if (options_.default_id.empty()) return;
    const VideoEntry* video = library.find(options_.default_id);
    if (video == nullptr) {
      warn("no video has the id \"" + to_utf8(options_.default_id) + "\" of the default video");
      return;
    }
    library.default_index_ = static_cast<std::size_t>(video - library.videos_.data());
  }

  const MediaLibrary::Options& options_;
  FileDesk& desk_;
  FilmIds& ids_;
  MediaFolderRef folder_;
  std::optional<Error> given_up_;
  std::vector<std::string> files_;
  std::vector<std::string> folders_;
  std::vector<std::string> hls_folders_;
  std::vector<Draft> drafts_;
  std::map<std::string, std::vector<std::size_t>> by_stem_;  // places in drafts_, before the sort
  std::map<std::string, MediaFileRef> opened_;  // a caption may belong to two videos of one name
  std::size_t descriptors_left_ = 0;
  std::size_t left_out_ = 0;
  std::vector<std::string> warnings_;
};

Result<MediaLibrary::Scan> MediaLibrary::scan(const Options& options, FileDesk& desk,
                                              FilmIds& ids) {
  return MediaScanner(options, desk, ids).run();
}

}  // namespace videosync
