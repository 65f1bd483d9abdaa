// HlsFiles: the files below a library's HLS folders, opened when asked for. Kept: the latest few.
//
// Shared by all threads that hold the library; nothing here opens anything or waits. A segment is
// opened once and then stays what it was until it falls off the list or the next scan; playlists
// are opened afresh each time, because a live encoder rewrites them.
#pragma once

#include <cstddef>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "storage/media/media_file.h"

namespace videosync {

class HlsFiles {
 public:
  // open_max may be 0: nothing is kept.
  HlsFiles(MediaFolderRef folder, std::size_t open_max) noexcept
      : folder_(std::move(folder)), open_max_(open_max) {}
  HlsFiles(const HlsFiles&) = delete;
  HlsFiles& operator=(const HlsFiles&) = delete;

  // Before threads share the object.
  void add_folder(std::string name) { folders_.insert(std::move(name)); }

  // Whether `path` may be opened below folder(). It is below the library, not encoded:
  // "cat/v0/seg1.ts". False for all that is not of a known kind inside of a listed folder, reached
  // without hidden names or dots.
  bool is_servable(std::string_view path) const;
  const MediaFolderRef& folder() const noexcept { return folder_; }
  // Null: it is not kept.
  MediaFileRef find_open(std::string_view path);
  // Takes in what was opened; the file to use, which another thread may have brought first.
  MediaFileRef keep(MediaFileRef file);
  // What is asked for from now on is opened anew.
  void forget();
  bool has_same_folders(const HlsFiles& other) const { return folders_ == other.folders_; }

 private:
  const MediaFolderRef folder_;
  const std::size_t open_max_;
  std::unordered_set<std::string> folders_;

  std::mutex mutex_;
  std::list<MediaFileRef> recent_;  // the latest used first; at most open_max_
  // Keys point into the paths of the files in recent_: one element each.
  std::unordered_map<std::string_view, std::list<MediaFileRef>::iterator> by_path_;
};

}  // namespace videosync
