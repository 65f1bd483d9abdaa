#include "storage/media/hls_files.h"

#include <algorithm>
#include <array>

#include "core/base/text.h"
#include "storage/media/content_type.h"
#include "storage/media/video_name.h"

namespace videosync {

namespace {

constexpr std::size_t path_bytes_max = 1024;
constexpr std::array<std::string_view, 8> served_kinds{"m3u8", "ts",  "m4s", "mp4",
                                                       "vtt",  "jpg", "png", "aac"};

bool is_playlist(std::string_view path) noexcept {
  return equals_ignoring_case(extension_of(path), "m3u8");
}

}  // namespace

bool HlsFiles::is_servable(std::string_view path) const {
  if (path.size() > path_bytes_max) return false;
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return false;
  if (!folders_.contains(std::string(path.substr(0, slash)))) return false;
  const std::string_view extension = extension_of(path);
  const bool known = std::any_of(served_kinds.begin(), served_kinds.end(),
                                 [&](auto kind) { return equals_ignoring_case(kind, extension); });
  if (!known) return false;
  for (std::string_view rest = path.substr(slash + 1);;) {
    const std::size_t end = rest.find('/');
    if (!is_servable_name(rest.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    rest.remove_prefix(end + 1);
  }
}

MediaFileRef HlsFiles::find_open(std::string_view path) {
  const std::lock_guard lock(mutex_);
  const auto found = by_path_.find(path);
  if (found == by_path_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, found->second);
  return recent_.front();
}

// Another thread may have opened the same file meanwhile: the first one stays, for both.
MediaFileRef HlsFiles::keep(MediaFileRef file) {
  if (open_max_ == 0 || is_playlist(file->path())) return file;
  MediaFileRef dropped;  // closed after the lock is released
  const std::lock_guard lock(mutex_);
  const auto found = by_path_.find(file->path());
  if (found != by_path_.end()) return *found->second;
  if (recent_.size() == open_max_) {
    dropped = std::move(recent_.back());
    by_path_.erase(dropped->path());
    recent_.pop_back();
  }
  recent_.push_front(std::move(file));
  by_path_.emplace(recent_.front()->path(), recent_.begin());
  return recent_.front();
}

void HlsFiles::forget() {
  std::list<MediaFileRef> forgotten;  // closed after the lock is released
  const std::lock_guard lock(mutex_);
  by_path_.clear();
  forgotten.swap(recent_);
}

}  // namespace videosync
