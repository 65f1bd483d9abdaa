#include "storage/media/media_file.h"

#include <fmt/format.h>
#include <limits.h>
#include <unistd.h>

#include <array>

#include "storage/media/content_type.h"

namespace videosync {

namespace {

// Unsigned, because a file may claim any year: it wraps, and stays a fine mark of a version.
std::int64_t mtime_ns_of(const FileFacts& facts) noexcept {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(facts.mtime_s) * 1'000'000'000 +
                                   static_cast<std::uint64_t>(facts.mtime_nsec));
}

}  // namespace

MediaFile::MediaFile(FileHelpers& helpers, const FileReply& opened, std::string path)
    : descriptor_(helpers, opened.descriptor),
      path_(std::move(path)),
      size_(opened.facts.size),
      mtime_s_(opened.facts.mtime_s),
      mtime_ns_(mtime_ns_of(opened.facts)),
      ctime_ns_(opened.facts.ctime_ns),
      inode_(opened.facts.inode),
      device_(opened.facts.device),
      content_type_(content_type_of(path_)),
      etag_(fmt::format("\"{:x}-{:x}\"", size_, static_cast<std::uint64_t>(mtime_ns_))) {}

FileVersion version_of(const MediaFile& file) {
  return {file.path(), file.size(), file.mtime_ns()};
}

std::string MediaFolder::real_path() const {
  std::array<char, PATH_MAX> path{};
  const std::string link = fmt::format("/proc/self/fd/{}", fd());
  const ssize_t length = ::readlink(link.c_str(), path.data(), path.size());
  return length > 0 ? std::string(path.data(), static_cast<std::size_t>(length)) : std::string();
}

}  // namespace videosync
