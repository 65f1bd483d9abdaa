// What is asked of a file helper and what it answers: the messages of two SOCK_SEQPACKET sockets
// within one machine and one build, so they are plain structs.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace videosync {

// What the kernel tells of a file; the same for a folder.
struct FileFacts {
  std::uint64_t size = 0;
  std::int64_t mtime_s = 0;
  std::int64_t mtime_nsec = 0;
  std::int64_t ctime_ns = 0;
  ino_t inode = 0;
  dev_t device = 0;
};

inline FileFacts facts_of(const struct stat& status) noexcept {
  return {static_cast<std::uint64_t>(status.st_size),
          status.st_mtim.tv_sec,
          status.st_mtim.tv_nsec,
          status.st_ctim.tv_sec * std::int64_t{1'000'000'000} + status.st_ctim.tv_nsec,
          status.st_ino,
          status.st_dev};
}

enum class FileVerb : std::uint8_t {
  open_folder,  // `path`, from the working folder: a descriptor
  walk,         // all that is below `folder`, as far as a library has use for it
  open,         // `path` below `folder`, never out of it: a descriptor of a regular file
  read,         // of the same the first bytes, FileReply::text_bytes_max at most
};

struct FileRequest {
  static constexpr std::size_t path_bytes_max = 4'096;  // with its NUL

  std::uint64_t number = 0;    // comes back with the answer
  std::int32_t answer_to = 0;  // a socket
  std::int32_t folder = 0;
  std::int32_t watch = -1;  // of a walk: an inotify descriptor that hears of changes; -1: none
  FileVerb verb = FileVerb::open;
  char path[path_bytes_max];  // as much as is needed of it is sent
};

struct FileReply {
  static constexpr std::size_t text_bytes_max = 24 * 1024;

  std::uint64_t number = 0;
  std::int32_t error = 0;  // an errno, or what OpenedFile knows
  std::int32_t descriptor = -1;
  FileFacts facts;
  bool has_more = false;  // of a walk: another answer with this number follows
};

// An answer to `read` carries the bytes behind the struct. A walk's answers carry what was found
// behind the struct, each a ListedKind, of files FileFacts, the name and a NUL. Files are in the
// folder that was told last, whose name is its path.
enum class ListedKind : char { file = 'f', folder = 'd', warning = 'w' };

static_assert(std::is_trivially_copyable_v<FileRequest> && std::is_trivially_copyable_v<FileReply>);

}  // namespace videosync
