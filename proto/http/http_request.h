// HttpRequest and HttpRequestParser: bytes of HTTP/1.0 and 1.1 in, checked requests out (RFC 9112).
//
// The parser takes one request at a time and never reads past its end: what follows (a pipelined
// request, WebSocket frames, rubbish behind "Connection: close") stays with the caller. Owned and
// pooled by a worker, one thread; neither copied nor moved, for a request's views point into it.
// The head costs no allocation after construction; the body's string keeps its capacity.
// However the bytes are cut into pieces, the outcome is the same. The only door to llhttp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "proto/http/chunk_extensions.h"
#include "proto/http/http_message.h"

namespace videosync {

struct HttpLimits {
  std::size_t request_line_bytes_max = 8 * 1024;  // then 414
  std::size_t head_bytes_max = 16 * 1024;         // request line and fields together; then 431
  std::size_t fields_max = 100;                   // then 431
  std::size_t body_bytes_max = 64 * 1024;         // then 413
  // Whose body is handed on as it comes, however long: asked when the head is whole. Null:
  // nobody's.
  bool (*is_streamed)(const HttpRequest& request) noexcept = nullptr;
};

enum class FeedStatus : std::uint8_t {
  need_more,
  head_complete,  // once, and only where a body follows: answer 100, refuse, or feed on
  body_part,      // body_part() is the next of a body that is streamed: feed on, if with nothing
  complete,       // request() is whole; later bytes are not consumed until reset()
  fault,          // answer fault() and close: where the next request begins is not known
};

struct FeedResult {
  FeedStatus status = FeedStatus::need_more;
  std::size_t consumed = 0;  // of the bytes given; all of them in a fault
};

class HttpRequestParser {
 public:
  explicit HttpRequestParser(const HttpLimits& limits = {});
  ~HttpRequestParser();
  HttpRequestParser(const HttpRequestParser&) = delete;
  HttpRequestParser& operator=(const HttpRequestParser&) = delete;

  FeedResult feed(std::span<const std::uint8_t> bytes) noexcept;

  // Forgets the request; all its views end.
  void reset() noexcept;

  // From head_complete on; the body from complete on.
  const HttpRequest& request() const noexcept { return request_; }
  // Whether its body is not gathered (HttpLimits::is_streamed); request().body stays empty then.
  bool is_streamed() const noexcept { return is_streamed_; }
  // Of the bytes that were fed last: lives as long as they do.
  std::string_view body_part() const noexcept { return body_part_bytes_; }
  // After a fault.
  const HttpFault& fault() const noexcept { return fault_; }
  // Whether a request has begun: silence before it is idleness, after it a 408.
  bool has_begun() const noexcept { return phase_ != Phase::blank; }

 private:
  struct Callbacks;  // llhttp's view of this class
  enum class Phase : std::uint8_t { blank, line, fields, body, complete, fault };
  enum class BodyPart : std::uint8_t { data, chunk_length, chunk_extensions };

  std::size_t skip_blank_lines(std::span<const std::uint8_t> bytes) noexcept;
  std::size_t feed_head(std::span<const std::uint8_t> bytes) noexcept;
  std::size_t feed_body(std::span<const std::uint8_t> bytes) noexcept;
  std::size_t feed_chunk_length(std::string_view text) noexcept;
  std::size_t feed_chunk_extensions(std::string_view text) noexcept;
  std::size_t feed_data(std::string_view text) noexcept;
  std::size_t execute(std::string_view text) noexcept;
  std::size_t body_bytes_max() const noexcept;

  // Each judges what has come and is false after a refusal.
  bool begin_field_line(char first) noexcept;
  bool end_line() noexcept;
  bool judge_request_line(std::string_view line) noexcept;
  bool judge_target() noexcept;
  bool judge_field_line(std::string_view line) noexcept;
  bool end_head() noexcept;
  bool refuse(int status, std::string_view message) noexcept;
  bool refuse(const HttpFault& fault) noexcept;
  bool refuse_by_codec(int error, const char* error_at) noexcept;

  const HttpLimits limits_;
  HttpRequest request_;
  HttpFault fault_;
  Phase phase_ = Phase::blank;
  bool head_announced_ = false;  // head_complete has been returned
  bool codec_saw_head_ = false;  // llhttp has met the end of the head
  bool is_streamed_ = false;
  std::string_view body_part_bytes_;  // of the last call of feed(), where it is streamed
  std::size_t blank_bytes_ = 0;       // before the request line
  std::size_t head_bytes_ = 0;        // in head_
  std::size_t line_begin_ = 0;        // in head_, of the line that is coming
  std::size_t encoded_bytes_ = 0;     // of the body, framing included
  BodyPart body_part_ = BodyPart::data;
  std::size_t data_bytes_left_ = 0;  // before the next chunk's length; means something in data
  ChunkExtensions extensions_;
  std::unique_ptr<char[]> head_;  // head_bytes_max, then room for the decoded path
  std::string body_;
  alignas(16) std::byte codec_[128];  // an llhttp_t
};

}  // namespace videosync
