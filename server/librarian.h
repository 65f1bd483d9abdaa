// Librarian: keeps the media library up to date on a thread of its own, so that no worker waits for
// a disk, for ffprobe or for ffmpeg.
//
// It begins to scan at once. Each outcome (first the scan with what is known already, then the same
// with durations, then with pictures as they get made) is encoded here and left in a place that
// take() empties, and told through the eventfd news_descriptor(); what would show the same as
// before is no news. Old snapshots are given up here too. What the storage makes it wait for goes
// to the log, and so does, once, what a scan left out. rescan and take are any thread's.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string_view>
#include <thread>
#include <vector>

#include "core/base/error.h"
#include "core/base/unique_fd.h"
#include "server/http/video_catalog.h"
#include "storage/media/file_desk.h"
#include "storage/media/film_ids.h"
#include "storage/media/media_library.h"
#include "storage/media/media_pictures.h"
#include "storage/media/media_probe.h"

namespace videosync {

class Librarian {
 public:
  // cache_directory: for pictures, "": none. `helpers` outlive it.
  // Errors: io, where no eventfd or no thread is to be had.
  static Result<std::unique_ptr<Librarian>> create(MediaLibrary::Options options,
                                                   std::string cache_directory,
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
  // Scans again; instead of a scan that the storage has hung for a while.
  void rescan();
  int news_descriptor() const noexcept { return news_.get(); }
  // Null: nothing new.
  VideoCatalogRef take();

 private:
  using Clock = std::chrono::steady_clock;

  Librarian(UniqueFd news, std::unique_ptr<FileDesk> desk, MediaLibrary::Options options,
            std::string cache_directory);
  void run(const std::stop_token& stop);
  bool scan();
  bool await_order(const std::stop_token& stop);
  void work(const std::stop_token& stop);
  void learn_durations(const std::stop_token& interrupted);
  void make_pictures(const std::stop_token& interrupted);
  // Takes the first scan's outcome out to await_first(), if that waits for it.
  bool hand_first_over(Result<First> outcome);
  // Encodes it; from then on it is the one that is worked on.
  void keep(std::shared_ptr<const MediaLibrary> library);
  void show(std::shared_ptr<const MediaLibrary> library);
  void publish(VideoCatalogRef catalog);
  void drop_old();
  std::vector<std::string> take_new(std::vector<std::string> warnings);

  bool goes_on_waiting(std::string_view what, std::int64_t waited_ms);
  void tell_waiting(std::string_view what, std::int64_t waited_ms);

  const MediaLibrary::Options options_;
  const UniqueFd news_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  // Under mutex_:
  bool has_started_ = false;
  bool wants_scan_ = false;
  bool is_first_awaited_ = true;
  std::optional<Result<First>> first_;
  std::stop_source work_stop_;  // a scan or the end is wanted
  VideoCatalogRef published_;
  // The thread's:
  const std::unique_ptr<FileDesk> desk_;
  MediaProbe probe_;
  MediaPictures pictures_;
  FilmIds ids_;
  std::set<std::string> told_;  // warnings of the latest scan
  std::shared_ptr<const MediaLibrary> library_;
  std::vector<VideoCatalogRef> shown_;  // the latest last; before it, those that others still hold
  Clock::time_point tell_next_{};
  std::chrono::seconds tell_again_after_;
  bool has_told_ = false;
  std::stop_token stop_;
  std::jthread thread_;  // last: ends before the rest goes
};

}  // namespace videosync
