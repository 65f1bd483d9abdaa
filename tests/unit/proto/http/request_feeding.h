// What the tests of requests share: feeding a parser in pieces, whose cuts must change nothing.
#pragma once

#include <criterion/criterion.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "proto/http/http_request.h"

namespace videosync::test {

inline std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline FeedResult feed(HttpRequestParser& parser, std::string_view text) {
  return parser.feed(bytes_of(text));
}

// Feeds all of `text` in pieces of at most `step` bytes, going on after head_complete.
inline FeedResult feed_by(HttpRequestParser& parser, std::string_view text, std::size_t step) {
  FeedResult last;
  std::size_t used = 0;
  while (used < text.size()) {
    last = feed(parser, text.substr(used, step));
    used += last.consumed;
    if (last.status == FeedStatus::complete || last.status == FeedStatus::fault) break;
  }
  last.consumed = used;
  return last;
}

inline std::string get(std::string_view target, std::string_view fields = "") {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}

inline std::string post(std::string_view fields, std::string_view body = "") {
  return "POST /p HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

// Everything that must not depend on how the input was cut, in one comparable text.
inline std::string outcome_of(HttpRequestParser& parser, std::string_view text, std::size_t step) {
  parser.reset();
  const FeedResult result = feed_by(parser, text, step);
  if (result.status == FeedStatus::fault) {
    return "fault " + std::to_string(parser.fault().status) + " " +
           std::string(parser.fault().message);
  }
  if (result.status != FeedStatus::complete) return "unfinished";
  const HttpRequest& request = parser.request();
  std::string text_of_it = "complete " + std::to_string(result.consumed) + " " +
                           std::string(request.method_name) + " " + std::string(request.path) +
                           "?" + std::string(request.query) + " @" + std::string(request.host);
  for (const HttpField& field : request.fields) {
    text_of_it += "|" + std::string(field.name) + "=" + std::string(field.value);
  }
  return text_of_it + "|" + std::string(request.body);
}

inline void expect_fault(std::string_view text, int status) {
  HttpRequestParser parser;
  const FeedResult whole = feed_by(parser, text, text.size());
  cr_assert(whole.status == FeedStatus::fault, "no fault: %.*s", static_cast<int>(text.size()),
            text.data());
  cr_assert_eq(parser.fault().status, status, "%d, not %d: %.*s", parser.fault().status, status,
               static_cast<int>(std::min(text.size(), std::size_t{80})), text.data());
  cr_assert(!parser.fault().message.empty());
  cr_assert(!parser.fault().code.empty());
  cr_assert_not(parser.request().keep_alive);
  const std::string by_whole = outcome_of(parser, text, text.size());
  cr_assert_eq(by_whole, outcome_of(parser, text, 1), "cut: %.*s", static_cast<int>(text.size()),
               text.data());
}

}  // namespace videosync::test
