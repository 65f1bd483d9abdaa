// A fuzzer's input as lines of text, and as the fields of a request: what mutates well where a
// parser reads words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/text.h"
#include "proto/http/http_message.h"

namespace videosync::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) noexcept {
  return {reinterpret_cast<const char*>(data), size};
}

// Without its end; the rest moves up. "" where there is none.
inline std::string_view take_line(std::string_view& text) noexcept {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  return line;
}

// "Name: value" a line; as HttpRequestParser hands them out: values have no control bytes but tabs,
// and no blanks around them. The views are into `text`.
inline std::vector<HttpField> fields_of(std::string_view text) {
  std::vector<HttpField> fields;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    const std::size_t colon = line.find(':');
    if (colon == line.npos || !is_token(line.substr(0, colon))) continue;
    std::string_view value = line.substr(colon + 1);
    bool is_clean = true;
    for (const char c : value)
      is_clean = is_clean && (c == '\t' || !is_control_byte(c));
    if (is_clean) fields.push_back({line.substr(0, colon), trim(value, http_blanks)});
  }
  return fields;
}

inline HttpRequest request_of(std::string_view text) {
  HttpRequest request;
  request.host = "asked.example";
  request.fields = fields_of(text);
  return request;
}

}  // namespace videosync::fuzz
