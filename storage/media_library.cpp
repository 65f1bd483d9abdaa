#include "storage/media_library.h"

#include "core/base/assert.h"
#include "storage/content_type.h"
#include "storage/hls_files.h"

namespace videosync {

std::string_view VideoEntry::content_type() const noexcept {
  return file != nullptr ? file->content_type() : content_type_of(hls);
}

std::shared_ptr<const MediaLibrary> MediaLibrary::make_empty() {
  return std::shared_ptr<const MediaLibrary>(new MediaLibrary);
}

std::shared_ptr<const MediaLibrary> MediaLibrary::with_durations(
    std::span<const std::optional<double>> durations_s) const {
  VS_ASSERT(durations_s.size() == videos_.size());
  const std::shared_ptr<MediaLibrary> copy(new MediaLibrary);
  copy->directory_ = directory_;
  copy->default_index_ = default_index_;
  copy->videos_ = videos_;
  copy->hls_files_ = hls_files_;
  for (std::size_t i = 0; i < durations_s.size(); ++i) {
    copy->videos_[i].duration_s = durations_s[i];
  }
  copy->index();
  return copy;
}

void MediaLibrary::index() {
  for (std::size_t i = 0; i < videos_.size(); ++i) {
    const VideoEntry& video = videos_[i];
    const bool is_new = by_id_.emplace(video.id, i).second;
    VS_ASSERT(is_new);
    for (const Caption& caption : video.captions) {
      by_path_.emplace(caption.file->path(), caption.file);
    }
    if (video.poster != nullptr) by_path_.emplace(video.poster->path(), video.poster);
  }
}

const VideoEntry* MediaLibrary::find(std::string_view id) const noexcept {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &videos_[found->second];
}

const VideoEntry* MediaLibrary::default_video() const noexcept {
  return videos_.empty() ? nullptr : &videos_[default_index_];
}

Result<MediaFileRef> MediaLibrary::resolve(std::string_view path) const {
  if (!path.starts_with(url_prefix)) return fail(ErrorCode::not_found, "no such file");
  path.remove_prefix(url_prefix.size());
  const auto found = by_path_.find(path);
  if (found != by_path_.end()) return found->second;
  if (hls_files_ == nullptr) return fail(ErrorCode::not_found, "no such file");
  return hls_files_->open(path);
}

}  // namespace videosync
