#include "storage/media/media_library.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/assert.h"
#include "core/base/text.h"
#include "core/base/utf8.h"
#include "storage/media/content_type.h"
#include "storage/media/hls_files.h"
#include "storage/media/video_name.h"

namespace videosync {

namespace {

bool is_url_path(std::string_view path) noexcept {
  return !has_control_bytes(path) && is_valid_utf8(path);
}

bool is_same_file(const MediaFileRef& a, const MediaFileRef& b) {
  if (a == nullptr || b == nullptr) return a == b;
  return version_of(*a) == version_of(*b) && a->inode() == b->inode() && a->device() == b->device();
}

// Captions' labels follow from their languages.
bool is_same_caption(const Caption& a, const Caption& b) {
  return a.lang == b.lang && is_same_file(a.file, b.file);
}

// The title follows from the name.
bool is_same_video(const VideoEntry& a, const VideoEntry& b) {
  return a.id == b.id && a.other_ids == b.other_ids && a.name == b.name && a.hls == b.hls &&
         a.duration_s == b.duration_s && a.version == b.version && is_same_file(a.file, b.file) &&
         is_same_file(a.poster, b.poster) && is_same_file(a.thumbnails, b.thumbnails) &&
         is_same_file(a.sprite, b.sprite) &&
         std::ranges::equal(a.captions, b.captions, is_same_caption);
}

}  // namespace

std::string_view VideoEntry::content_type() const noexcept {
  return file != nullptr ? file->content_type() : content_type_of(hls);
}

std::shared_ptr<const MediaLibrary> MediaLibrary::make_empty() {
  return std::shared_ptr<const MediaLibrary>(new MediaLibrary);
}

std::shared_ptr<const MediaLibrary> MediaLibrary::with_durations(
    std::span<const std::optional<double>> durations_s) const {
  VS_ASSERT(durations_s.size() == videos_.size());
  const std::shared_ptr<MediaLibrary> other = copy();
  for (std::size_t i = 0; i < durations_s.size(); ++i) {
    other->videos_[i].duration_s = durations_s[i];
  }
  other->index();
  return other;
}

std::shared_ptr<const MediaLibrary> MediaLibrary::with_pictures(
    std::span<const VideoPictures> pictures) const {
  VS_ASSERT(pictures.size() == videos_.size());
  const std::shared_ptr<MediaLibrary> other = copy();
  const auto add = [&](MediaFileRef& to, const MediaFileRef& file) {
    if (to != nullptr || file == nullptr) return;
    VS_ASSERT(other->descriptors_left_ > 0);
    --other->descriptors_left_;
    to = file;
  };
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    VideoEntry& video = other->videos_[i];
    add(video.poster, pictures[i].poster);
    if (video.thumbnails != nullptr) continue;
    add(video.thumbnails, pictures[i].thumbnails);
    add(video.sprite, pictures[i].sprite);
  }
  other->index();
  return other;
}

std::shared_ptr<MediaLibrary> MediaLibrary::copy() const {
  std::shared_ptr<MediaLibrary> other(new MediaLibrary);
  other->directory_ = directory_;
  other->real_directory_ = real_directory_;
  other->folder_inode_ = folder_inode_;
  other->folder_device_ = folder_device_;
  other->default_index_ = default_index_;
  other->descriptors_left_ = descriptors_left_;
  other->videos_ = videos_;
  other->hls_files_ = hls_files_;
  return other;
}

void MediaLibrary::index() {
  for (std::size_t i = 0; i < videos_.size(); ++i) {
    const VideoEntry& video = videos_[i];
    const bool is_new = by_id_.emplace(video.id, i).second;
    VS_ASSERT(is_new);
    for (const std::string& id : video.other_ids)
      by_id_.emplace(id, i);
    for (const Caption& caption : video.captions)
      index_file(caption.file);
    for (const MediaFileRef& picture : {video.poster, video.thumbnails, video.sprite})
      index_file(picture);
  }
}

void MediaLibrary::index_file(const MediaFileRef& file) {
  if (file == nullptr) return;
  if (is_url_path(file->path())) {
    by_path_.emplace(file->path(), file);
  } else {
    by_hash_.emplace(url_path_of(file->path()), file);
  }
}

std::string MediaLibrary::url_path_of(std::string_view path) {
  if (is_url_path(path)) return std::string(path);
  return fmt::format("~{}.{}", path_hash(path), extension_of(path));
}

const VideoEntry* MediaLibrary::find(std::string_view id) const noexcept {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &videos_[found->second];
}

const VideoEntry* MediaLibrary::default_video() const noexcept {
  return videos_.empty() ? nullptr : &videos_[default_index_];
}

std::optional<MediaLibrary::Place> MediaLibrary::find_place(std::string_view path) const {
  if (!path.starts_with(url_prefix)) return std::nullopt;
  path.remove_prefix(url_prefix.size());
  const auto found = by_path_.find(path);
  if (found != by_path_.end()) return Place{found->second, nullptr, {}};
  const auto hashed = by_hash_.find(std::string(path));
  if (hashed != by_hash_.end()) return Place{hashed->second, nullptr, {}};
  if (hls_files_ == nullptr || !hls_files_->is_servable(path)) return std::nullopt;
  return Place{hls_files_->find_open(path), hls_files_, std::string(path)};
}

bool MediaLibrary::shows_same_as(const MediaLibrary& other) const {
  if (directory_ != other.directory_ || folder_inode_ != other.folder_inode_ ||
      folder_device_ != other.folder_device_ || default_index_ != other.default_index_) {
    return false;
  }
  const bool has_same_hls = hls_files_ == nullptr || other.hls_files_ == nullptr
                                ? hls_files_ == other.hls_files_
                                : hls_files_->has_same_folders(*other.hls_files_);
  return has_same_hls && std::ranges::equal(videos_, other.videos_, is_same_video);
}

void MediaLibrary::forget_hls_files() const {
  if (hls_files_ != nullptr) hls_files_->forget();
}

}  // namespace videosync
