// LogLine: how a line of the log is composed, as text for people or JSON for collectors.
//
// A value on the caller's stack; nothing allocates, throws or fails. What a peer sent may be put in
// as it is: control characters and broken UTF-8 are escaped.
#pragma once

#include <time.h>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

namespace videosync {

enum class LogLevel : std::uint8_t { debug, info, warn, error };
enum class LogFormat : std::uint8_t { text, json };

inline constexpr std::size_t log_line_bytes_max = 2048;

// A key and its value; refers to the caller's text until the line is written.
struct LogField {
  std::string_view key;
  std::variant<std::string_view, bool, std::int64_t, std::uint64_t, double> value;
};

template <class T>
LogField field(std::string_view key, const T& value) noexcept {
  if constexpr (std::same_as<T, bool>) {
    return {key, value};
  } else if constexpr (std::floating_point<T>) {
    return {key, static_cast<double>(value)};
  } else if constexpr (std::signed_integral<T>) {
    return {key, static_cast<std::int64_t>(value)};
  } else if constexpr (std::unsigned_integral<T>) {
    return {key, static_cast<std::uint64_t>(value)};
  } else {
    return {key, std::string_view(value)};
  }
}

inline std::string_view log_level_name(LogLevel level) noexcept {
  static constexpr std::array<std::string_view, 4> names{"debug", "info", "warn", "error"};
  return names[static_cast<std::size_t>(level)];
}

// One line in the making. What does not fit is left out and said so; the line stays well-formed,
// because what closes it goes into a reserve that values cannot use.
class LogLine {
 public:
  explicit LogLine(LogFormat format) noexcept : json_(format == LogFormat::json) {}

  void begin(const timespec& time, LogLevel level, std::string_view component,
             std::string_view message) noexcept;
  void add(const LogField& item) noexcept;
  // The finished line with its newline; valid while this object lives.
  std::string_view finish() noexcept;

 private:
  static constexpr std::size_t reserve_bytes = 64;

  void write_value(std::string_view text) noexcept;
  void write_value(bool value) noexcept;
  void write_value(std::int64_t value) noexcept;
  void write_value(std::uint64_t value) noexcept;
  void write_value(double value) noexcept;
  void number(std::string_view digits) noexcept;
  void escaped(std::string_view text) noexcept;
  bool plain(std::string_view text) noexcept;
  void close(std::string_view text) noexcept;

  const bool json_;
  bool truncated_ = false;
  std::size_t size_ = 0;
  std::array<char, log_line_bytes_max> bytes_;
};

}  // namespace videosync
