// How values stand in JSON text, for fmt: `fmt::format("{}", Quoted{name})`.
//
// Each wrapper is a view for the length of one call of fmt. Texts must be valid UTF-8.
#pragma once

#include <fmt/compile.h>
#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/assert.h"
#include "core/base/json_text.h"
#include "core/base/text.h"
#include "proto/session/session_values.h"

namespace videosync {

// A string with its quotes.
struct Quoted {
  std::string_view text;
};
// A film, as two fields: of the library by its id, of the web by its address.
struct FilmFields {
  std::string_view video;
};
struct Number {
  double value;  // null where it is not finite, as JSON.stringify does
};
// Milliseconds, with up to three decimals.
struct Milliseconds {
  std::int64_t us;
};
struct Id {
  MemberId id;  // none: null
};
// 32 digits, without quotes.
struct HexToken {
  const Token& token;
};

inline std::string_view wire_name(Control control) noexcept {
  return control == Control::host ? "host" : "everyone";
}

inline std::string_view wire_name(QueueRight right) noexcept {
  return right == QueueRight::host ? "host" : "everyone";
}

inline std::string_view wire_name(Door door) noexcept {
  static constexpr std::string_view names[] = {"open", "knock", "locked"};
  return names[static_cast<std::size_t>(door)];
}

// Of a known form.
inline std::string_view wire_name(Form form) noexcept {
  static constexpr std::string_view names[] = {"", "file", "copy", "transcode", "stream"};
  VS_ASSERT(form != Form::unknown && form <= Form::stream);
  return names[static_cast<std::size_t>(form)];
}

inline std::string_view wire_name(OnStall on_stall) noexcept {
  return on_stall == OnStall::wait ? "wait" : "continue";
}

// By way of a buffer on the stack: behind a std::back_inserter fmt 9 grows the string one byte at a
// time (7,060 instructions a state instead of 5,250).
template <class... Values>
void append_json(std::string& out, fmt::format_string<Values...> format, Values&&... values) {
  fmt::memory_buffer buffer;
  fmt::format_to(fmt::appender(buffer), format, std::forward<Values>(values)...);
  out.append(buffer.data(), buffer.size());
}

inline void append_ids(std::string& out, const std::vector<MemberId>& ids) {
  out += '[';
  for (const MemberId& id : ids)
    append_json(out, R"({}"m{}")", &id == ids.data() ? "" : ",", id.value);
  out += ']';
}

// What a report and a list of viewers say of a player, where it is said.
inline void append_playing(std::string& out, Form form, bool cannot_play) {
  if (form != Form::unknown) append_json(out, R"(,"form":"{}")", wire_name(form));
  if (cannot_play) out += R"(,"cannotPlay":true)";
}

// A list that may be long comes in messages that any client takes: so much of the list in each.
inline constexpr std::size_t list_message_bytes_max = 16 * 1024 - 256;

struct JsonFormatter {
  constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }
};

}  // namespace videosync

template <>
struct fmt::formatter<videosync::Quoted> : videosync::JsonFormatter {
  template <class Context>
  auto format(videosync::Quoted quoted, Context& context) const {
    auto out = context.out();
    *out++ = '"';
    out = videosync::write_json_text(out, quoted.text);
    *out++ = '"';
    return out;
  }
};

template <>
struct fmt::formatter<videosync::FilmFields> : videosync::JsonFormatter {
  template <class Context>
  auto format(videosync::FilmFields film, Context& context) const {
    const bool is_url = videosync::is_film_url(film.video);
    const std::string_view name = is_url ? R"("video":null,"url":)" : R"("video":)";
    auto out = std::copy(name.begin(), name.end(), context.out());
    *out++ = '"';
    out = videosync::write_json_text(out, film.video);
    *out++ = '"';
    return out;
  }
};

// The shortest digits that read back as the same value; where fmt chooses an exponent it writes it
// as "1e+300", which is JSON.
template <>
struct fmt::formatter<videosync::Number> : videosync::JsonFormatter {
  template <class Context>
  auto format(videosync::Number number, Context& context) const {
    if (!std::isfinite(number.value)) return fmt::format_to(context.out(), "null");
    return fmt::format_to(context.out(), FMT_COMPILE("{}"), number.value + 0.0);  // -0 becomes 0
  }
};

template <>
struct fmt::formatter<videosync::Milliseconds> : videosync::JsonFormatter {
  template <class Context>
  auto format(videosync::Milliseconds time, Context& context) const {
    auto out = context.out();
    const auto us = static_cast<std::uint64_t>(time.us);
    const std::uint64_t magnitude_us = time.us < 0 ? 0 - us : us;
    if (time.us < 0) *out++ = '-';
    out = fmt::format_to(out, FMT_COMPILE("{}"), magnitude_us / 1'000);
    const auto rest = static_cast<unsigned>(magnitude_us % 1'000);
    if (rest == 0) return out;
    if (rest % 100 == 0) return fmt::format_to(out, FMT_COMPILE(".{}"), rest / 100);
    if (rest % 10 == 0) return fmt::format_to(out, FMT_COMPILE(".{:02}"), rest / 10);
    return fmt::format_to(out, FMT_COMPILE(".{:03}"), rest);
  }
};

template <>
struct fmt::formatter<videosync::Id> : videosync::JsonFormatter {
  template <class Context>
  auto format(videosync::Id member, Context& context) const {
    if (!member.id) return fmt::format_to(context.out(), "null");
    return fmt::format_to(context.out(), FMT_COMPILE("\"m{}\""), member.id.value);
  }
};

template <>
struct fmt::formatter<videosync::HexToken> : videosync::JsonFormatter {
  template <class Context>
  auto format(videosync::HexToken hex, Context& context) const {
    auto out = context.out();
    for (const std::uint8_t byte : hex.token.bytes) {
      *out++ = videosync::hex_digits[byte >> 4];
      *out++ = videosync::hex_digits[byte & 0x0f];
    }
    return out;
  }
};
