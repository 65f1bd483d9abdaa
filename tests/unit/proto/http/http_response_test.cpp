#include "proto/http/http_response.h"

#include <criterion/criterion.h>

#include <array>
#include <string>

using namespace videosync;

namespace {

constexpr std::string_view date = "Sun, 06 Nov 1994 08:49:37 GMT";

std::string head(const ResponseContext& context) {
  std::string out;
  ResponseHead(out, 200, context).content_length(0).end();
  return out;
}

}  // namespace

Test(http_response, a_head_is_written_in_order) {
  std::string out = "before|";
  ResponseHead(out, 206, {.date = date})
      .field("Content-Type", "video/mp4")
      .content_range({100, 50}, 5'000'000'000)
      .content_length(50)
      .end();
  cr_assert_eq(out,
               "before|HTTP/1.1 206 Partial Content\r\n"
               "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
               "Content-Type: video/mp4\r\n"
               "Content-Range: bytes 100-149/5000000000\r\n"
               "Content-Length: 50\r\n\r\n");
}

Test(http_response, connection_is_said_only_where_it_differs) {
  const auto says = [](std::uint8_t minor, bool keep_alive) {
    const std::string text = head({.date = date, .version_minor = minor, .keep_alive = keep_alive});
    const std::size_t begin = text.find("Connection: ");
    return begin == std::string::npos ? "" : text.substr(begin, text.find('\r', begin) - begin);
  };
  cr_assert_eq(says(1, true), "");
  cr_assert_eq(says(1, false), "Connection: close");
  cr_assert_eq(says(0, true), "Connection: keep-alive");
  cr_assert_eq(says(0, false), "Connection: close");
}

Test(http_response, a_value_cannot_begin_another_field) {
  std::string out;
  ResponseHead(out, 200, {.date = date}).field("Location", "/a\r\nSet-Cookie: b").end();
  cr_assert(out.find("Location: /a  Set-Cookie: b\r\n\r\n") != std::string::npos, "%s",
            out.c_str());
}

Test(http_response, every_status_of_the_contract_has_a_reason) {
  for (const int status :
       {100, 101, 200, 201, 204, 206, 302, 304, 307, 400, 401, 403, 404, 405, 408,
        412, 413, 414, 415, 416, 417, 422, 426, 429, 431, 500, 501, 503, 505}) {
    cr_assert_not(reason_phrase(status).empty(), "%d", status);
  }
  cr_assert(reason_phrase(299).empty());
}

Test(http_response, json_strings_are_escaped) {
  std::string out;
  append_json_string(out, std::string_view("a\"b\\c\n\0\x1f\xc3\xa9\xff/\x7f", 13));
  cr_assert_eq(out, "\"a\\\"b\\\\c\\n\\u0000\\u001f\xc3\xa9\xef\xbf\xbd/\x7f\"");
}

Test(http_response, an_error_has_a_json_body) {
  constexpr std::array<HttpField, 1> allow{{{"Allow", "GET, HEAD"}}};
  std::string out;
  append_error_response(out, {.date = date, .keep_alive = false},
                        {405, "method_not_allowed", "no \"PUT\" here"}, false, allow);
  const std::string body = R"({"error":{"code":"method_not_allowed","message":"no \"PUT\" here"}})";
  cr_assert_eq(out, "HTTP/1.1 405 Method Not Allowed\r\nDate: " + std::string(date) +
                        "\r\nConnection: close\r\nAllow: GET, HEAD\r\n"
                        "Content-Type: application/json\r\nCache-Control: no-store\r\n"
                        "X-Content-Type-Options: nosniff\r\n"
                        "Content-Length: " +
                        std::to_string(body.size()) + "\r\n\r\n" + body);
  std::string head_only;
  append_error_response(head_only, {.date = date, .keep_alive = false},
                        {405, "method_not_allowed", "no \"PUT\" here"}, true, allow);
  cr_assert_eq(head_only + body, out, "HEAD differs by the body alone");
}

Test(http_response, a_multipart_body_is_as_long_as_announced) {
  const std::uint64_t size = 12'345;
  const std::array<ByteRange, 4> ranges{{{0, 1}, {9, 1}, {9, 2}, {12'000, 345}}};
  for (const std::string_view boundary : {"b", "0123456789abcdef"}) {
    for (const std::string_view type : {"video/mp4", "text/vtt; charset=utf-8"}) {
      std::string body;
      for (const ByteRange& range : ranges) {
        append_part_head(body, boundary, type, range, size);
        body.append(range.length, 'x');
      }
      append_multipart_end(body, boundary);
      cr_assert_eq(body.size(), multipart_length(boundary, type, ranges, size));
    }
  }
}

Test(http_response, a_part_says_what_it_is) {
  std::string out;
  append_part_head(out, "sep", "video/mp4", {5, 3}, 10);
  append_multipart_end(out, "sep");
  cr_assert_eq(out,
               "\r\n--sep\r\nContent-Type: video/mp4\r\nContent-Range: bytes 5-7/10\r\n\r\n"
               "\r\n--sep--\r\n");
}
