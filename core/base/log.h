// Log: one line an event on stderr, as text for people or JSON for collectors.
//
// Usage: log_info("listener", "accepting", field("address", text), field("port", 8080)).
// Level and format are set once, in main, before threads start. Any thread may log: each line is
// built on the caller's stack, at most `log_line_bytes_max` long, and from start_log_writer() on it
// leaves by the LogWriter's thread, so that whoever logs never waits for who reads. Before that,
// and where nobody starts it, it leaves in one write(2). Lines never mix. Nothing allocates, throws
// or fails; a line that stderr does not take is lost. The process ends by flush_log() or an
// assertion, which see to what waits.
#pragma once

#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "core/base/assert.h"
#include "core/base/log_line.h"
#include "core/base/log_writer.h"

namespace videosync {

struct LogSettings {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
  int descriptor = STDERR_FILENO;
};

inline LogSettings log_settings;

inline std::atomic<LogWriter*> log_writer{nullptr};

// How long the end of the process waits for a stderr that takes nothing.
inline constexpr std::chrono::milliseconds log_end_wait{500};

// Text as it is; whole lines. For what a person is told before the end.
inline void write_log_text(std::string_view text) noexcept {
  const int saved_errno = errno;
  if (LogWriter* const writer = log_writer.load(std::memory_order_acquire)) {
    writer->write(text);
  } else {
    while (::write(log_settings.descriptor, text.data(), text.size()) < 0 && errno == EINTR) {
    }
  }
  errno = saved_errno;
}

// What waits is written, or `log_end_wait` has gone by. Before the process ends.
inline void flush_log() noexcept {
  if (LogWriter* const writer = log_writer.load(std::memory_order_acquire)) {
    writer->flush(log_end_wait);
  }
}

// Once, in main, with the settings made: it lives until the process has gone.
inline void start_log_writer() {
  VS_ASSERT(log_writer.load() == nullptr);
  log_writer = new LogWriter(log_settings.descriptor, log_settings.format);
  say_last_words = [](std::string_view text) noexcept {
    LogWriter& writer = *log_writer.load();
    writer.write_last(text);
    writer.flush(log_end_wait);
  };
}

// Lines that found no room or that stderr refused.
inline std::uint64_t log_lines_dropped() noexcept {
  const LogWriter* const writer = log_writer.load(std::memory_order_acquire);
  return writer == nullptr ? 0 : writer->dropped();
}

inline void write_log(LogLevel level, std::string_view component, std::string_view message,
                      std::initializer_list<LogField> fields) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  LogLine line(log_settings.format);
  line.begin(now, level, component, message);
  for (const LogField& item : fields)
    line.add(item);
  write_log_text(line.finish());
}

inline bool log_enabled(LogLevel level) noexcept {
  return level >= log_settings.level;
}

template <class... Fields>
void log_debug(std::string_view component, std::string_view message, Fields... fields) noexcept {
  if (log_enabled(LogLevel::debug)) write_log(LogLevel::debug, component, message, {fields...});
}
template <class... Fields>
void log_info(std::string_view component, std::string_view message, Fields... fields) noexcept {
  if (log_enabled(LogLevel::info)) write_log(LogLevel::info, component, message, {fields...});
}
template <class... Fields>
void log_warn(std::string_view component, std::string_view message, Fields... fields) noexcept {
  if (log_enabled(LogLevel::warn)) write_log(LogLevel::warn, component, message, {fields...});
}
template <class... Fields>
void log_error(std::string_view component, std::string_view message, Fields... fields) noexcept {
  if (log_enabled(LogLevel::error)) write_log(LogLevel::error, component, message, {fields...});
}

}  // namespace videosync
