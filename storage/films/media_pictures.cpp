#include "storage/films/media_pictures.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <set>
#include <utility>

#include "core/base/film_formats.h"
#include "core/base/unique_fd.h"
#include "storage/files/child_process.h"
#include "storage/files/folder_walk.h"
#include "storage/films/thumbnail_sheet.h"
#include "storage/names/video_name.h"

namespace videosync {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t child_memory_bytes_max = std::uint64_t{4}
                                                 << 30;  // of addresses: 8K decodes
constexpr std::uint64_t picture_bytes_max = std::uint64_t{8} << 20;
// Early enough to give nothing away, late enough to be past the black and the logos.
constexpr double poster_place = 0.1;
constexpr double poster_place_s_max = 300;
// The most typical of some seconds' frames: neither a fade nor a flash. `dar`: pixels need not be
// square.
constexpr std::string_view poster_filter =
    "thumbnail=50,scale=w='min(960,iw*sar)':h='trunc(ow/dar/2)*2',setsar=1";
constexpr std::string_view cover_filter = "scale=w='min(960,iw)':h=-2,setsar=1";

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

bool MediaPictures::open_caches(const MediaLibrary& library) {
  if (gave_up_ || options_.cache_directory.empty() || library.roots().empty()) return false;
  caches_.resize(library.roots().size());
  for (std::size_t i = 0; i < caches_.size(); ++i) {
    if (!open_cache(library.roots()[i], caches_[i])) return false;
  }
  return true;
}

// A folder for each library, so that sweep() knows whose files it sees. Read once: whether a
// picture is there must not be asked for each of thousands.
bool MediaPictures::open_cache(const MediaLibrary::Root& root, Cache& cache) {
  if (cache.folder != nullptr) return true;
  std::error_code error;
  const fs::path folder =
      fs::path(options_.cache_directory) / ("media-" + name_hash(root.real_path));
  fs::create_directories(folder, error);
  auto opened = desk_.open_folder(folder.native());
  if (!opened && opened.error().code == ErrorCode::timed_out) return false;
  int reason = opened ? 0 : opened.error().system_errno;
  if (opened && ::faccessat((*opened)->fd(), ".", W_OK | X_OK, AT_EACCESS) != 0) reason = errno;
  if (reason != 0) {
    give_up(fmt::format("the cache folder {} cannot be written ({})", folder.native(),
                        std::strerror(reason)));
    return false;
  }
  const auto tree = desk_.walk(*opened);
  if (!tree) return false;
  for (const ListedFile& file : tree->folders.front().files)
    cache.found.emplace(file.name, file.facts);
  cache.folder = std::move(*opened);
  return true;
}

void MediaPictures::look_into_cache(const Cache& cache, std::size_t library, Known& known,
                                    const std::string& key) {
  if (std::exchange(known.has_looked, true)) return;
  const auto find = [&](const std::string& name) {
    const auto found = cache.found.find(name);
    if (found == cache.found.end() || found->second.size == 0) return LibraryFile{};
    return LibraryFile{cache.folder, name, library, found->second};
  };
  known.pictures.poster = find(poster_name(key));
  known.pictures.sprite = find(sprite_name(key));
  if (known.pictures.sprite) known.pictures.thumbnails = find(thumbnails_name(key));
}

LibraryFile MediaPictures::made(const Cache& cache, std::size_t library, const std::string& name) {
  struct stat status{};
  const bool is_there =
      ::fstatat(cache.folder->fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
      status.st_size > 0;
  return is_there ? LibraryFile{cache.folder, name, library, facts_of(status)} : LibraryFile{};
}

MediaPictures::Known& MediaPictures::known_of(const VideoEntry& video) {
  const std::size_t library = video.source().library;
  Cache& cache = caches_.at(library);
  const std::string key = key_of(video.version());
  Known& known = cache.known[key];
  look_into_cache(cache, library, known, key);
  return known;
}

std::shared_ptr<const MediaLibrary> MediaPictures::recall(
    const std::shared_ptr<const MediaLibrary>& library) {
  untried_ = {};
  if (!open_caches(*library)) return library;
  std::vector<VideoPictures> pictures;
  pictures.reserve(library->videos().size());
  bool adds = false;
  for (const VideoEntry& video : library->videos()) {
    const Known& known = known_of(video);
    VideoPictures& added = pictures.emplace_back();
    if (!video.poster) added.poster = known.pictures.poster;
    if (!video.thumbnails && known.pictures.thumbnails) {
      added.thumbnails = known.pictures.thumbnails;
      added.sprite = known.pictures.sprite;
    }
    adds = adds || added.poster || added.thumbnails;
  }
  return adds ? library->with_pictures(pictures) : library;
}

bool MediaPictures::make_next(const MediaLibrary& library, const BreakOff& stop) {
  if (!open_caches(library)) return false;
  for (const bool late : {false, true}) {
    for (const bool poster : {true, false}) {
      if (stop.is_due() || gave_up_) return false;
      const VideoEntry* video = late ? find_late(library, poster) : find_untried(library, poster);
      if (video != nullptr)
        return poster ? make_poster(*video, stop) : make_thumbnails(*video, stop);
    }
  }
  return false;
}

std::optional<int> MediaPictures::lacks(const VideoEntry& video, bool poster) {
  if (poster ? bool(video.poster) : video.thumbnails || !video.duration_s()) return std::nullopt;
  const Known& known = known_of(video);
  const bool is_done = poster ? known.pictures.poster || known.no_poster
                              : known.pictures.thumbnails || known.no_thumbnails;
  if (is_done) return std::nullopt;
  return poster ? known.poster_doublings : known.thumbnails_doublings;
}

const VideoEntry* MediaPictures::find_untried(const MediaLibrary& library, bool poster) {
  const auto videos = library.videos();
  std::size_t& place = untried_[poster ? 1 : 0];
  while (place < videos.size() && lacks(videos[place], poster) != 0)
    ++place;
  return place < videos.size() ? &videos[place] : nullptr;
}

const VideoEntry* MediaPictures::find_late(const MediaLibrary& library, bool poster) {
  const VideoEntry* found = nullptr;
  int fewest = limit_doublings + 1;
  for (const VideoEntry& video : library.videos()) {
    const std::optional<int> doublings = lacks(video, poster);
    if (!doublings || *doublings >= fewest) continue;
    found = &video;
    fewest = *doublings;
  }
  return found;
}

bool MediaPictures::make_poster(const VideoEntry& video, const BreakOff& stop) {
  const std::string name = poster_name(key_of(video.version()));
  const double place_s =
      std::min(video.duration_s().value_or(0) * poster_place, poster_place_s_max);
  const std::int64_t limit_ms = options_.poster_limit_ms << known_of(video).poster_doublings;
  const auto make_at = [&](double from_s) {
    std::vector<std::string> input;
    if (from_s > 0) input = {"-ss", fmt::format("{:.3f}", from_s)};
    return run(video,
               {std::move(input), {"-map", "0:V:0"}, std::string(poster_filter), limit_ms, name},
               stop);
  };
  // A cover: what is a picture but not the film's own. No playlist has one.
  Made outcome = Made::no;
  if (video.file) {
    outcome =
        run(video, {{}, {"-map", "0:v", "-map", "-0:V"}, std::string(cover_filter), limit_ms, name},
            stop);
  }
  if (outcome == Made::no && !gave_up_) outcome = make_at(place_s);
  // A damaged file may still have a beginning.
  if (outcome == Made::no && place_s > 0 && !gave_up_) outcome = make_at(0);
  Known& known = known_of(video);
  const std::size_t library = video.source().library;
  if (outcome == Made::yes) known.pictures.poster = made(caches_[library], library, name);
  if (known.pictures.poster) return true;
  known.no_poster = is_none(video, "poster", outcome, known.poster_doublings);
  return outcome != Made::stopped;
}

bool MediaPictures::make_thumbnails(const VideoEntry& video, const BreakOff& stop) {
  const std::string key = key_of(video.version());
  const ThumbnailSheet sheet = ThumbnailSheet::plan(*video.duration_s());
  const std::int64_t limit_ms = options_.thumbnails_limit_ms
                                << known_of(video).thumbnails_doublings;
  const Made outcome = run(video,
                           {{"-discard:v", "nokey", "-skip_frame", "nokey"},
                            {"-map", "0:V:0"},
                            sheet.video_filter(),
                            limit_ms,
                            sprite_name(key)},
                           stop);
  Known& known = known_of(video);
  const std::size_t library = video.source().library;
  const Cache& cache = caches_[library];
  if (outcome == Made::yes &&
      write(cache, thumbnails_name(key), sheet.encode_vtt(sprite_name(key)))) {
    known.pictures.sprite = made(cache, library, sprite_name(key));
    known.pictures.thumbnails = made(cache, library, thumbnails_name(key));
  }
  if (known.pictures.thumbnails) return true;
  known.no_thumbnails = is_none(video, "thumbnails", outcome, known.thumbnails_doublings);
  return outcome != Made::stopped;
}

bool MediaPictures::is_none(const VideoEntry& video, std::string_view what, Made outcome,
                            int& doublings) {
  if (outcome == Made::stopped || gave_up_) return false;
  const bool is_late = outcome == Made::late;
  if (is_late && doublings < limit_doublings) {
    ++doublings;
    return false;
  }
  warnings_.push_back(fmt::format("{} makes no {} of \"{}\"{}", options_.program, what,
                                  video.title(), is_late ? ": it takes too long" : ""));
  return true;
}

// The picture appears under its name when it is complete: other processes may share the cache.
MediaPictures::Made MediaPictures::run(const VideoEntry& video, Job job, const BreakOff& stop) {
  MediaFileRef file;
  if (video.file) {
    auto opened = desk_.open(video.file.folder, video.file.path);
    if (!opened) return opened.error().code == ErrorCode::timed_out ? Made::stopped : Made::no;
    file = std::move(*opened);
  }
  const int cache = caches_[video.source().library].folder->fd();
  const std::string temporary = fmt::format(".{}.{}.tmp", job.name, ::getpid());
  UniqueFd output(::openat(cache, temporary.c_str(),
                           O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!output) {
    give_up(fmt::format("the cache cannot be written ({})", std::strerror(errno)));
    return Made::no;
  }
  std::vector<std::string> arguments{options_.program, "-nostdin", "-v", "error", "-threads", "1"};
  const auto add = [&](std::initializer_list<std::string> more) {
    arguments.insert(arguments.end(), more);
  };
  std::ranges::move(job.input, std::back_inserter(arguments));
  // Only local files: a playlist must not make this machine call others.
  add({"-protocol_whitelist", "file,crypto,data"});
  if (file != nullptr) add({"-format_whitelist", film_formats});
  add({"-i"});
  add({file != nullptr
           ? fmt::format("file:/dev/fd/{}", ChildProcess::input_fd)
           : fmt::format("file:{}/{}", video.playlist.folder->path(), video.playlist.path)});
  std::ranges::move(job.streams, std::back_inserter(arguments));
  add({"-vf", job.filter, "-frames:v", "1", "-q:v", "5"});
  add({"-f", "image2pipe", "-c:v", "mjpeg", "pipe:1"});

  const Made outcome = run_child({.words = std::move(arguments),
                                  .output = output.get(),
                                  .input = file != nullptr ? file->fd() : -1,
                                  .reads = file != nullptr ? -1 : video.playlist.folder->fd(),
                                  .precedence = Precedence::back,
                                  .memory_bytes_max = child_memory_bytes_max,
                                  .file_bytes_max = picture_bytes_max},
                                 job.limit_ms, stop);
  struct stat status{};
  const bool is_made = outcome == Made::yes && ::fstat(output.get(), &status) == 0 &&
                       status.st_size > 0 &&
                       ::renameat(cache, temporary.c_str(), cache, job.name.c_str()) == 0;
  if (is_made) return Made::yes;
  ::unlinkat(cache, temporary.c_str(), 0);
  return outcome == Made::yes ? Made::no : outcome;
}

MediaPictures::Made MediaPictures::run_child(const SpawnOrder& order, std::int64_t limit_ms,
                                             const BreakOff& stop) {
  auto child = ChildProcess::start(desk_.spawner(), order);
  if (!child) {
    give_up(fmt::format("{} cannot be run ({})", options_.program,
                        std::strerror(child.error().system_errno)));
    return Made::no;
  }
  switch (child->wait(limit_ms, stop)) {
    case ChildProcess::End::succeeded:
      return Made::yes;
    case ChildProcess::End::stopped:
      return Made::stopped;
    case ChildProcess::End::timed_out:
      return Made::late;
    case ChildProcess::End::failed:
      break;
  }
  return Made::no;
}

Result<> MediaPictures::write(const Cache& cache, const std::string& name,
                              const std::string& text) {
  const int folder = cache.folder->fd();
  const std::string temporary = fmt::format(".{}.{}.tmp", name, ::getpid());
  UniqueFd output(::openat(folder, temporary.c_str(),
                           O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!output) return fail_errno("write " + name, errno);
  const ssize_t written = ::write(output.get(), text.data(), text.size());
  output.reset();
  const bool is_whole = written == static_cast<ssize_t>(text.size()) &&
                        ::renameat(folder, temporary.c_str(), folder, name.c_str()) == 0;
  if (is_whole) return {};
  const int reason = errno;
  ::unlinkat(folder, temporary.c_str(), 0);
  return fail_errno("write " + name, reason);
}

void MediaPictures::sweep(const MediaLibrary& library) {
  if (!open_caches(library)) return;
  std::vector<std::set<std::string>> wanted(caches_.size());
  for (const VideoEntry& video : library.videos()) {
    const std::string key = key_of(video.version());
    wanted[video.source().library].insert(
        {poster_name(key), sprite_name(key), thumbnails_name(key)});
  }
  for (std::size_t i = 0; i < caches_.size(); ++i) {
    const int directory = caches_[i].folder->fd();
    const FolderStream folder = open_folder(directory);
    if (!folder) continue;
    while (const dirent* item = ::readdir(folder.get())) {
      const std::string name = item->d_name;
      // Hidden ones are being written, maybe by another process with the same library.
      if (!name.starts_with('.') && !wanted[i].contains(name)) {
        ::unlinkat(directory, name.c_str(), 0);
      }
    }
  }
}

}  // namespace videosync
