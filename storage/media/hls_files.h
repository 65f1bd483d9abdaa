// HlsFiles: the files below a library's HLS folders, opened when asked for. Kept: the latest few.
//
// Shared by all threads that hold the library; the mutex guards the list of open files only and is
// not held while a file is opened. A segment is opened once and then stays what it was until it
// falls off the list or the next scan; playlists are opened afresh each time, because a live
// encoder rewrites them.
#pragma once

#include <cstddef>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/base/error.h"
#include "core/base/unique_fd.h"
#include "storage/media/media_file.h"

namespace videosync {

class HlsFiles {
 public:
  // open_max may be 0: nothing is kept.
  HlsFiles(UniqueFd directory, std::size_t open_max) noexcept
      : directory_(std::move(directory)), open_max_(open_max) {}
  HlsFiles(const HlsFiles&) = delete;
  HlsFiles& operator=(const HlsFiles&) = delete;

  // Before threads share the object.
  void add_folder(std::string name) { folders_.insert(std::move(name)); }

  // `path` is below the library, not encoded: "cat/v0/seg1.ts". not_found for all that is not a
  // regular file of a known kind inside of a listed folder, reached without symlinks, hidden names
  // or dots; exhausted, io.
  Result<MediaFileRef> open(std::string_view path);

 private:
  bool is_servable(std::string_view path) const;
  MediaFileRef find_open(std::string_view path);
  MediaFileRef keep(MediaFileRef file);

  const UniqueFd directory_;
  const std::size_t open_max_;
  std::unordered_set<std::string> folders_;

  std::mutex mutex_;
  std::list<MediaFileRef> recent_;  // the latest used first; at most open_max_
  // Keys point into the paths of the files in recent_: one element each.
  std::unordered_map<std::string_view, std::list<MediaFileRef>::iterator> by_path_;
};

}  // namespace videosync
