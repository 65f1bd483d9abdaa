#include "proto/http/http_conditions.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "core/base/assert.h"
#include "core/base/text.h"

namespace videosync {
namespace {

constexpr std::array<std::string_view, 7> days = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                  "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t year_0_s = -62'167'219'200;
constexpr std::int64_t year_9999_end_s = 253'402'300'799;

// Reads a date from the left; every step is false, once and for all, where the text differs.
class DateReader {
 public:
  explicit DateReader(std::string_view text) noexcept : text_(text) {}

  bool literal(std::string_view expected) noexcept {
    if (!text_.starts_with(expected)) return false;
    text_.remove_prefix(expected.size());
    return true;
  }

  bool number(std::size_t digits, int& value) noexcept {
    if (text_.size() < digits) return false;
    value = 0;
    for (const char c : text_.substr(0, digits)) {
      if (!is_digit(c)) return false;
      value = value * 10 + (c - '0');
    }
    text_.remove_prefix(digits);
    return true;
  }

  // asctime pads the day with a blank.
  bool padded_day(int& value) noexcept {
    return literal(" ") ? number(1, value) : number(2, value);
  }

  bool month(int& value) noexcept {
    const auto* const found = std::find(months.begin(), months.end(), text_.substr(0, 3));
    if (found == months.end()) return false;
    value = static_cast<int>(found - months.begin()) + 1;
    text_.remove_prefix(3);
    return true;
  }

  bool weekday(bool in_full) noexcept {
    return std::any_of(days.begin(), days.end(), [&](std::string_view day) {
      return literal(in_full ? day : day.substr(0, 3));
    });
  }

  bool at_end() const noexcept { return text_.empty(); }

