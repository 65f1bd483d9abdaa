// MediaFile: one open regular file, described as it was when it was opened.
//
// Opened by FileHelpers, asked at a FileDesk. Held by std::shared_ptr: whoever sends from the
// descriptor keeps a reference until the kernel has done with it; the last reference has it closed.
// Immutable, so any thread may read it. All offsets given to the kernel are explicit: the
// descriptor's own position is shared and means nothing.
//
// The file may still be shortened or rewritten in place by others. `size` is then a promise the
// disk cannot keep: readers must expect an early end of file.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "storage/files/file_helpers.h"
#include "storage/files/file_requests.h"

namespace videosync {

class MediaFile {
 public:
  // Of what a helper opened and told of it; `path` is below its folder.
  MediaFile(FileHelpers& helpers, const FileReply& opened, std::string path);
  MediaFile(const MediaFile&) = delete;
  MediaFile& operator=(const MediaFile&) = delete;

  int fd() const noexcept { return descriptor_.number(); }
  const std::string& path() const noexcept { return path_; }  // below its directory, not encoded
  std::uint64_t size() const noexcept { return size_; }
  std::int64_t mtime_ns() const noexcept { return mtime_ns_; }
  std::int64_t mtime_s() const noexcept { return mtime_s_; }  // for Last-Modified, rounded down
  ino_t inode() const noexcept { return inode_; }
  dev_t device() const noexcept { return device_; }
  std::string_view content_type() const noexcept { return content_type_; }  // a literal

  // A strong entity tag with its quotes, of size and modification time: two nodes that hold copies
  // made with their times (rsync -t) give the same.
  const std::string& etag() const noexcept { return etag_; }

 private:
  const HelpedDescriptor descriptor_;
  const std::string path_;
  const std::uint64_t size_;
  const std::int64_t mtime_s_;
  const std::int64_t mtime_ns_;
  const ino_t inode_;
  const dev_t device_;
  const std::string_view content_type_;
  const std::string etag_;
};

using MediaFileRef = std::shared_ptr<const MediaFile>;

// Whether what is open is what a scan saw, and whether two are one file in one version.
bool is_version(const MediaFile& file, const FileFacts& seen) noexcept;
bool is_same_file(const MediaFile& a, const MediaFile& b) noexcept;

// A file's version, kept where the file need not be open.
struct FileVersion {
  std::string path;
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;

  friend auto operator<=>(const FileVersion&, const FileVersion&) = default;
};
std::int64_t mtime_ns_of(const FileFacts& facts) noexcept;

// An open folder, which others are opened below. Shared and immutable like a file.
class MediaFolder {
 public:
  MediaFolder(FileHelpers& helpers, const FileReply& opened, std::string path) noexcept
      : descriptor_(helpers, opened.descriptor),
        path_(std::move(path)),
        inode_(opened.facts.inode),
        device_(opened.facts.device) {}

  int fd() const noexcept { return descriptor_.number(); }
  const std::string& path() const noexcept { return path_; }  // as it was asked for
  ino_t inode() const noexcept { return inode_; }
  dev_t device() const noexcept { return device_; }
  // Its path now, without symlinks: two ways to one folder give the same. Waits for no disk.
  std::string real_path() const;

 private:
  const HelpedDescriptor descriptor_;
  const std::string path_;
  const ino_t inode_;
  const dev_t device_;
};

using MediaFolderRef = std::shared_ptr<const MediaFolder>;

}  // namespace videosync
