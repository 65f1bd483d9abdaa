// LogWriter: takes finished lines from any thread and writes them on a thread of its own, so that
// nobody who logs waits for a pipe that is not read, a stopped terminal or a disk that hangs.
//
// Lines leave in the order in which they came. When `queued_bytes_max` wait, lines are dropped and
// counted until the thread has taken those that wait, and a line in their place says how many they
// were. So are lines that the descriptor refuses, as a full disk does. Its flags are left alone,
// because others share them; if somebody made it non-blocking, the thread waits for room. Handing
// over allocates nothing and holds a lock for as long as a line takes to copy. No assertions in
// here: they end in write_last().
#pragma once

#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "core/base/log_line.h"

namespace videosync {

class LogWriter {
 public:
  static constexpr std::size_t queued_bytes_max = 256 * 1024;

  LogWriter(int descriptor, LogFormat format) : descriptor_(descriptor), format_(format) {
    waiting_.reserve(queued_bytes_max + reserve_bytes);
    leaving_.reserve(queued_bytes_max + reserve_bytes);
    // Signals are for the threads that expect them; SIGPIPE becomes EPIPE.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  // Once all is written, however long that takes.
  ~LogWriter() {
    {
      const std::lock_guard lock(mutex_);
      is_stopping_ = true;
    }
    work_came_.notify_one();
    thread_.join();
  }
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // `lines`: whole ones, as a rule a single one.
  void write(std::string_view lines) noexcept {
    {
      const std::lock_guard lock(mutex_);
      const bool has_room = gap_ == 0 && waiting_.size() + lines.size() <= queued_bytes_max;
      if (has_room) {
        waiting_ += lines;
      } else {
        gap_ += count_lines(lines);
      }
    }
    work_came_.notify_one();
  }

  // What is said before the process ends always has a place, behind all that came before it.
  void write_last(std::string_view line) noexcept {
    {
      const std::lock_guard lock(mutex_);
      if (const std::uint64_t gap = std::exchange(gap_, 0)) {
        dropped_ += gap;
        LogLine notice(format_);
        append_within_capacity(waiting_, compose(notice, gap));
      }
      append_within_capacity(waiting_, line);
    }
    work_came_.notify_one();
  }

  // Waits until all that came is written, at most so long. Whether it was.
  bool flush(std::chrono::milliseconds limit) noexcept {
    std::unique_lock lock(mutex_);
    return work_done_.wait_for(lock, limit, [this] { return !has_work() && !is_writing_; });
  }

  // Lines, so far.
  std::uint64_t dropped() const noexcept {
    const std::lock_guard lock(mutex_);
    return dropped_ + gap_;
  }

 private:
  // For a notice and last words.
  static constexpr std::size_t reserve_bytes = 4 * log_line_bytes_max;

  static std::uint64_t count_lines(std::string_view text) noexcept {
    return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
  }
  static void append_within_capacity(std::string& to, std::string_view text) noexcept {
    to += text.substr(0, to.capacity() - to.size());
  }
  static std::string_view compose(LogLine& notice, std::uint64_t lines) noexcept {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    notice.begin(now, LogLevel::warn, "log",
                 "lines were dropped, because they were not taken in time");
    notice.add({"lines", lines});
    return notice.finish();
  }

  bool has_work() const noexcept { return !waiting_.empty() || gap_ > 0; }

  void run() noexcept {
    std::unique_lock lock(mutex_);
    for (;;) {
      work_came_.wait(lock, [this] { return has_work() || is_stopping_; });
      if (!has_work()) return;
      leaving_.swap(waiting_);
      const std::uint64_t gap = std::exchange(gap_, 0);
      dropped_ += gap;
      is_writing_ = true;
      lock.unlock();
      const std::uint64_t refused = write_turn(gap);
      lock.lock();
      dropped_ += refused;
      is_writing_ = false;
      if (!has_work()) work_done_.notify_all();
    }
  }

  // Writes what leaves and, behind it, the notice of a gap. Returns how many lines were refused.
  std::uint64_t write_turn(std::uint64_t gap) noexcept {
    say_unsaid();
    const std::string_view rest = put(leaving_);
    const std::uint64_t refused = count_lines(rest);
    const bool has_begun = refused > 0 && rest.size() < leaving_.size();
    if (has_begun) is_mid_line_ = rest.data()[-1] != '\n';
    leaving_.clear();
    unsaid_ += gap + refused;
    if (refused == 0) say_unsaid();
    return refused;
  }

  void say_unsaid() noexcept {
    if (unsaid_ == 0) return;
    if (is_mid_line_ && put("\n").empty()) is_mid_line_ = false;
    LogLine notice(format_);
    if (put(compose(notice, unsaid_)).empty()) unsaid_ = 0;
  }

  // Returns the rest, where the descriptor refuses to take any more.
  std::string_view put(std::string_view text) const noexcept {
    while (!text.empty()) {
      const ssize_t written = ::write(descriptor_, text.data(), text.size());
      if (written > 0) {
        text.remove_prefix(static_cast<std::size_t>(written));
      } else if (written < 0 && errno == EAGAIN) {
        pollfd room{descriptor_, POLLOUT, 0};
        ::poll(&room, 1, -1);
      } else if (written == 0 || errno != EINTR) {
        break;
      }
    }
    return text;
  }

  const int descriptor_;
  const LogFormat format_;
  mutable std::mutex mutex_;
  std::condition_variable work_came_;
  std::condition_variable work_done_;
  std::string waiting_;        // never beyond its capacity
  std::uint64_t gap_ = 0;      // lines dropped behind `waiting_`, which then takes none
  std::uint64_t dropped_ = 0;  // the gaps before this one, and what was refused
  bool is_writing_ = false;
  bool is_stopping_ = false;
  // The thread's own.
  std::string leaving_;
  std::uint64_t unsaid_ = 0;  // dropped lines of which no notice has been written
  bool is_mid_line_ = false;  // the descriptor refused the second half of a line
  std::thread thread_;        // last: it begins when all else is there
};

}  // namespace videosync
