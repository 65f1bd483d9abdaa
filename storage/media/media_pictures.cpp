#include "storage/media/media_pictures.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>
#include <utility>

#include "core/base/unique_fd.h"
#include "storage/media/child_process.h"
#include "storage/media/folder_names.h"
#include "storage/media/thumbnail_sheet.h"
#include "storage/media/video_name.h"

namespace videosync {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t child_memory_bytes_max = std::uint64_t{4}
                                                 << 30;  // of addresses: 8K decodes
constexpr std::uint64_t picture_bytes_max = std::uint64_t{8} << 20;
constexpr std::size_t descriptors_a_video = 3;
// Early enough to give nothing away, late enough to be past the black and the logos.
constexpr double poster_place = 0.1;
constexpr double poster_place_s_max = 300;
// The most typical of some seconds' frames: neither a fade nor a flash. `dar`: pixels need not be
// square.
constexpr std::string_view poster_filter =
    "thumbnail=50,scale=w='min(960,iw*sar)':h='trunc(ow/dar/2)*2',setsar=1";

std::string key_of(const FileVersion& version) {
  return fmt::format("{}-{:x}-{:x}", name_hash(version.path), version.size,
                     static_cast<std::uint64_t>(version.mtime_ns));
}

std::string poster_name(const std::string& key) {
  return key + ".poster.jpg";
}
std::string sprite_name(const std::string& key) {
  return key + ".thumbnails.jpg";
}
std::string thumbnails_name(const std::string& key) {
  return key + ".thumbnails.vtt";
}

}  // namespace

void MediaPictures::give_up(std::string why) {
  gave_up_ = true;
  warnings_.push_back(std::move(why) + ": videos go without posters and thumbnails");
}

// A folder for each library, so that sweep() knows whose files it sees.
bool MediaPictures::open_cache(const MediaLibrary& library) {
  if (cache_ != nullptr) return true;
  if (gave_up_ || options_.cache_directory.empty() || library.directory().empty()) return false;
  std::error_code error;
  const fs::path folder =
      fs::path(options_.cache_directory) / ("media-" + name_hash(library.real_directory()));
  fs::create_directories(folder, error);
  auto opened = desk_.open_folder(folder.native());
  if (!opened && opened.error().code == ErrorCode::timed_out) return false;
  int reason = opened ? 0 : opened.error().system_errno;
  if (opened && ::faccessat((*opened)->fd(), ".", W_OK | X_OK, AT_EACCESS) != 0) reason = errno;
  if (reason == 0) {
    cache_ = std::move(*opened);
    return true;
  }
  give_up(fmt::format("the cache folder {} cannot be written ({})", folder.native(),
                      std::strerror(reason)));
  return false;
}

MediaFileRef MediaPictures::open(const std::string& name) {
  Result<MediaFileRef> file = desk_.open(cache_, name);
  return file && (*file)->size() > 0 ? std::move(*file) : nullptr;
}

void MediaPictures::look_into_cache(Known& known, const std::string& key) {
  if (std::exchange(known.has_looked, true)) return;
  known.pictures.poster = open(poster_name(key));
  known.pictures.sprite = open(sprite_name(key));
  known.pictures.thumbnails = known.pictures.sprite ? open(thumbnails_name(key)) : nullptr;
}

std::shared_ptr<const MediaLibrary> MediaPictures::recall(
    const std::shared_ptr<const MediaLibrary>& library) {
  if (!open_cache(*library)) return library;
  std::map<std::string, Known> still_known;
  std::vector<VideoPictures> pictures;
  std::size_t descriptors_left = library->descriptors_left();
  bool adds = false;
  for (const VideoEntry& video : library->videos()) {
    VideoPictures& added = pictures.emplace_back();
    const std::string key = key_of(video.version);
    Known& known = still_known.emplace(key, std::move(known_[key])).first->second;
    if (descriptors_left < descriptors_a_video) continue;
    look_into_cache(known, key);
    if (video.poster == nullptr) added.poster = known.pictures.poster;
    if (video.thumbnails == nullptr && known.pictures.thumbnails != nullptr) {
      added.thumbnails = known.pictures.thumbnails;
      added.sprite = known.pictures.sprite;
    }
    descriptors_left -= (added.poster ? 1 : 0) + (added.thumbnails ? 2 : 0);
    adds = adds || added.poster != nullptr || added.thumbnails != nullptr;
  }
  known_ = std::move(still_known);
  return adds ? library->with_pictures(pictures) : library;
}

bool MediaPictures::make_next(const MediaLibrary& library, const std::stop_token& stop) {
  if (!open_cache(library)) return false;
  for (const bool wants_poster : {true, false}) {
    for (const VideoEntry& video : library.videos()) {
      if (stop.stop_requested() || gave_up_) return false;
      const std::string key = key_of(video.version);
      const Known& known = known_[key];
      const bool is_done = wants_poster ? video.poster || known.pictures.poster || known.no_poster
                                        : video.thumbnails || known.pictures.thumbnails ||
                                              known.no_thumbnails || !video.duration_s;
      if (is_done) continue;
      if (library.descriptors_left() < descriptors_a_video) {
        give_up("the limit of open files is reached");
        return false;
      }
      return wants_poster ? make_poster(library, video, key, stop)
                          : make_thumbnails(library, video, key, stop);
    }
  }
  return false;
}

