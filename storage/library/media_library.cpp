#include "storage/library/media_library.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/base/assert.h"
#include "core/base/text.h"
#include "core/base/utf8.h"
#include "storage/files/open_files.h"
#include "storage/library/film_order.h"
#include "storage/names/content_type.h"
#include "storage/names/library_names.h"
#include "storage/names/text_fold.h"
#include "storage/names/video_name.h"

namespace videosync {

namespace {

// With three characters for each byte it is still within a request's line.
constexpr std::size_t url_path_bytes_max = 2'048;

bool is_url_path(std::string_view path) noexcept {
  return path.size() <= url_path_bytes_max && !has_control_bytes(path) && is_valid_utf8(path);
}

// Captions' labels follow from their languages and kinds.
bool is_same_caption(const Caption& a, const Caption& b) {
  return a.lang == b.lang && a.kind == b.kind && a.file == b.file;
}

bool is_same_video(const VideoEntry& a, const VideoEntry& b) {
  return a.id == b.id && a.other_ids == b.other_ids && a.place == b.place && a.film == b.film &&
         a.notes == b.notes && a.show_notes == b.show_notes && a.learned == b.learned &&
         a.versions == b.versions && a.file == b.file && a.playlist == b.playlist &&
         a.poster == b.poster && a.thumbnails == b.thumbnails && a.sprite == b.sprite &&
         std::ranges::equal(a.captions, b.captions, is_same_caption);
}

}  // namespace

std::string LibraryFile::place() const {
  return library == 0 ? path : fmt::format("~{}/{}", library, path);
}

// When the inode changed (ctime) does not matter: a link or a rename elsewhere does that, too.
bool operator==(const LibraryFile& a, const LibraryFile& b) noexcept {
  return a.path == b.path && a.library == b.library && a.facts.size == b.facts.size &&
         a.facts.mtime_s == b.facts.mtime_s && a.facts.mtime_nsec == b.facts.mtime_nsec &&
         a.facts.inode == b.facts.inode && a.facts.device == b.facts.device;
}

bool operator==(const MediaLibrary::Root& a, const MediaLibrary::Root& b) noexcept {
  return a.folder->path() == b.folder->path() && a.folder->inode() == b.folder->inode() &&
         a.folder->device() == b.folder->device();
}

bool Caption::is_webvtt() const noexcept {
  return kind_of(file.path, caption_kinds) == 0;
}

std::string_view VideoEntry::folder() const noexcept {
  const std::size_t slash = place.rfind('/');
  return slash == std::string::npos ? std::string_view{} : std::string_view(place).substr(0, slash);
}

std::string_view VideoEntry::content_type() const noexcept {
  return content_type_of(source().path);
}

std::shared_ptr<const MediaLibrary> MediaLibrary::make_empty() {
  return std::shared_ptr<const MediaLibrary>(new MediaLibrary);
}

std::shared_ptr<const MediaLibrary> MediaLibrary::with_learned(
    std::span<const LearnedFilm> learned) const {
  VS_ASSERT(learned.size() == videos_.size());
  const std::shared_ptr<MediaLibrary> other = copy();
  for (std::size_t i = 0; i < learned.size(); ++i)
    other->videos_[i].learned = learned[i];
  other->index();
  return other;
}

std::shared_ptr<const MediaLibrary> MediaLibrary::with_pictures(
    std::span<const VideoPictures> pictures) const {
  VS_ASSERT(pictures.size() == videos_.size());
  const std::shared_ptr<MediaLibrary> other = copy();
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    VideoEntry& video = other->videos_[i];
    if (!video.poster) video.poster = pictures[i].poster;
    if (video.thumbnails) continue;
    video.thumbnails = pictures[i].thumbnails;
    video.sprite = pictures[i].sprite;
  }
  other->index();
  return other;
}

std::shared_ptr<const MediaLibrary> MediaLibrary::with_names(
    std::vector<std::pair<std::size_t, FilmName>> names) const {
  const std::shared_ptr<MediaLibrary> other = copy();
  for (auto& [place, name] : names) {
    VideoEntry& video = other->videos_.at(place);
    video.film = std::move(name);
    video.folded = fold_text(video.film.title);
  }
  put_in_order(other->videos_);
  if (default_index_) {
    const auto chosen =
        std::ranges::find(other->videos_, videos_[*default_index_].place, &VideoEntry::place);
    other->default_index_ = static_cast<std::size_t>(chosen - other->videos_.begin());
  }
  other->index();
  return other;
}

