#include "storage/media/folder_names.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "core/base/unique_fd.h"

namespace videosync {

namespace {

constexpr std::size_t names_max = 65'536;

void add_name(int directory, const std::string& name, FolderNames& names) {
  if (name.front() == '.') return;
  struct stat status{};
  if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return;  // just gone
  if (S_ISLNK(status.st_mode)) {
    names.warnings.push_back("left out \"" + name + "\": symlinks are not followed");
  } else if (S_ISREG(status.st_mode)) {
    names.files.push_back(name);
  } else if (S_ISDIR(status.st_mode)) {
    names.folders.push_back(name);
  }
}

}  // namespace

FolderStream open_folder(int directory) noexcept {
  UniqueFd listing(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!listing) return nullptr;
  DIR* const folder = ::fdopendir(listing.get());
  if (folder != nullptr) static_cast<void>(listing.release());  // it is the stream's
  return FolderStream(folder);
}

Result<FolderNames> read_folder(int directory) {
  const FolderStream stream = open_folder(directory);
  if (!stream) return fail_errno("read the folder", errno);
  FolderNames names;
  std::size_t count = 0;
  int error = 0;
  for (;;) {
    errno = 0;
    const dirent* item = ::readdir(stream.get());
    if (item == nullptr) {
      error = errno;
      break;
    }
    if (++count > names_max) {
      names.warnings.push_back(
          fmt::format("a folder holds more than {} names: the rest is left out", names_max));
      break;
    }
    add_name(directory, item->d_name, names);
  }
  if (error != 0) return fail_errno("read the folder", error);
  std::sort(names.files.begin(), names.files.end());
  std::sort(names.folders.begin(), names.folders.end());
  return names;
}

}  // namespace videosync
