// What a folder's names make of its films: which captions, posters and renditions belong to which
// video. Pure: it opens nothing.
#pragma once

#include <string>
#include <vector>

#include "storage/files/file_desk.h"
#include "storage/library/media_library.h"

namespace videosync {

struct FolderFilms {
  std::vector<VideoEntry> videos;        // all but ids, durations and versions; in no order
  std::vector<std::string> hls_folders;  // places
  std::vector<std::string> warnings;
};

// Of one library, the so-manieth, whose folder this is.
FolderFilms films_of(const FolderTree& tree, const MediaFolderRef& folder, std::size_t library);

}  // namespace videosync
