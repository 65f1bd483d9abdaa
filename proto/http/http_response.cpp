#include "proto/http/http_response.h"

#include <charconv>

#include "core/base/assert.h"
#include "core/base/json_text.h"
#include "core/base/text.h"
#include "core/base/utf8.h"

namespace videosync {
namespace {

constexpr std::string_view crlf = "\r\n";

void append_number(std::string& out, std::uint64_t value) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, end);
}

std::size_t digit_count(std::uint64_t value) noexcept {
  std::size_t count = 1;
  while (value >= 10) {
    value /= 10;
    ++count;
  }
  return count;
}

void append_range(std::string& out, ByteRange range, std::uint64_t size) {
  VS_ASSERT(range.length > 0 && range.offset < size && range.length <= size - range.offset);
  out += "bytes ";
  append_number(out, range.offset);
  out += '-';
  append_number(out, range.offset + range.length - 1);
  out += '/';
  append_number(out, size);
}

void append_value(std::string& out, std::string_view value) {
  for (const char c : value)
    out += is_control_byte(c) ? ' ' : c;
}

}  // namespace

std::string_view reason_phrase(int status) noexcept {
  switch (status) {
    case 100:
      return "Continue";
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 307:
      return "Temporary Redirect";
    case 304:
      return "Not Modified";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 423:
      return "Locked";
    case 507:
      return "Insufficient Storage";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "";
  }
}

ResponseHead::ResponseHead(std::string& out, int status, const ResponseContext& context)
    : out_(out), status_(status) {
  VS_ASSERT(status >= 200 && status <= 599);
  out_ += "HTTP/1.1 ";
  append_number(out_, static_cast<std::uint64_t>(status));
  out_ += ' ';
  out_ += reason_phrase(status);
  out_ += crlf;
  field("Date", context.date);
  if (!context.keep_alive) {
    field("Connection", "close");
  } else if (context.version_minor == 0) {
    field("Connection", "keep-alive");  // 1.0 closes unless told otherwise
  }
}

ResponseHead& ResponseHead::field(std::string_view name, std::string_view value) {
  VS_ASSERT(is_token(name));
  out_ += name;
  out_ += ": ";
  append_value(out_, value);
  out_ += crlf;
  return *this;
}

ResponseHead& ResponseHead::field(std::string_view name, std::uint64_t value) {
  VS_ASSERT(is_token(name));
  out_ += name;
  out_ += ": ";
  append_number(out_, value);
  out_ += crlf;
  return *this;
}

ResponseHead& ResponseHead::content_length(std::uint64_t bytes) {
  VS_ASSERT(status_ != 204);
  return field("Content-Length", bytes);
}

ResponseHead& ResponseHead::content_range(ByteRange range, std::uint64_t size) {
  out_ += "Content-Range: ";
  append_range(out_, range, size);
  out_ += crlf;
  return *this;
}

void ResponseHead::end() {
  out_ += crlf;
}

void append_continue(std::string& out) {
  out += "HTTP/1.1 100 Continue\r\n\r\n";
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  append_json_text(out, to_utf8(text));
  out += '"';
}

void append_error_body(std::string& out, std::string_view code, std::string_view message) {
  out += R"({"error":{"code":)";
  append_json_string(out, code);
  out += R"(,"message":)";
  append_json_string(out, message);
  out += "}}";
}

void append_error_response(std::string& out, const ResponseContext& context, const HttpFault& fault,
                           bool head_only, std::span<const HttpField> extra) {
  std::string body;
  append_error_body(body, fault.code, fault.message);
  ResponseHead head(out, fault.status, context);
  for (const HttpField& field : extra)
    head.field(field.name, field.value);
  head.field("Content-Type", "application/json").field("Cache-Control", "no-store");
  head.field("X-Content-Type-Options", "nosniff");
  head.content_length(body.size()).end();
  if (!head_only) out += body;
}

void append_part_head(std::string& out, std::string_view boundary, std::string_view content_type,
                      ByteRange range, std::uint64_t size) {
  VS_ASSERT(!boundary.empty() && boundary.size() <= 70);
  out += "\r\n--";
  out += boundary;
  out += "\r\nContent-Type: ";
  append_value(out, content_type);
  out += "\r\nContent-Range: ";
  append_range(out, range, size);
  out += "\r\n\r\n";
}

void append_multipart_end(std::string& out, std::string_view boundary) {
  out += "\r\n--";
  out += boundary;
  out += "--\r\n";
}

// Counts what the two functions above write.
std::uint64_t multipart_length(std::string_view boundary, std::string_view content_type,
                               std::span<const ByteRange> ranges, std::uint64_t size) noexcept {
  constexpr std::string_view part_frame =
      "\r\n--"
      "\r\nContent-Type: "
      "\r\nContent-Range: bytes -/"
      "\r\n\r\n";
  constexpr std::string_view end_frame = "\r\n----\r\n";
  std::uint64_t total = end_frame.size() + boundary.size();
  for (const ByteRange& range : ranges) {
    VS_ASSERT(range.length > 0);
    total += part_frame.size() + boundary.size() + content_type.size() + digit_count(range.offset) +
             digit_count(range.offset + range.length - 1) + digit_count(size) + range.length;
  }
  return total;
}

}  // namespace videosync
