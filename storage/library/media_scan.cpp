// MediaLibrary::scan: from the names in folders to described films.
//
// Nothing depends on the order in which a file system lists its names. What the names make of the
// films is films_of()'s to say, which id means which film FilmIds'.
#include <fmt/core.h>

#include <algorithm>
#include <ctime>
#include <iterator>
#include <map>
#include <span>
#include <tuple>
#include <unordered_set>

#include "core/base/text.h"
#include "storage/files/file_desk.h"
#include "storage/files/open_files.h"
#include "storage/library/film_order.h"
#include "storage/library/folder_films.h"
#include "storage/library/media_library.h"
#include "storage/names/library_names.h"
#include "storage/names/video_name.h"

namespace videosync {

namespace {

constexpr std::size_t warnings_max = 1'000;
constexpr std::size_t videos_max = 100'000;

// What stays when a file is renamed or moved, as long as nobody writes it.
using Identity = std::tuple<dev_t, ino_t, std::uint64_t, std::int64_t, std::int64_t>;

Identity identity_of(const FileFacts& facts) {
  return {facts.device, facts.inode, facts.size, facts.mtime_s, facts.mtime_nsec};
}

}  // namespace

class MediaScanner {
 public:
  MediaScanner(const MediaLibrary::Options& options, FileDesk& desk, MediaLibrary::Memory& memory)
      : options_(options),
        directories_(options.directories),
        desk_(desk),
        memory_(memory),
        library_(new MediaLibrary) {
    if (!options.private_directory.empty()) {
      library_->private_root_ = directories_.size();
      directories_.push_back(options.private_directory);
    }
    if (memory_.open_files == nullptr) {
      memory_.open_files = std::make_shared<OpenFiles>(options_.open_max);
    }
    for (const auto& [place, facts] : memory_.known)
      places_before_.emplace(identity_of(facts), place);
  }
  MediaScanner(const MediaScanner&) = delete;
  MediaScanner& operator=(const MediaScanner&) = delete;

  Result<MediaLibrary::Scan> run() {
    for (std::size_t i = 0; i < directories_.size(); ++i) {
      if (Result<> read = read_library(i); !read) return std::unexpected(read.error());
    }
    put_in_order(videos_);
    library_->videos_ = std::move(videos_);
    assign_ids();
    library_->open_files_ = memory_.open_files;
    library_->has_forms_ = options_.has_forms;
    library_->index();
    choose_default();
    remember();
    return MediaLibrary::Scan{library_, std::move(warnings_), has_restless_};
  }

 private:
  void warn(std::string line) {
    if (warnings_.size() + 1 < warnings_max) {
      warnings_.push_back(std::move(line));
    } else if (warnings_.size() + 1 == warnings_max) {
      warnings_.push_back("more warnings are left out");
    }
  }

  Result<> read_library(std::size_t number) {
    auto folder = desk_.open_folder(directories_[number]);
    if (!folder) return std::unexpected(std::move(folder.error()));
    auto tree = desk_.walk(*folder, options_.watch);
    if (!tree) return std::unexpected(std::move(tree.error()));
    if (number == 0) leave_out_names_of_others(*tree);
    leave_out_restless(*tree, number);
    FolderFilms films = films_of(*tree, *folder, number);
    for (std::string& line : films.warnings)
      warn(std::move(line));
    for (std::string& path : films.hls_folders)
      library_->hls_folders_.add(std::move(path));
    std::ranges::move(films.videos, std::back_inserter(videos_));
    if (videos_.size() > videos_max) {
      videos_.resize(videos_max);
      warn(fmt::format("the library holds more than {} videos: the rest is left out", videos_max));
    }
    library_->roots_.push_back({*folder, (*folder)->real_path()});
    return {};
  }

  // A folder of the first library that is called as another library's files are.
  void leave_out_names_of_others(FolderTree& tree) {
    for (std::size_t i = 1; i < directories_.size(); ++i) {
      const std::string name = fmt::format("~{}", i);
      const auto erased = std::erase_if(tree.folders, [&](const ListedFolder& folder) {
        return folder.path == name || folder.path.starts_with(name + "/");
      });
      if (erased > 0) {
        warn(fmt::format("left out \"{}\": with several libraries no folder may have this name",
                         name));
      }
    }
  }

