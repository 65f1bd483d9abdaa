#include "storage/files/open_files.h"

#include <fmt/core.h>

#include <utility>

#include "core/base/assert.h"
#include "core/base/text.h"
#include "storage/names/content_type.h"

namespace videosync {

namespace {

bool is_playlist(std::string_view path) noexcept {
  return equals_ignoring_case(extension_of(path), "m3u8");
}

// By the folder itself: another scan opens it anew.
std::string key_of(const MediaFolder& folder, std::string_view path) {
  return fmt::format("{:x}:{:x}/{}", folder.device(), folder.inode(), path);
}

}  // namespace

MediaFileRef OpenFiles::find(const MediaFolder& folder, std::string_view path,
                             const FileFacts* seen) {
  const std::string key = key_of(folder, path);
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, found->second);
  const MediaFileRef& file = recent_.front().file;
  return seen == nullptr || is_version(*file, *seen) ? file : nullptr;
}

// Another thread may have opened the same file meanwhile: the first one stays, for both.
MediaFileRef OpenFiles::keep(const MediaFolder& folder, MediaFileRef file) {
  if (open_max_ == 0 || is_playlist(file->path())) return file;
  std::string key = key_of(folder, file->path());
  MediaFileRef dropped;  // closed after the lock is released
  const std::lock_guard lock(mutex_);
  VS_ASSERT(recent_.size() <= open_max_);
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    MediaFileRef& kept = found->second->file;
    if (!is_same_file(*kept, *file)) dropped = std::exchange(kept, std::move(file));
    return kept;
  }
  if (recent_.size() == open_max_) {
    dropped = std::move(recent_.back().file);
    by_key_.erase(recent_.back().key);
    recent_.pop_back();
  }
  recent_.push_front({std::move(key), std::move(file)});
  by_key_.emplace(recent_.front().key, recent_.begin());
  return recent_.front().file;
}

void OpenFiles::forget() {
  std::list<Kept> forgotten;  // closed after the lock is released
  const std::lock_guard lock(mutex_);
  by_key_.clear();
  forgotten.swap(recent_);
}

}  // namespace videosync
