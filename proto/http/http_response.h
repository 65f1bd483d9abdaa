// Response heads, JSON error bodies and multipart/byteranges framing, appended to a caller's
// string.
//
// Pure; the caller owns the string and reuses its capacity. The status line always says HTTP/1.1,
// the version of this server; what differs for 1.0 is the Connection field.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "proto/http/http_range.h"
#include "proto/http/http_request.h"

namespace videosync {

// "Not Found"; "" for a status that this server never sends.
std::string_view reason_phrase(int status) noexcept;

// What every response of a connection needs to know.
struct ResponseContext {
  std::string_view date;           // an HTTP-date, formatted once a second by the caller
  std::uint8_t version_minor = 1;  // the request's
  bool keep_alive = true;          // whether the connection lives on after this response
};

// One response's head: status line, Date and Connection at once, then fields, then end().
// Control bytes in a value become blanks, so no value can begin another field.
class ResponseHead {
 public:
  ResponseHead(std::string& out, int status, const ResponseContext& context);

  ResponseHead& field(std::string_view name, std::string_view value);
  ResponseHead& field(std::string_view name, std::uint64_t value);
  // Not for 1xx and 204, which have no body (RFC 9110, 8.6). For HEAD: what GET would send.
  ResponseHead& content_length(std::uint64_t bytes);
  // "bytes 0-99/1234"; for 206.
  ResponseHead& content_range(ByteRange range, std::uint64_t size);
  void end();

 private:
  std::string& out_;
  int status_;
};

// "HTTP/1.1 100 Continue" and nothing else.
void append_continue(std::string& out);

// A JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

// {"error":{"code":"...","message":"..."}}
void append_error_body(std::string& out, std::string_view code, std::string_view message);

// Head and body together. `head_only` for HEAD requests. `extra`: Allow, Retry-After and the like.
void append_error_response(std::string& out, const ResponseContext& context, const HttpFault& fault,
                           bool head_only = false, std::span<const HttpField> extra = {});

// --- multipart/byteranges (RFC 9110, 14.6); the boundary comes from the caller, at most 70 bytes
// ---

// Precedes the bytes of each part.
void append_part_head(std::string& out, std::string_view boundary, std::string_view content_type,
                      ByteRange range, std::uint64_t size);
// Follows the bytes of the last part.
void append_multipart_end(std::string& out, std::string_view boundary);
// The Content-Length of the whole: part heads, the ranges' bytes, the end.
std::uint64_t multipart_length(std::string_view boundary, std::string_view content_type,
                               std::span<const ByteRange> ranges, std::uint64_t size) noexcept;

}  // namespace videosync