  // Somebody may still be writing it.
  void leave_out_restless(FolderTree& tree, std::size_t number) {
    // What lies in the private one came there whole.
    const bool is_whole = number == library_->private_root_;
    if (!memory_.has_scanned || options_.rest.count() == 0 || is_whole) return;
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    const std::int64_t now_ns = now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
    const std::int64_t rest_ns = std::chrono::nanoseconds(options_.rest).count();
    for (ListedFolder& folder : tree.folders) {
      std::erase_if(folder.files, [&](const ListedFile& file) {
        // Further off than that it is another machine's clock.
        const bool is_young = std::abs(now_ns - file.facts.ctime_ns) < rest_ns;
        if (!is_young || !is_kind(file.name, video_kinds)) return false;
        const std::string path = folder.path.empty() ? file.name : folder.path + "/" + file.name;
        const std::string place = LibraryFile{nullptr, path, number, {}}.place();
        const bool is_known =
            memory_.known.contains(place) || places_before_.contains(identity_of(file.facts));
        has_restless_ = has_restless_ || !is_known;
        return !is_known;
      });
    }
  }

  void assign_ids() {
    std::vector<VideoEntry>& videos = library_->videos_;
    std::map<std::string_view, std::size_t> sharers;  // of an HLS folder
    for (const VideoEntry& video : videos)
      if (video.file && video.playlist) ++sharers[video.playlist.path];
    for (const VideoEntry& video : videos)
      places_.insert(video.place);
    std::vector<FilmIds::Film> films;
    films.reserve(videos.size());
    for (const VideoEntry& video : videos) {
      const std::string_view name =
          std::string_view(video.place).substr(video.place.rfind('/') + 1);
      const std::string_view stem = video.file ? stem_of(name) : name;
      FilmIds::Film& film = films.emplace_back(video.place, "", plain_id_of(name, stem),
                                               video.source().facts.ctime_ns);
      const bool is_only = video.file && video.playlist && sharers[video.playlist.path] == 1;
      film.is_hidden = library_->is_private(video);
      film.also = is_only ? std::string(stem_of(video.place)) : place_before(video);
    }
    const std::vector<FilmIds::Ids> assigned = memory_.ids.assign(films, std::time(nullptr));
    for (std::size_t i = 0; i < videos.size(); ++i) {
      const FilmIds::Ids& ids = assigned[i];
      videos[i].id = ids.listed;
      for (const std::string& id :
           {ids.full, ids.also, ids.has_plain ? films[i].plain : std::string()}) {
        if (!id.empty() && id != ids.listed) videos[i].other_ids.push_back(id);
      }
    }
  }

  // Where the file was at the scan before, if it is there no more; "" else.
  std::string place_before(const VideoEntry& video) const {
    if (!video.file || memory_.known.contains(video.place)) return {};
    const auto found = places_before_.find(identity_of(video.file.facts));
    return found != places_before_.end() && !places_.contains(found->second) ? found->second : "";
  }

  void choose_default() {
    if (options_.default_id.empty()) return;
    const VideoEntry* video = library_->find(options_.default_id);
    if (video == nullptr) {
      warn(fmt::format("no video has the id \"{}\" of the default video", options_.default_id));
      return;
    }
    library_->default_index_ = static_cast<std::size_t>(video - library_->videos_.data());
  }

  void remember() {
    memory_.has_scanned = true;
    memory_.known.clear();
    for (const VideoEntry& video : library_->videos_)
      memory_.known.emplace(video.place, video.source().facts);
  }

  const MediaLibrary::Options& options_;
  std::vector<std::string> directories_;
  FileDesk& desk_;
  MediaLibrary::Memory& memory_;
  const std::shared_ptr<MediaLibrary> library_;
  std::vector<VideoEntry> videos_;  // before they are sorted
  std::map<Identity, std::string> places_before_;
  std::unordered_set<std::string_view> places_;  // of the videos, sorted
  bool has_restless_ = false;
  std::vector<std::string> warnings_;
};

Result<MediaLibrary::Scan> MediaLibrary::scan(const Options& options, FileDesk& desk,
                                              Memory& memory) {
  return MediaScanner(options, desk, memory).run();
}

}  // namespace videosync
