#include "server/films/library_folders.h"

#include <algorithm>

#include "storage/names/video_name.h"

namespace videosync {

namespace {

std::string_view parent_of(std::string_view path) noexcept {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

}  // namespace

LibraryFolders::LibraryFolders(const MediaLibrary& library) {
  const auto videos = library.videos();
  folders_[{}];
  for (std::size_t i = 0; i < videos.size(); ++i) {
    if (videos[i].versions == 0 || library.is_private(videos[i])) continue;
    std::string_view path = videos[i].folder();
    folders_[path].videos.push_back(i);
    for (; !path.empty(); path = parent_of(path)) {
      if (folders_[path].total++ == 0) folders_[parent_of(path)].folders.push_back(path);
    }
    ++folders_[{}].total;
  }
  for (auto& [path, folder] : folders_) {
    std::ranges::sort(folder.folders, natural_less);
    folder.path = path;
    std::string name(path);
    if (std::string url = MediaLibrary::url_path_of(name); url != name) by_hash_[url] = path;
  }
}

const LibraryFolders::Folder* LibraryFolders::find(std::string_view path) const {
  const auto hashed = by_hash_.find(std::string(path));
  const auto found = folders_.find(hashed != by_hash_.end() ? hashed->second : path);
  return found != folders_.end() ? &found->second : nullptr;
}

}  // namespace videosync
