// MediaOpens: a worker's requests for media files that are not open yet.
//
// A file helper opens them, so the worker goes on however long the storage takes. Who asks for a
// file that is being opened waits with those before it. A request waits `wait_us` at most; after
// that, and where too many files are being opened, the answer is 503. A file that is late is not
// given up by the helper, so who asks for it is refused until the storage answers. Belongs to its
// worker's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/slot_pool.h"
#include "core/reactor/fd_watcher.h"
#include "storage/files/file_desk.h"
#include "storage/library/media_library.h"

namespace videosync {

class Connection;
class Worker;

class MediaOpens {
 public:
  static constexpr std::int64_t wait_us = 5'000'000;

  MediaOpens(Worker& worker, std::unique_ptr<FileDesk> desk);
  ~MediaOpens();
  MediaOpens(const MediaOpens&) = delete;
  MediaOpens& operator=(const MediaOpens&) = delete;

  // Answers the request at hand, now or later. REQUIRES a place whose file is still to be opened.
  void open(Connection& connection, MediaLibrary::Place place);

  // On the worker's thread: begins to hear of opened files; from stop() on nobody is answered, and
  // the object may go once it is idle.
  void start() noexcept { watcher_.watch(POLLIN); }
  void stop() noexcept { watcher_.stop(); }
  bool is_idle() const noexcept { return watcher_.is_idle(); }
  void on_second() noexcept;

 private:
  // One file that is being opened.
  struct Pending {
    std::uint64_t number = 0;
    MediaLibrary::Place place;
    std::vector<SlotHandle> askers;
    std::int64_t asked_us = 0;
    bool is_late = false;
  };

  void on_opened() noexcept;
  void answer(const Pending& pending, const Result<MediaFileRef>& opened);
  void begin_late(Pending& pending);
  void end_late();

  Worker& worker_;
  const std::unique_ptr<FileDesk> desk_;
  FdWatcher watcher_;
  std::vector<Pending> pending_;  // at most FileHelpers::serving_requests_max
};

}  // namespace videosync
