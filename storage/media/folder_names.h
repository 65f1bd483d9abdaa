// FolderNames: what a folder of videos holds, by kind, before anything is opened.
#pragma once

#include <string>
#include <vector>

#include "core/base/error.h"

namespace videosync {

struct FolderNames {
  std::vector<std::string> files;    // regular ones; in the order of their bytes
  std::vector<std::string> folders;  // the same
  std::vector<std::string> warnings;
};

// The names in the folder, without hidden ones, symlinks and names that cannot be served; at most
// 65,536 of them. `path` is for messages only; the descriptor stays the caller's.
Result<FolderNames> read_folder(int directory, const std::string& path);

}  // namespace videosync
