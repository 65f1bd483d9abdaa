// How text stands inside of a JSON string (RFC 8259, 7). The one table of escapes.
//
// "</" and the line separators U+2028 and U+2029 are legal as they are. Pure functions, any thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>

#include "core/base/text.h"

namespace videosync {

// What stands for one byte: a backslash and a letter where JSON has one for it, else \u00XX.
class JsonEscape {
 public:
  explicit constexpr JsonEscape(char c) noexcept {
    if (const char letter = letter_of(c); letter != 0) {
      text_ = {'\\', letter};
      size_ = 2;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      text_ = {'\\', 'u', '0', '0', hex_digits[byte >> 4], hex_digits[byte & 0x0f]};
      size_ = text_.size();
    }
  }
  constexpr std::string_view view() const noexcept { return {text_.data(), size_}; }

 private:
  static constexpr char letter_of(char c) noexcept {
    switch (c) {
      case '"':
      case '\\':
        return c;
      case '\n':
        return 'n';
      case '\r':
        return 'r';
      case '\t':
        return 't';
      default:
        return 0;
    }
  }

  std::array<char, 6> text_{};
  std::size_t size_ = 0;
};

constexpr bool must_escape_in_json(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

// The inside of the string, without its quotes. REQUIRES valid UTF-8.
template <class Out>
Out write_json_text(Out out, std::string_view text) {
  while (!text.empty()) {
    const auto* const end = std::find_if(text.begin(), text.end(), must_escape_in_json);
    out = std::copy(text.begin(), end, out);
    if (end == text.end()) break;
    const JsonEscape escape(*end);
    out = std::copy(escape.view().begin(), escape.view().end(), out);
    text.remove_prefix(static_cast<std::size_t>(end - text.begin()) + 1);
  }
  return out;
}

inline void append_json_text(std::string& out, std::string_view text) {
  if (std::none_of(text.begin(), text.end(), must_escape_in_json)) {
    out += text;
  } else {
    write_json_text(std::back_inserter(out), text);
  }
}

}  // namespace videosync
