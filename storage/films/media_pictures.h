// MediaPictures: posters and thumbnails for videos that have none beside them, made by ffmpeg and
// kept in a cache folder. Slow; for a background thread, which owns it.
//
// A file of the cache is named after its video's name, size and modification time, so a changed
// video gets new pictures and the cache may be deleted at any time. One child process works at a
// time, at the lowest priority, within limits of time, memory and output. A picture in the file
// itself (a cover) is preferred. A video that ffmpeg cannot make a picture of goes without and is
// not tried again while the process lives. Time that runs out says little of the video, for the
// machine may be busy: it is tried again after all others, with twice the time, limit_doublings
// times.
//
// Usage: recall() what the cache has for a library that was scanned, then make_next() and recall()
// by turns until make_next() finds nothing to do.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/files/break_off.h"
#include "storage/files/file_desk.h"
#include "storage/library/media_library.h"

namespace videosync {

class MediaPictures {
 public:
  static constexpr int limit_doublings = 3;
  struct Options {
    std::string cache_directory{};  // made when needed; "": no pictures at all
    std::string program = "ffmpeg";
    std::int64_t poster_limit_ms = 30'000;
    std::int64_t thumbnails_limit_ms = 300'000;
  };

  // `desk` outlives the object; pictures are opened there.
  MediaPictures(Options options, FileDesk& desk) : options_(std::move(options)), desk_(desk) {}
  MediaPictures(const MediaPictures&) = delete;
  MediaPictures& operator=(const MediaPictures&) = delete;

  // The library with the pictures that the cache has; the given one where that adds nothing.
  std::shared_ptr<const MediaLibrary> recall(const std::shared_ptr<const MediaLibrary>& library);

  // Makes one picture that is lacking, posters first, what took too long last. False: none is, or
  // none can be made, or `stop` is due.
  bool make_next(const MediaLibrary& library, const BreakOff& stop);

  // Removes what belongs to no video of the library.
  void sweep(const MediaLibrary& library);

  // One line each, since the last call.
  std::vector<std::string> take_warnings() { return std::exchange(warnings_, {}); }

 private:
  struct Known {
    VideoPictures pictures;
    bool has_looked = false;  // into the cache
    bool no_poster = false;   // tried in vain
    bool no_thumbnails = false;
    int poster_doublings = 0;  // of its time, which ran out so often
    int thumbnails_doublings = 0;
  };
  // Where the pictures of one of the libraries are.
  struct Cache {
    MediaFolderRef folder;                   // null: not opened yet
    std::map<std::string, FileFacts> found;  // when it was opened
    std::map<std::string, Known> known;      // by key
  };

  bool open_caches(const MediaLibrary& library);
  bool open_cache(const MediaLibrary::Root& root, Cache& cache);
  Known& known_of(const VideoEntry& video);
  // Whether it is to be made: how often its time ran out; nullopt: not.
  std::optional<int> lacks(const VideoEntry& video, bool poster);
  // The first that was not tried yet, of the library that recall() has seen last.
  const VideoEntry* find_untried(const MediaLibrary& library, bool poster);
  // The one of those that were late whose time ran out least.
  const VideoEntry* find_late(const MediaLibrary& library, bool poster);
  bool make_poster(const VideoEntry& video, const BreakOff& stop);
  bool make_thumbnails(const VideoEntry& video, const BreakOff& stop);
  enum class Made : std::uint8_t { yes, no, late, stopped };
  struct Job {
    std::vector<std::string> input{};  // options of the input
    std::vector<std::string> streams;
    std::string filter;
    std::int64_t limit_ms = 0;
    std::string name;
  };
  Made run(const VideoEntry& video, Job job, const BreakOff& stop);
  // Whether it is settled that there is none.
  bool is_none(const VideoEntry& video, std::string_view what, Made outcome, int& doublings);
  Made run_child(const SpawnOrder& order, std::int64_t limit_ms, const BreakOff& stop);
  Result<> write(const Cache& cache, const std::string& name, const std::string& text);
  // What was just made; none where that is empty.
  static LibraryFile made(const Cache& cache, std::size_t library, const std::string& name);
  static void look_into_cache(const Cache& cache, std::size_t library, Known& known,
                              const std::string& key);
  void give_up(std::string why);

  const Options options_;
  FileDesk& desk_;
  std::vector<Cache> caches_;  // one a library
  // None before these places is untried: of thumbnails and of posters. A look at each of thousands
  // of videos for each picture would cost as much as the pictures.
  std::array<std::size_t, 2> untried_{};
  bool gave_up_ = false;  // nothing can be made here: said once
  std::vector<std::string> warnings_;
};

}  // namespace videosync
