// Opening a regular file below a folder. Waits for the storage: for helpers, and for the start.
#pragma once

#include <string>

#include "core/base/error.h"
#include "core/base/unique_fd.h"
#include "storage/files/file_requests.h"

namespace videosync {

struct OpenedFile {
  static constexpr int not_regular = -1;

  UniqueFd descriptor;  // none: see error
  int error = 0;        // an errno, or not_regular
  FileFacts facts;
};

// Read-only. Neither `..`, an absolute path nor any symlink on the way leads anywhere: openat2(2),
// RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS.
OpenedFile open_beneath(int folder, const char* path) noexcept;

// What the error means: not_found (absent, not a regular file, or out of bounds), exhausted
// (descriptors), io.
std::unexpected<Error> open_failure(const std::string& path, int error);

}  // namespace videosync
