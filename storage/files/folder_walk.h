// Walking through a folder and all below it, in search of what a library has use for. Waits for the
// storage: for helpers.
//
// Hidden names and symlinks are passed over. Of a folder with a master playlist (HLS) only what
// belongs to its video is told, because its segments may be thousands; a disc's folders (VIDEO_TS,
// BDMV) are left out.
#pragma once

#include <dirent.h>

#include <cstddef>
#include <memory>
#include <string>

#include "core/base/error.h"
#include "storage/files/file_requests.h"

namespace videosync {

struct CloseFolder {
  void operator()(DIR* folder) const noexcept { ::closedir(folder); }
};
using FolderStream = std::unique_ptr<DIR, CloseFolder>;

// For readdir(3), on a descriptor of its own, because a stream moves its descriptor's position.
// Null, with errno, where that fails.
FolderStream open_folder(int directory) noexcept;

class WalkSink {
 public:
  // What follows is in this folder: its path below the first, which is "".
  virtual void on_folder(const std::string& path) = 0;
  virtual void on_file(const std::string& name, const FileFacts& facts) = 0;  // regular
  virtual void on_warning(const std::string& line) = 0;

 protected:
  ~WalkSink() = default;
};

inline constexpr int walk_depth_max = 16;
inline constexpr std::size_t walk_files_max = 400'000;  // with captions and posters

// A folder before those in it, names in the order of their bytes. Each folder is watched by
// `watch`, an inotify descriptor, unless that is -1. The descriptors stay the caller's. Errors: io,
// of the first folder alone; what else cannot be read is a warning.
Result<> walk_folder(int directory, int watch, WalkSink& sink);

}  // namespace videosync
