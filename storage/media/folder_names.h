// FolderNames: what a folder of videos holds, by kind, before anything is opened.
#pragma once

#include <dirent.h>

#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"

namespace videosync {

struct CloseFolder {
  void operator()(DIR* folder) const noexcept { ::closedir(folder); }
};
using FolderStream = std::unique_ptr<DIR, CloseFolder>;

// For readdir(3), on a descriptor of its own, because a stream moves its descriptor's position.
// Null, with errno, where that fails.
FolderStream open_folder(int directory) noexcept;

struct FolderNames {
  std::vector<std::string> files;    // regular ones; in the order of their bytes
  std::vector<std::string> folders;  // the same
  std::vector<std::string> warnings;
};

// The names in the folder, without hidden ones and symlinks; at most 65,536 of them. The descriptor
// stays the caller's. Errors: io.
Result<FolderNames> read_folder(int directory);

}  // namespace videosync