std::shared_ptr<MediaLibrary> MediaLibrary::copy() const {
  std::shared_ptr<MediaLibrary> other(new MediaLibrary);
  other->roots_ = roots_;
  other->has_forms_ = has_forms_;
  other->private_root_ = private_root_;
  other->default_index_ = default_index_;
  other->videos_ = videos_;
  other->hls_folders_ = hls_folders_;
  other->open_files_ = open_files_;
  return other;
}

void MediaLibrary::index() {
  by_id_.reserve(videos_.size() * 2);
  for (std::size_t i = 0; i < videos_.size(); ++i) {
    const VideoEntry& video = videos_[i];
    if (!first_index_ && !is_private(video)) first_index_ = i;
    const bool is_new = by_id_.emplace(video.id, i).second;
    VS_ASSERT(is_new);
    for (const std::string& id : video.other_ids)
      by_id_.emplace(id, i);
    for (const Caption& caption : video.captions)
      if (caption.is_webvtt()) index_file(caption.file);
    for (const LibraryFile* picture : {&video.poster, &video.thumbnails, &video.sprite})
      index_file(*picture);
  }
}

void MediaLibrary::index_file(const LibraryFile& file) {
  if (file) by_url_path_.emplace(url_path_of(file.place()), &file);
}

std::string MediaLibrary::url_path_of(const std::string& place) {
  return is_url_path(place) ? place : fmt::format("~{}.{}", path_hash(place), extension_of(place));
}

const VideoEntry* MediaLibrary::find(std::string_view id) const noexcept {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &videos_[found->second];
}

const VideoEntry* MediaLibrary::default_video() const noexcept {
  const auto chosen = default_index_ ? default_index_ : first_index_;
  return chosen ? &videos_[*chosen] : nullptr;
}

bool MediaLibrary::is_of(const VideoEntry& video, std::string_view owner) const noexcept {
  const std::string_view path = video.source().path;
  return is_private(video) && path.size() > owner.size() && path.starts_with(owner) &&
         path[owner.size()] == '/';
}

std::vector<const VideoEntry*> MediaLibrary::private_videos(std::string_view owner) const {
  std::vector<const VideoEntry*> found;
  if (owner.empty() || private_root_ == SIZE_MAX) return found;
  for (const VideoEntry& video : videos_)
    if (video.versions > 0 && is_of(video, owner)) found.push_back(&video);
  return found;
}

std::span<const VideoEntry> MediaLibrary::versions_of(const VideoEntry& video) const noexcept {
  VS_ASSERT(&video >= videos_.data() && &video < videos_.data() + videos_.size());
  auto first = static_cast<std::size_t>(&video - videos_.data());
  while (videos_[first].versions == 0)
    --first;
  return std::span(videos_).subspan(first, videos_[first].versions);
}

MediaLibrary::Place MediaLibrary::place_of(const LibraryFile& file) const {
  VS_ASSERT(file && open_files_ != nullptr);
  return {open_files_->find(*file.folder, file.path, &file.facts), open_files_, file.folder,
          file.path, file.library == private_root_};
}

std::optional<MediaLibrary::Place> MediaLibrary::find_place(std::string_view path) const {
  if (!path.starts_with(url_prefix)) return std::nullopt;
  path.remove_prefix(url_prefix.size());
  const auto found = by_url_path_.find(std::string(path));
  if (found != by_url_path_.end()) return place_of(*found->second);
  if (!hls_folders_.is_servable(path)) return std::nullopt;
  std::size_t library = 0;
  for (std::size_t i = roots_.size(); i-- > 1 && library == 0;) {
    const std::string prefix = fmt::format("~{}/", i);
    if (!path.starts_with(prefix)) continue;
    path.remove_prefix(prefix.size());
    library = i;
  }
  const MediaFolderRef& folder = roots_[library].folder;
  return Place{open_files_->find(*folder, path, nullptr), open_files_, folder, std::string(path),
               library == private_root_};
}

bool MediaLibrary::shows_same_as(const MediaLibrary& other) const {
  return default_index_ == other.default_index_ && std::ranges::equal(roots_, other.roots_) &&
         hls_folders_ == other.hls_folders_ &&
         std::ranges::equal(videos_, other.videos_, is_same_video);
}

}  // namespace videosync
