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

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "core/base/log_line.h"

namespace videosync {

class LogWriter {
 public:
  static constexpr std::size_t queued_bytes_max = 256 * 1024;

  LogWriter(int descriptor, LogFormat format);
  // Once all is written, however long that takes.
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // `lines`: whole ones, as a rule a single one.
  void write(std::string_view lines) noexcept;
  // What is said before the process ends always has a place, behind all that came before it.
  void write_last(std::string_view line) noexcept;
  // Waits until all that came is written, at most so long. Whether it was.
  bool flush(std::chrono::milliseconds limit) noexcept;
  // Lines, so far.
  std::uint64_t dropped() const noexcept;

 private:
  // For a notice and last words.
  static constexpr std::size_t reserve_bytes = 4 * log_line_bytes_max;

  bool has_work() const noexcept { return !waiting_.empty() || gap_ > 0; }
  void run() noexcept;
  std::uint64_t write_turn(std::uint64_t gap) noexcept;
  void say_unsaid() noexcept;
  std::string_view put(std::string_view text) const noexcept;

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