bool MediaPictures::make_poster(const MediaLibrary& library, const VideoEntry& video,
                                const std::string& key, const std::stop_token& stop) {
  const double place_s = std::min(video.duration_s.value_or(0) * poster_place, poster_place_s_max);
  const auto make_at = [&](double from_s) {
    return run(library, video, from_s, std::string(poster_filter), false, options_.poster_limit_ms,
               poster_name(key), stop);
  };
  Made made = make_at(place_s);
  // A damaged file may still have a beginning.
  if (made == Made::no && place_s > 0 && !gave_up_) made = make_at(0);
  Known& known = known_[key];
  if (made == Made::yes) known.pictures.poster = open(poster_name(key));
  known.no_poster = made != Made::stopped && known.pictures.poster == nullptr;
  if (known.no_poster && !gave_up_) {
    warnings_.push_back(fmt::format("{} makes no poster of \"{}\"", options_.program, video.title));
  }
  return made != Made::stopped;
}

bool MediaPictures::make_thumbnails(const MediaLibrary& library, const VideoEntry& video,
                                    const std::string& key, const std::stop_token& stop) {
  const ThumbnailSheet sheet = ThumbnailSheet::plan(*video.duration_s);
  const Made made = run(library, video, 0, sheet.video_filter(), true, options_.thumbnails_limit_ms,
                        sprite_name(key), stop);
  Known& known = known_[key];
  if (made == Made::yes && write(thumbnails_name(key), sheet.encode_vtt(sprite_name(key)))) {
    known.pictures.sprite = open(sprite_name(key));
    known.pictures.thumbnails = open(thumbnails_name(key));
  }
  known.no_thumbnails = made != Made::stopped && known.pictures.thumbnails == nullptr;
  if (known.no_thumbnails && !gave_up_) {
    warnings_.push_back(
        fmt::format("{} makes no thumbnails of \"{}\"", options_.program, video.title));
  }
  return made != Made::stopped;
}

// The picture appears under its name when it is complete: other processes may share the cache.
MediaPictures::Made MediaPictures::run(const MediaLibrary& library, const VideoEntry& video,
                                       double from_s, const std::string& filter,
                                       bool key_frames_only, std::int64_t limit_ms,
                                       const std::string& name, const std::stop_token& stop) {
  const std::string temporary = fmt::format(".{}.{}.tmp", name, ::getpid());
  UniqueFd output(::openat(cache_->fd(), temporary.c_str(),
                           O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!output) {
    give_up(fmt::format("the cache cannot be written ({})", std::strerror(errno)));
    return Made::no;
  }
  std::vector<std::string> arguments{options_.program, "-nostdin", "-v", "error", "-threads", "1"};
  const auto add = [&](std::initializer_list<std::string> more) {
    arguments.insert(arguments.end(), more);
  };
  if (key_frames_only) add({"-discard:v", "nokey", "-skip_frame", "nokey"});
  if (from_s > 0) add({"-ss", fmt::format("{:.3f}", from_s)});
  // Only local files: a playlist must not make this machine call others.
  add({"-protocol_whitelist", "file,crypto,data", "-i"});
  add({video.file != nullptr ? fmt::format("file:/dev/fd/{}", ChildProcess::input_fd)
                             : "file:" + library.directory() + "/" + video.hls});
  add({"-map", "0:v:0", "-vf", filter, "-frames:v", "1", "-q:v", "5"});
  add({"-f", "image2pipe", "-c:v", "mjpeg", "pipe:1"});

  auto child = ChildProcess::start(
      {std::move(arguments), output.get(), video.file != nullptr ? video.file->fd() : -1});
  output.reset();
  auto end = ChildProcess::End::failed;
  if (child) {
    child->step_back(child_memory_bytes_max, picture_bytes_max);
    end = child->wait(limit_ms, stop);
  } else {
    give_up(fmt::format("{} cannot be run ({})", options_.program,
                        std::strerror(child.error().system_errno)));
  }
  if (end == ChildProcess::End::timed_out) {
    warnings_.push_back(
        fmt::format("{} took more than {} ms for \"{}\"", options_.program, limit_ms, video.title));
  }
  struct stat status{};
  const bool is_made =
      end == ChildProcess::End::succeeded &&
      ::fstatat(cache_->fd(), temporary.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
      status.st_size > 0 &&
      ::renameat(cache_->fd(), temporary.c_str(), cache_->fd(), name.c_str()) == 0;
  if (!is_made) ::unlinkat(cache_->fd(), temporary.c_str(), 0);
  if (end == ChildProcess::End::stopped) return Made::stopped;
  return is_made ? Made::yes : Made::no;
}

Result<> MediaPictures::write(const std::string& name, const std::string& text) {
  const std::string temporary = fmt::format(".{}.{}.tmp", name, ::getpid());
  UniqueFd output(::openat(cache_->fd(), temporary.c_str(),
                           O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!output) return fail_errno("write " + name, errno);
  const ssize_t written = ::write(output.get(), text.data(), text.size());
  output.reset();
  const bool is_whole =
      written == static_cast<ssize_t>(text.size()) &&
      ::renameat(cache_->fd(), temporary.c_str(), cache_->fd(), name.c_str()) == 0;
  if (is_whole) return {};
  const int reason = errno;
  ::unlinkat(cache_->fd(), temporary.c_str(), 0);
  return fail_errno("write " + name, reason);
}

void MediaPictures::sweep(const MediaLibrary& library) {
  if (!open_cache(library)) return;
  std::set<std::string> wanted{".", ".."};
  for (const VideoEntry& video : library.videos()) {
    const std::string key = key_of(video.version);
    wanted.insert({poster_name(key), sprite_name(key), thumbnails_name(key)});
  }
  const FolderStream folder = open_folder(cache_->fd());
  if (!folder) return;
  while (const dirent* item = ::readdir(folder.get())) {
    const std::string name = item->d_name;
    // Hidden ones are being written, maybe by another process with the same library.
    if (!wanted.contains(name) && !name.starts_with('.')) ::unlinkat(cache_->fd(), name.c_str(), 0);
  }
}

}  // namespace videosync
