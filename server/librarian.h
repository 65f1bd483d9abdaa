// Librarian: keeps the media library up to date on a thread of its own, so that no worker waits for
// a disk, for ffprobe or for ffmpeg.
//
// It begins to scan at once, and scans again when it is told to, when the kernel tells of a change
// (inotify), and every few minutes, for folders of which the kernel does not hear. Each outcome
// (first the scan with what is known already, then the same with durations, then with pictures, in
// batches as they get made) is encoded here and left in a place that take() empties, and told
// through the eventfd news_descriptor(); what would show the same as before is no news. Old
// snapshots are given up here too. What the storage makes it wait for goes to the log, and so does,
// once, what a scan left out. What was learned is kept in the cache folder for the next process.
// rescan, take_changes and take are any thread's.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/base/error.h"
#include "core/base/unique_fd.h"
#include "server/films/video_catalog.h"
#include "storage/files/file_desk.h"
#include "storage/films/media_pictures.h"
#include "storage/films/media_probe.h"
#include "storage/films/notes_book.h"
#include "storage/library/media_library.h"

namespace videosync {

class Librarian {
 public:
  struct Tools {
    std::string cache_directory{};  // for pictures and what was learned; "": none
    std::string media_program{};    // videosync-media; "": none
  };
  // `helpers` outlive it.
  // Errors: io, where no eventfd or no thread is to be had.
  static Result<std::unique_ptr<Librarian>> create(MediaLibrary::Options options, Tools tools,
                                                   FileHelpers& helpers);
  ~Librarian();
  Librarian(const Librarian&) = delete;
  Librarian& operator=(const Librarian&) = delete;

  struct First {
    VideoCatalogRef catalog;
    std::vector<std::string> warnings;  // one line each
  };
  // The first scan's outcome, of which nothing is logged. Nullopt: it is not there in time, and
  // will come as news, and to the log. Once, before start().
  std::optional<Result<First>> await_first(std::chrono::milliseconds limit);
  // Once: goes on to durations and pictures.
  void start();
  // Scans again at once: whatever is being learned or made is broken off, and a scan that the
  // storage has hung for a while is given up.
  void rescan();
  int news_descriptor() const noexcept { return news_.get(); }
  // Null: nothing new.
  VideoCatalogRef take();
  // Readable when something has changed below the folders: then take_changes() is to be called. -1:
  // the kernel has none to give.
  int changes_descriptor() const noexcept { return changes_.get(); }
  void take_changes() noexcept;

 private:
  using Clock = std::chrono::steady_clock;

  struct Descriptors {
    UniqueFd news;
    UniqueFd changes;
  };

  Librarian(Descriptors descriptors, std::unique_ptr<FileDesk> desk, MediaLibrary::Options options,
            Tools tools);
  void run(const std::stop_token& stop);
  void scan();
  void on_scan_failed(const Error& error, bool is_asked);
  // Under mutex_, the thread's.
  Clock::time_point next_scan() const;
  std::optional<Clock::time_point> next_look_at_restless() const;
  bool is_scan_due();
  void await_order(const std::stop_token& stop);
  bool work();
  std::shared_ptr<const MediaLibrary> recalled(std::shared_ptr<const MediaLibrary> library);
  void show_news(bool at_once);
  // Takes the first scan's outcome out to await_first(), if that waits for it.
  bool hand_first_over(Result<First> outcome);
  // Encodes it; from then on it is the one that is worked on.
  void keep(std::shared_ptr<const MediaLibrary> library);
  void publish(VideoCatalogRef catalog);
  void drop_old();
  std::vector<std::string> take_new(std::vector<std::string> warnings);
  void recall_known();
  void keep_known();

  bool goes_on_waiting(std::string_view what, std::int64_t waited_ms);
  void tell_waiting(std::string_view what, std::int64_t waited_ms);

  const MediaLibrary::Options options_;
  const std::string known_path_;  // "": nothing is kept
  const UniqueFd news_;
  const UniqueFd changes_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  // Under mutex_:
  bool has_started_ = false;
  bool wants_scan_ = false;
  std::optional<Clock::time_point> changed_at_;  // the first change that no scan has seen
  bool is_first_awaited_ = true;
  std::optional<Result<First>> first_;
  std::stop_source asked_stop_;    // a scan or the end is wanted
  std::stop_source changed_stop_;  // or a change was told of
  int restless_scans_ = 0;         // in a row, since the latest change that was told of
  VideoCatalogRef published_;
  Clock::time_point scanned_at_{};
  Clock::duration scan_took_{};
  // The thread's:
  const std::unique_ptr<FileDesk> desk_;
  NotesBook notes_;
  MediaProbe probe_;
  MediaPictures pictures_;
  MediaLibrary::Memory memory_;
  std::set<std::string> told_;  // warnings of the latest scan
  std::shared_ptr<const MediaLibrary> library_;
  std::vector<VideoCatalogRef> shown_;  // the latest last; before it, those that others still hold
  bool has_work_ = false;               // something may be left to learn or to make
  bool has_news_ = false;               // something was learned or made that is not shown
  bool has_learned_news_ = false;       // of that, something that was learned
  bool has_failed_ = false;             // the latest scan did
  bool is_known_kept_ = true;
  std::size_t made_ = 0;
  Clock::time_point shown_at_{};
  Clock::time_point kept_at_{};
  Clock::duration showing_took_{};
  Clock::time_point tell_next_{};
  std::chrono::seconds tell_again_after_;
  bool has_told_ = false;
  std::stop_token stop_;
  std::jthread thread_;  // last: ends before the rest goes
};

}  // namespace videosync
