// LibraryFolders: the folders of a library's list with what is in them, so that a worker answers
// for one without looking at every video. Made once for a snapshot; immutable, any thread's.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "storage/library/media_library.h"

namespace videosync {

class LibraryFolders {
 public:
  struct Folder {
    std::string_view path{};
    std::size_t total = 0;                    // films in and below it
    std::vector<std::size_t> videos{};        // in it: places in MediaLibrary::videos(), ascending
    std::vector<std::string_view> folders{};  // paths of those in it, in natural order
  };

  // The library outlives it.
  explicit LibraryFolders(const MediaLibrary& library);

  // By its path, "" the top, or by what stands for it in URLs. Null: there is no such folder.
  const Folder* find(std::string_view path) const;

 private:
  std::unordered_map<std::string_view, Folder> folders_;       // keys are parts of videos' places
  std::unordered_map<std::string, std::string_view> by_hash_;  // of paths that no URL can hold
};

}  // namespace videosync