 private:
  std::string_view text_;
};

struct DateParts {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

bool read_time(DateReader& reader, DateParts& date) noexcept {
  return reader.number(2, date.hour) && reader.literal(":") && reader.number(2, date.minute) &&
         reader.literal(":") && reader.number(2, date.second);
}

// Sun, 06 Nov 1994 08:49:37 GMT
bool read_imf(DateReader reader, DateParts& date) noexcept {
  return reader.weekday(false) && reader.literal(", ") && reader.number(2, date.day) &&
         reader.literal(" ") && reader.month(date.month) && reader.literal(" ") &&
         reader.number(4, date.year) && reader.literal(" ") && read_time(reader, date) &&
         reader.literal(" GMT") && reader.at_end();
}

// Sunday, 06-Nov-94 08:49:37 GMT
bool read_rfc850(DateReader reader, DateParts& date) noexcept {
  return reader.weekday(true) && reader.literal(", ") && reader.number(2, date.day) &&
         reader.literal("-") && reader.month(date.month) && reader.literal("-") &&
         reader.number(2, date.year) && reader.literal(" ") && read_time(reader, date) &&
         reader.literal(" GMT") && reader.at_end();
}

// Sun Nov  6 08:49:37 1994
bool read_asctime(DateReader reader, DateParts& date) noexcept {
  return reader.weekday(false) && reader.literal(" ") && reader.month(date.month) &&
         reader.literal(" ") && reader.padded_day(date.day) && reader.literal(" ") &&
         read_time(reader, date) && reader.literal(" ") && reader.number(4, date.year) &&
         reader.at_end();
}

std::chrono::year_month_day calendar_of(std::int64_t unix_s) noexcept {
  const auto time = std::chrono::sys_seconds(std::chrono::seconds(unix_s));
  return std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(time));
}

// A year that would lie more than 50 years ahead is the last past one with these digits.
int complete_year(int two_digits, std::int64_t now_s) noexcept {
  const int this_year = static_cast<int>(calendar_of(now_s).year());
  const int year = this_year - this_year % 100 + two_digits;
  return year > this_year + 50 ? year - 100 : year;
}

std::optional<std::int64_t> to_unix(const DateParts& date) noexcept {
  const std::chrono::year_month_day day{std::chrono::year(date.year),
                                        std::chrono::month(static_cast<unsigned>(date.month)),
                                        std::chrono::day(static_cast<unsigned>(date.day))};
  // 60 is a leap second.
  if (!day.ok() || date.hour > 23 || date.minute > 59 || date.second > 60) return std::nullopt;
  const std::int64_t in_day_s = std::int64_t{date.hour} * 3600 + date.minute * 60L + date.second;
  return std::chrono::sys_days(day).time_since_epoch().count() * day_s + in_day_s;
}

// One of a list's entity tags.
struct EntityTag {
  bool is_weak = false;
  std::string_view opaque;  // quotes included
};

// Cuts the next tag off; tags may hold commas. None at the end, or where no tag stands.
std::optional<EntityTag> take_tag(std::string_view& list) noexcept {
  list.remove_prefix(std::min(list.find_first_not_of(" \t,"), list.size()));
  EntityTag tag{.is_weak = list.starts_with("W/"), .opaque = {}};
  if (tag.is_weak) list.remove_prefix(2);
  if (!list.starts_with('"')) return std::nullopt;
  const std::size_t end = list.find('"', 1);
  if (end == std::string_view::npos) return std::nullopt;
  tag.opaque = list.substr(0, end + 1);
  list.remove_prefix(end + 1);
  return tag;
}

enum class Comparison : std::uint8_t { strong, weak };

// Whether one of the tags in all fields of that name, or "*", matches.
bool matches_any(const HttpRequest& request, std::string_view name, std::string_view etag,
                 Comparison comparison) noexcept {
  for (const HttpField& field : request.fields) {
    if (!equals_ignoring_case(field.name, name)) continue;
    if (field.value == "*") return true;
    std::string_view list = field.value;
    while (const auto tag = take_tag(list)) {
      if (tag->opaque == etag && (comparison == Comparison::weak || !tag->is_weak)) return true;
    }
  }
  return false;
}

// The date of a field that stands there once and is well-formed; otherwise it is as if absent.
std::optional<std::int64_t> date_of(const HttpRequest& request, std::string_view name,
                                    std::int64_t now_s) noexcept {
  if (request.count(name) != 1) return std::nullopt;
  return parse_http_date(request.header(name), now_s);
}

bool if_range_agrees(const HttpRequest& request, const Validators& current,
                     std::int64_t now_s) noexcept {
  const std::size_t count = request.count("if-range");
  if (count == 0) return true;
  if (count > 1) return false;
  const std::string_view value = request.header("if-range");
  if (value.starts_with('"')) return value == current.etag;
  // A date is a strong validator only once its second has passed (RFC 9110, 8.8.2.2).
  return parse_http_date(value, now_s) == current.last_modified_s &&
         current.last_modified_s < now_s;
}

Condition evaluate(const HttpRequest& request, const Validators& current,
                   std::int64_t now_s) noexcept {
  const bool is_read = request.method == HttpMethod::get || request.method == HttpMethod::head;
  if (request.has_header("if-match")) {
    if (!matches_any(request, "if-match", current.etag, Comparison::strong)) {
      return Condition::precondition_failed;
    }
  } else if (const auto date = date_of(request, "if-unmodified-since", now_s)) {
    if (current.last_modified_s > *date) return Condition::precondition_failed;
  }
  if (request.has_header("if-none-match")) {
    if (matches_any(request, "if-none-match", current.etag, Comparison::weak)) {
      return is_read ? Condition::not_modified : Condition::precondition_failed;
    }
  } else if (is_read) {
    const auto date = date_of(request, "if-modified-since", now_s);
    if (date && current.last_modified_s <= *date) return Condition::not_modified;
  }
  return Condition::serve;
}

}  // namespace

std::string format_http_date(std::int64_t unix_s) {
  unix_s = std::clamp(unix_s, year_0_s, year_9999_end_s);
  const auto date = calendar_of(unix_s);
  const auto weekday = std::chrono::weekday(std::chrono::sys_days(date)).c_encoding();
  const std::int64_t in_day_s = unix_s - year_0_s - (unix_s - year_0_s) / day_s * day_s;
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", days[weekday].substr(0, 3),
                     static_cast<unsigned>(date.day()),
                     months[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                     in_day_s / 3600, in_day_s / 60 % 60, in_day_s % 60);
}

std::optional<std::int64_t> parse_http_date(std::string_view text, std::int64_t now_s) noexcept {
  DateParts date;
  const DateReader reader(text);
  if (read_imf(reader, date) || read_asctime(reader, date)) return to_unix(date);
  if (!read_rfc850(reader, date)) return std::nullopt;
  date.year = complete_year(date.year, now_s);
  return to_unix(date);
}

ConditionOutcome evaluate_conditions(const HttpRequest& request, const Validators& current,
                                     std::int64_t now_s) noexcept {
  VS_ASSERT(current.etag.starts_with('"'));
  const Condition condition = evaluate(request, current, now_s);
  const bool range_applies = condition == Condition::serve && request.method == HttpMethod::get &&
                             request.count("range") == 1 &&
                             if_range_agrees(request, current, now_s);
  return {condition, range_applies};
}

}  // namespace videosync
