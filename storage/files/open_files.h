// OpenFiles: media files that are kept open because somebody has asked for them: the latest few.
//
// One for the whole process, shared by all threads and all snapshots of the library; nothing here
// opens anything or waits. A file stays what it was until it falls off the list, a scan sees
// another version of it, or forget(); playlists are opened afresh each time, because a live encoder
// rewrites them.
#pragma once

#include <cstddef>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "storage/files/media_file.h"

namespace videosync {

class OpenFiles {
 public:
  // open_max may be 0: nothing is kept.
  explicit OpenFiles(std::size_t open_max) noexcept : open_max_(open_max) {}
  OpenFiles(const OpenFiles&) = delete;
  OpenFiles& operator=(const OpenFiles&) = delete;

  // Null: it is not kept, or as another version than the scan saw; `seen` null: any version will
  // do.
  MediaFileRef find(const MediaFolder& folder, std::string_view path, const FileFacts* seen);
  // Takes in what was opened below the folder; the file to use, which another thread may have
  // brought first.
  MediaFileRef keep(const MediaFolder& folder, MediaFileRef file);
  // What is asked for from now on is opened anew.
  void forget();

 private:
  struct Kept {
    std::string key;
    MediaFileRef file;
  };

  const std::size_t open_max_;
  std::mutex mutex_;
  std::list<Kept> recent_;  // the latest used first; at most open_max_
  // Keys point into recent_: one element each.
  std::unordered_map<std::string_view, std::list<Kept>::iterator> by_key_;
};

}  // namespace videosync
