#include "core/base/log_writer.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace videosync {
namespace {

std::uint64_t count_lines(std::string_view text) noexcept {
  return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

void append_within_capacity(std::string& to, std::string_view text) noexcept {
  to += text.substr(0, to.capacity() - to.size());
}

std::string_view compose(LogLine& notice, std::uint64_t lines) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  notice.begin(now, LogLevel::warn, "log",
               "lines were dropped, because they were not taken in time");
  notice.add({"lines", lines});
  return notice.finish();
}

}  // namespace

LogWriter::LogWriter(int descriptor, LogFormat format) : descriptor_(descriptor), format_(format) {
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

LogWriter::~LogWriter() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  work_came_.notify_one();
  thread_.join();
}

void LogWriter::write(std::string_view lines) noexcept {
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

void LogWriter::write_last(std::string_view line) noexcept {
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

bool LogWriter::flush(std::chrono::milliseconds limit) noexcept {
  std::unique_lock lock(mutex_);
  return work_done_.wait_for(lock, limit, [this] { return !has_work() && !is_writing_; });
}

std::uint64_t LogWriter::dropped() const noexcept {
  const std::lock_guard lock(mutex_);
  return dropped_ + gap_;
}

void LogWriter::run() noexcept {
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
std::uint64_t LogWriter::write_turn(std::uint64_t gap) noexcept {
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

void LogWriter::say_unsaid() noexcept {
  if (unsaid_ == 0) return;
  if (is_mid_line_ && put("\n").empty()) is_mid_line_ = false;
  LogLine notice(format_);
  if (put(compose(notice, unsaid_)).empty()) unsaid_ = 0;
}

// Returns the rest, where the descriptor refuses to take any more.
std::string_view LogWriter::put(std::string_view text) const noexcept {
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

}  // namespace videosync
