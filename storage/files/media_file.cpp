#include "storage/files/media_file.h"

#include <fmt/core.h>
#include <limits.h>
#include <unistd.h>

#include <array>

#include "storage/names/content_type.h"

namespace videosync {

// Unsigned, because a file may claim any year: it wraps, and stays a fine mark of a version.
std::int64_t mtime_ns_of(const FileFacts& facts) noexcept {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(facts.mtime_s) * 1'000'000'000 +
                                   static_cast<std::uint64_t>(facts.mtime_nsec));
}

MediaFile::MediaFile(FileHelpers& helpers, const FileReply& opened, std::string path)
    : descriptor_(helpers, opened.descriptor),
      path_(std::move(path)),
      size_(opened.facts.size),
      mtime_s_(opened.facts.mtime_s),
      mtime_ns_(mtime_ns_of(opened.facts)),
      inode_(opened.facts.inode),
      device_(opened.facts.device),
      content_type_(content_type_of(path_)),
      etag_(fmt::format("\"{:x}-{:x}\"", size_, static_cast<std::uint64_t>(mtime_ns_))) {}

bool is_version(const MediaFile& file, const FileFacts& seen) noexcept {
  return file.size() == seen.size && file.mtime_ns() == mtime_ns_of(seen) &&
         file.inode() == seen.inode && file.device() == seen.device;
}

bool is_same_file(const MediaFile& a, const MediaFile& b) noexcept {
  return a.size() == b.size() && a.mtime_ns() == b.mtime_ns() && a.inode() == b.inode() &&
         a.device() == b.device();
}

std::string MediaFolder::real_path() const {
  std::array<char, PATH_MAX> path{};
  const std::string link = fmt::format("/proc/self/fd/{}", fd());
  const ssize_t length = ::readlink(link.c_str(), path.data(), path.size());
  return length > 0 ? std::string(path.data(), static_cast<std::size_t>(length)) : std::string();
}

}  // namespace videosync
