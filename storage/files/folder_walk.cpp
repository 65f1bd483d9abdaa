#include "storage/files/folder_walk.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/text.h"
#include "core/base/unique_fd.h"
#include "storage/names/library_names.h"

namespace videosync {

namespace {

// What makes a file another one, there, or readable (IN_ATTRIB); of the first folder, that it goes.
constexpr std::uint32_t watched_changes = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
                                          IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF |
                                          IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK;

FolderStream stream_of(UniqueFd folder) noexcept {
  DIR* const stream = ::fdopendir(folder.get());
  if (stream != nullptr) static_cast<void>(folder.release());  // it is the stream's
  return FolderStream(stream);
}

struct Names {
  std::vector<std::string> files;  // regular, or of a kind that is still to be asked for
  std::vector<std::string> folders;
  std::vector<std::string> links;
};

// 0, or an errno.
int read_names(DIR* stream, Names& names) {
  const int directory = ::dirfd(stream);
  for (;;) {
    errno = 0;
    const dirent* item = ::readdir(stream);
    if (item == nullptr) break;
    if (item->d_name[0] == '.') continue;
    unsigned char type = item->d_type;
    if (type == DT_UNKNOWN) {
      struct stat status{};
      if (::fstatat(directory, item->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
      type = static_cast<unsigned char>(IFTODT(status.st_mode));
    }
    if (type == DT_REG) names.files.emplace_back(item->d_name);
    if (type == DT_DIR) names.folders.emplace_back(item->d_name);
    if (type == DT_LNK) names.links.emplace_back(item->d_name);
  }
  const int error = errno;
  for (auto* list : {&names.files, &names.folders, &names.links})
    std::ranges::sort(*list);
  return error;
}

class Walk {
 public:
  Walk(int watch, WalkSink& sink) noexcept : watch_(watch), sink_(sink) {}

  int enter(const FolderStream& stream, const std::string& path, int depth) {
    if (!stream) return errno;
    const int directory = ::dirfd(stream.get());
    watch_folder(directory, path);
    Names names;
    if (const int error = read_names(stream.get(), names); error != 0) return error;
    sink_.on_folder(path);
    const bool is_hls = depth > 0 && std::ranges::binary_search(names.files, master_playlist_name);
    for (const std::string& name : names.links)
      sink_.on_warning(fmt::format("left out \"{}\": symlinks are not followed", join(path, name)));
    // Beside a playlist these are its segments, thousands of them, and no films.
    const bool has_segments = std::ranges::any_of(
        names.files, [](const std::string& name) { return extension_of(name) == "m3u8"; });
    for (const std::string& name : names.files) {
      if (has_segments && extension_of(name) == "ts") continue;
      if (is_hls ? is_of_hls_folder(name) : is_library_name(name)) tell_file(directory, path, name);
    }
    for (const std::string& name : names.folders) {
      if (!is_hls || name == captions_folder_name) go_on(directory, path, name, depth + 1);
    }
    return 0;
  }

 private:
  static std::string join(const std::string& path, const std::string& name) {
    return path.empty() ? name : path + "/" + name;
  }

  void tell_file(int directory, const std::string& path, const std::string& name) {
    if (path.size() + name.size() + 2 > FileRequest::path_bytes_max) {
      return sink_.on_warning(
          fmt::format("left out \"{}\": no path can be so long", join(path, name)));
    }
    if (files_ == walk_files_max) {
      if (!std::exchange(is_full_, true)) {
        sink_.on_warning(fmt::format("the library holds more than {} files: the rest is left out",
                                     walk_files_max));
      }
      return;
    }
    struct stat status{};
    if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return;  // just gone
    if (!S_ISREG(status.st_mode)) return;
    // Asked only where the answer may be no: a call for each of thousands of files counts.
    const bool may_read = (status.st_mode & S_IROTH) != 0 ||
                          ::faccessat(directory, name.c_str(), R_OK, AT_EACCESS) == 0;
    if (!may_read) {
      return sink_.on_warning(
          fmt::format("left out \"{}\": {}", join(path, name), std::strerror(errno)));
    }
    ++files_;
    sink_.on_file(name, facts_of(status));
  }

  void go_on(int directory, const std::string& path, const std::string& name, int depth) {
    const std::string below = join(path, name);
    if (is_disc_folder(name)) {
      return sink_.on_warning(fmt::format(
          "left out \"{}\": the folders of a disc are not taken; make a file of it", below));
    }
    if (depth > walk_depth_max) {
      return sink_.on_warning(
          fmt::format("left out \"{}\": more than {} folders deep", below, walk_depth_max));
    }
    UniqueFd folder(
        ::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    const int error = folder ? enter(stream_of(std::move(folder)), below, depth) : errno;
    if (error != 0 && error != ENOENT) {
      sink_.on_warning(fmt::format("left out \"{}\": {}", below, std::strerror(error)));
    }
  }

  // The kernel takes a path: this one leads to the very folder that is open.
  void watch_folder(int directory, const std::string& path) {
    if (watch_ < 0 || has_no_watches_) return;
    const std::string link = fmt::format("/proc/self/fd/{}", directory);
    if (::inotify_add_watch(watch_, link.c_str(), watched_changes) >= 0) return;
    if (errno != ENOSPC && errno != ENOMEM) return;
    has_no_watches_ = true;
    sink_.on_warning(fmt::format(
        "the system has no more watches for folders (from \"{}\" on): changes there are "
        "seen minutes later; raise fs.inotify.max_user_watches",
        path));
  }

  const int watch_;
  WalkSink& sink_;
  std::size_t files_ = 0;
  bool is_full_ = false;
  bool has_no_watches_ = false;
};

}  // namespace

FolderStream open_folder(int directory) noexcept {
  UniqueFd listing(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return listing ? stream_of(std::move(listing)) : nullptr;
}

Result<> walk_folder(int directory, int watch, WalkSink& sink) {
  const int error = Walk(watch, sink).enter(open_folder(directory), "", 0);
  if (error != 0) return fail_errno("read the folder", error);
  return {};
}

}  // namespace videosync
