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

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "core/base/log_line.h"

namespace videosync {

struct LogSettings {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
  int descriptor = STDERR_FILENO;
};

inline LogSettings log_settings;

// How long the end of the process waits for a stderr that takes nothing.
inline constexpr std::chrono::milliseconds log_end_wait{500};

// Text as it is; whole lines. For what a person is told before the end.
void write_log_text(std::string_view text) noexcept;

// What waits is written, or `log_end_wait` has gone by. Before the process ends.
void flush_log() noexcept;

// Once, in main, with the settings made: it lives until the process has gone.
void start_log_writer();

// Lines that found no room or that stderr refused.
std::uint64_t log_lines_dropped() noexcept;

void write_log(LogLevel level, std::string_view component, std::string_view message,
               std::initializer_list<LogField> fields) noexcept;

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
