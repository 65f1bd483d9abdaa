#include "proto/http/http_message.h"

#include <algorithm>
#include <array>

#include "core/base/text.h"

namespace videosync {

namespace {

constexpr std::array<bool, 256> token_chars = [] {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  std::array<bool, 256> is_one{};
  for (std::size_t i = 0; i < is_one.size(); ++i) {
    const char c = static_cast<char>(i);
    is_one[i] = is_letter(c) || is_digit(c) || marks.find(c) != std::string_view::npos;
  }
  return is_one;
}();

}  // namespace

std::string_view HttpRequest::header(std::string_view name) const noexcept {
  for (const HttpField& field : fields) {
    if (equals_ignoring_case(field.name, name)) return field.value;
  }
  return {};
}

std::size_t HttpRequest::count(std::string_view name) const noexcept {
  const auto matches = std::count_if(fields.begin(), fields.end(), [name](const HttpField& f) {
    return equals_ignoring_case(f.name, name);
  });
  return static_cast<std::size_t>(matches);
}

bool HttpRequest::has_token(std::string_view name, std::string_view token) const noexcept {
  for (const HttpField& field : fields) {
    if (!equals_ignoring_case(field.name, name)) continue;
    std::string_view list = field.value;
    while (!list.empty()) {
      if (equals_ignoring_case(take_list_element(list), token)) return true;
    }
  }
  return false;
}

std::string_view code_for_status(int status) noexcept {
  switch (status) {
    case 400:
      return "bad_request";
    case 401:
      return "unauthorized";
    case 403:
      return "forbidden";
    case 404:
      return "not_found";
    case 405:
      return "method_not_allowed";
    case 408:
      return "request_timeout";
    case 412:
      return "precondition_failed";
    case 413:
      return "body_too_large";
    case 414:
      return "uri_too_long";
    case 415:
      return "unsupported_media_type";
    case 416:
      return "range_not_satisfiable";
    case 417:
      return "expectation_failed";
    case 426:
      return "upgrade_required";
    case 429:
      return "rate_limited";
    case 431:
      return "head_too_large";
    case 501:
      return "not_implemented";
    case 503:
      return "unavailable";
    case 505:
      return "version_not_supported";
    default:
      return "internal_error";
  }
}

std::string_view take_list_element(std::string_view& list, char separator) noexcept {
  const std::string_view element = list.substr(0, list.find(separator));
  list.remove_prefix(std::min(element.size() + 1, list.size()));
  return trim(element, http_blanks);
}

bool is_token_char(char c) noexcept {
  return token_chars[static_cast<unsigned char>(c)];
}

// Of every field that is written its name is looked at, so this is a table.
bool is_token(std::string_view text) noexcept {
  bool is_one = !text.empty();
  for (const char c : text)
    is_one = is_one && token_chars[static_cast<unsigned char>(c)];
  return is_one;
}

}  // namespace videosync
