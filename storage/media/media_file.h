// MediaFile: one open regular file, described as it was when it was opened.
//
// Held by std::shared_ptr: whoever sends from the descriptor keeps a reference until the kernel has
// done with it; the last reference closes. Immutable, so any thread may read it. All offsets given
// to the kernel are explicit: the descriptor's own position is shared and means nothing.
//
// The file may still be shortened or rewritten in place by others. `size` is then a promise the
// disk cannot keep: readers must expect an early end of file.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/base/unique_fd.h"

namespace videosync {

class MediaFile {
 public:
  // Opens `path` below the directory descriptor, read-only. Neither `..`, an absolute path nor any
  // symlink on the way leads anywhere: openat2(2), RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS. Errors:
  // not_found (absent, not a regular file, or out of bounds), exhausted (descriptors), io.
  static Result<std::shared_ptr<const MediaFile>> open(int directory, const std::string& path);

  MediaFile(const MediaFile&) = delete;
  MediaFile& operator=(const MediaFile&) = delete;

  int fd() const noexcept { return fd_.get(); }
  const std::string& path() const noexcept { return path_; }  // below its directory, not encoded
  std::uint64_t size() const noexcept { return size_; }
  std::int64_t mtime_ns() const noexcept { return mtime_ns_; }
  std::int64_t mtime_s() const noexcept { return mtime_s_; }  // for Last-Modified, rounded down
  std::string_view content_type() const noexcept { return content_type_; }  // a literal

  // A strong entity tag with its quotes, of size and modification time: two nodes that hold copies
  // made with their times (rsync -t) give the same.
  const std::string& etag() const noexcept { return etag_; }

 private:
  MediaFile(UniqueFd fd, std::string path) noexcept : fd_(std::move(fd)), path_(std::move(path)) {}
  void describe(const struct stat& status);

  const UniqueFd fd_;
  const std::string path_;
  std::uint64_t size_ = 0;
  std::int64_t mtime_ns_ = 0;
  std::int64_t mtime_s_ = 0;
  std::string_view content_type_;
  std::string etag_;
};

using MediaFileRef = std::shared_ptr<const MediaFile>;

}  // namespace videosync
