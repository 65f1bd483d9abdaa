#include "core/base/log.h"

#include <time.h>

#include <atomic>
#include <cerrno>

#include "core/base/assert.h"
#include "core/base/log_writer.h"

namespace videosync {
namespace {

std::atomic<LogWriter*> log_writer{nullptr};

}  // namespace

void write_log_text(std::string_view text) noexcept {
  const int saved_errno = errno;
  if (LogWriter* const writer = log_writer.load(std::memory_order_acquire)) {
    writer->write(text);
  } else {
    while (::write(log_settings.descriptor, text.data(), text.size()) < 0 && errno == EINTR) {
    }
  }
  errno = saved_errno;
}

void flush_log() noexcept {
  if (LogWriter* const writer = log_writer.load(std::memory_order_acquire)) {
    writer->flush(log_end_wait);
  }
}

void start_log_writer() {
  VS_ASSERT(log_writer.load() == nullptr);
  log_writer = new LogWriter(log_settings.descriptor, log_settings.format);
  say_last_words = [](std::string_view text) noexcept {
    LogWriter& writer = *log_writer.load();
    writer.write_last(text);
    writer.flush(log_end_wait);
  };
}

std::uint64_t log_lines_dropped() noexcept {
  const LogWriter* const writer = log_writer.load(std::memory_order_acquire);
  return writer == nullptr ? 0 : writer->dropped();
}

void write_log(LogLevel level, std::string_view component, std::string_view message,
               std::initializer_list<LogField> fields) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  LogLine line(log_settings.format);
  line.begin(now, level, component, message);
  for (const LogField& item : fields)
    line.add(item);
  write_log_text(line.finish());
}

}  // namespace videosync
