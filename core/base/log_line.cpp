#include "core/base/log_line.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/json_text.h"
#include "core/base/text.h"
#include "core/base/utf8.h"

namespace videosync {

void LogLine::begin(const timespec& time, LogLevel level, std::string_view component,
                    std::string_view message) noexcept {
  std::array<char, 32> stamp{};
  tm utc{};
  gmtime_r(&time.tv_sec, &utc);
  const auto stamp_end = fmt::format_to_n(
      stamp.data(), stamp.size(), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", utc.tm_year + 1900,
      utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, time.tv_nsec / 1'000);
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

void LogLine::add(const LogField& item) noexcept {
  if (truncated_) return;
  close(json_ ? ",\"" : " ");
  escaped(item.key);
  close(json_ ? "\":" : "=");
  std::visit([this](const auto& value) { write_value(value); }, item.value);
}

std::string_view LogLine::finish() noexcept {
  if (truncated_) close(json_ ? ",\"truncated\":true" : " ...");
  close(json_ ? "}\n" : "\n");
  return {bytes_.data(), size_};
}

void LogLine::write_value(std::string_view text) noexcept {
  const bool quoted = json_ || text.empty() || text.find_first_of(" =\"\\") != text.npos;
  if (quoted) close("\"");
  escaped(text);
  if (quoted) close("\"");
}

void LogLine::write_value(bool value) noexcept {
  number(value ? "true" : "false");
}

void LogLine::write_value(std::int64_t value) noexcept {
  const fmt::format_int digits(value);
  number({digits.data(), digits.size()});
}

void LogLine::write_value(std::uint64_t value) noexcept {
  const fmt::format_int digits(value);
  number({digits.data(), digits.size()});
}

void LogLine::write_value(double value) noexcept {
  const bool finite = value - value == 0;
  if (finite) {
    std::array<char, 32> digits;
    const auto end = fmt::format_to_n(digits.data(), digits.size(), "{:.6g}", value);
    number({digits.data(), end.size});
  } else {
    close(json_ ? "null" : "nan");
  }
}

// A number cut short would be another number: JSON says null instead.
void LogLine::number(std::string_view digits) noexcept {
  if (!plain(digits) && json_) close("null");
}

void LogLine::escaped(std::string_view text) noexcept {
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
bool LogLine::plain(std::string_view text) noexcept {
  if (truncated_ || size_ + text.size() > bytes_.size() - reserve_bytes) {
    truncated_ = true;
    return false;
  }
  close(text);
  return true;
}

// Punctuation and the line's own words: short, and may use the reserve.
void LogLine::close(std::string_view text) noexcept {
  const std::size_t fits = std::min(text.size(), bytes_.size() - size_);
  text.copy(bytes_.data() + size_, fits);
  size_ += fits;
}

}  // namespace videosync
