// LogLine: how a line of the log is composed, as text for people or JSON for collectors.
//
// A value on the caller's stack; nothing allocates, throws or fails. What a peer sent may be put in
// as it is: control characters and broken UTF-8 are escaped.
#pragma once

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include "core/base/json_text.h"
#include "core/base/text.h"
#include "core/base/utf8.h"

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
             std::string_view message) noexcept {
    std::array<char, 32> stamp{};
    tm utc{};
    gmtime_r(&time.tv_sec, &utc);
    const auto stamp_end =
        fmt::format_to_n(stamp.data(), stamp.size(), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
                         utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                         utc.tm_sec, time.tv_nsec / 1'000);
    const std::string_view when(stamp.data(), stamp_end.size);
    if (json_) {
      close("{\"time\":\"");
      close(when);
      close("\",\"level\":\"");
      close(log_level_name(level));
      close("\"");
      add({"component", component});
      add({"message", message});
    } else {
      close(when);
      close(" ");
      close(log_level_name(level));
      close(" ");
      escaped(component);
      close(": ");
      escaped(message);
    }
  }

  void add(const LogField& item) noexcept {
    if (truncated_) return;
    close(json_ ? ",\"" : " ");
    escaped(item.key);
    close(json_ ? "\":" : "=");
    std::visit([this](const auto& value) { write_value(value); }, item.value);
  }

  // The finished line with its newline; valid while this object lives.
  std::string_view finish() noexcept {
    if (truncated_) close(json_ ? ",\"truncated\":true" : " ...");
    close(json_ ? "}\n" : "\n");
    return {bytes_.data(), size_};
  }

 private:
  static constexpr std::size_t reserve_bytes = 64;

  void write_value(std::string_view text) noexcept {
    const bool quoted = json_ || text.empty() || text.find_first_of(" =\"\\") != text.npos;
    if (quoted) close("\"");
    escaped(text);
    if (quoted) close("\"");
  }
  void write_value(bool value) noexcept { number("{}", value); }
  void write_value(std::int64_t value) noexcept { number("{}", value); }
  void write_value(std::uint64_t value) noexcept { number("{}", value); }
  void write_value(double value) noexcept {
    const bool finite = value - value == 0;
    if (finite) {
      number("{:.6g}", value);
    } else {
      close(json_ ? "null" : "nan");
    }
  }

  template <class T>
  void number(fmt::format_string<const T&> pattern, const T& value) noexcept {
    std::array<char, 32> digits;
    const auto end = fmt::format_to_n(digits.data(), digits.size(), pattern, value);
    // A number cut short would be another number: JSON says null instead.
    if (!plain({digits.data(), end.size}) && json_) close("null");
  }

  void escaped(std::string_view text) noexcept {
    while (!text.empty() && !truncated_) {
      const std::size_t length = utf8_sequence_length(text);
      const std::string_view unit = text.substr(0, length == 0 ? 1 : length);
      const auto byte = static_cast<unsigned char>(unit.front());
      const bool c1_control =
          length == 2 && byte == 0xc2 && static_cast<unsigned char>(unit[1]) < 0xa0;
      if (length == 0 && !json_) {
        const std::array<char, 4> bad{'\\', 'x', hex_digits[byte >> 4], hex_digits[byte & 0x0f]};
        plain({bad.data(), bad.size()});
      } else if (length == 0 || c1_control || byte == 0x7f || must_escape_in_json(unit.front())) {
        plain(JsonEscape(unit.back()).view());
      } else {
        plain(unit);
      }
      text.remove_prefix(unit.size());
    }
  }

  // All of `text`, or nothing and the line is marked as truncated.
  bool plain(std::string_view text) noexcept {
    if (truncated_ || size_ + text.size() > bytes_.size() - reserve_bytes) {
      truncated_ = true;
      return false;
    }
    close(text);
    return true;
  }

  // Punctuation and the line's own words: short, and may use the reserve.
  void close(std::string_view text) noexcept {
    const std::size_t fits = std::min(text.size(), bytes_.size() - size_);
    text.copy(bytes_.data() + size_, fits);
    size_ += fits;
  }

  const bool json_;
  bool truncated_ = false;
  std::size_t size_ = 0;
  std::array<char, log_line_bytes_max> bytes_;
};

}  // namespace videosync
