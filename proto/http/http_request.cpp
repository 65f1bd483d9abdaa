#include "proto/http/http_request.h"

#include <llhttp.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <type_traits>

#include "core/base/assert.h"
#include "core/base/text.h"
#include "proto/http/http_head.h"
#include "proto/http/http_target.h"

namespace videosync {

// How the work is shared. The head is copied into head_ and given to llhttp line by line: llhttp
// judges syntax and framing, and once it has accepted a line its parts are cut out of head_ here.
// Every verdict falls at a byte whose place does not depend on how the input was cut: at llhttp's
// own error, at the end of a line, or where a limit stands; in that order for each line. The body
// goes to llhttp straight from the caller's bytes, but for the extensions of chunks, which are read
// here and which llhttp never sees.

static_assert(sizeof(llhttp_t) <= 128 && alignof(llhttp_t) <= 16);
static_assert(std::is_trivially_destructible_v<llhttp_t>);
// Before 9, a loosely built llhttp takes "3\rX" for a chunk's length and blanks inside field names.
#if LLHTTP_VERSION_MAJOR < 9 && !LLHTTP_STRICT_MODE
#error "build llhttp 8 with LLHTTP_STRICT_MODE=1"
#endif

namespace {

constexpr std::size_t blank_bytes_max = 8;
// The longest sensible encoding of a body: one-byte chunks cost six bytes each.
constexpr std::size_t encoded_bytes_a_body_byte = 8;
constexpr std::size_t all_that_follows = SIZE_MAX;
constexpr std::size_t streamed_bytes_max = std::size_t{1} << 62;  // no sum of it overflows

llhttp_t& codec_at(std::byte* storage) noexcept {
  return *std::launder(reinterpret_cast<llhttp_t*>(storage));
}

const char* chars(std::span<const std::uint8_t> bytes) noexcept {
  return reinterpret_cast<const char*>(bytes.data());
}

HttpMethod method_from(std::string_view name) noexcept {
  if (name == "GET") return HttpMethod::get;
  if (name == "HEAD") return HttpMethod::head;
  if (name == "POST") return HttpMethod::post;
  if (name == "DELETE") return HttpMethod::del;
  if (name == "OPTIONS") return HttpMethod::options;
  if (name == "PUT") return HttpMethod::put;
  if (name == "PATCH") return HttpMethod::patch;
  return HttpMethod::other;
}

// Whether what llhttp read before it gave up ends in a version, well-formed but not ours.
bool ends_in_foreign_version(std::string_view text) noexcept {
  if (text.size() < 3) return false;
  const std::string_view version = text.substr(text.size() - 3);
  return is_digit(version[0]) && version[1] == '.' && is_digit(version[2]) && version != "1.0" &&
         version != "1.1";
}

std::string_view message_for(int codec_error) noexcept {
  switch (codec_error) {
    case HPE_INVALID_METHOD:
      return "the request does not begin with a method";
    case HPE_INVALID_URL:
      return "the request target is malformed";
    case HPE_INVALID_VERSION:
    case HPE_INVALID_CONSTANT:
      return "the request line does not end in an HTTP version";
    case HPE_INVALID_HEADER_TOKEN:
      return "a field has a byte that is not allowed there";
    case HPE_UNEXPECTED_CONTENT_LENGTH:
      return "Content-Length is repeated or comes with Transfer-Encoding";
    case HPE_INVALID_CONTENT_LENGTH:
      return "Content-Length is not a number";
    case HPE_INVALID_TRANSFER_ENCODING:
      return "Transfer-Encoding does not end in chunked";
    case HPE_INVALID_CHUNK_SIZE:
      return "a chunk's length is malformed";
    default:
      return "the request is malformed";
  }
}

}  // namespace

struct HttpRequestParser::Callbacks {
  static HttpRequestParser& parser(llhttp_t* codec) noexcept {
    return *static_cast<HttpRequestParser*>(codec->data);
  }

  static int on_head(llhttp_t* codec) noexcept {
    parser(codec).codec_saw_head_ = true;
    return HPE_PAUSED;
  }

  static int on_chunk(llhttp_t* codec) noexcept {
    HttpRequestParser& self = parser(codec);
    if (codec->content_length > self.body_bytes_max() - self.body_.size()) {
      self.refuse(413, "the body is larger than this server takes");
      return -1;
    }
    self.body_part_ = BodyPart::data;
    const bool is_last = codec->content_length == 0;  // trailers follow
    self.data_bytes_left_ = is_last ? all_that_follows : codec->content_length + 2;  // with CRLF
    return 0;
  }

  static int on_body(llhttp_t* codec, const char* at, std::size_t length) noexcept {
    HttpRequestParser& self = parser(codec);
    if (!self.is_streamed_) {
      self.body_.append(at, length);
      return 0;
    }
    VS_ASSERT(self.body_part_bytes_.empty());
    self.body_part_bytes_ = {at, length};
    return 0;
  }

  static int on_end(llhttp_t* codec) noexcept {
    parser(codec).phase_ = Phase::complete;
    return HPE_PAUSED;
  }

  static const llhttp_settings_t& settings() noexcept {
    static const llhttp_settings_t made = [] {
      llhttp_settings_t settings;
      llhttp_settings_init(&settings);
      settings.on_headers_complete = on_head;
      settings.on_chunk_header = on_chunk;
      settings.on_body = on_body;
      settings.on_message_complete = on_end;
      return settings;
    }();
    return made;
  }
};

HttpRequestParser::HttpRequestParser(const HttpLimits& limits)
    : limits_(limits),
      head_(std::make_unique_for_overwrite<char[]>(limits.head_bytes_max +
                                                   limits.request_line_bytes_max)) {
  VS_ASSERT(limits.request_line_bytes_max > 0);
  VS_ASSERT(limits.request_line_bytes_max <= limits.head_bytes_max);
  new (codec_) llhttp_t;
  request_.fields.reserve(limits.fields_max);
  reset();
}

HttpRequestParser::~HttpRequestParser() = default;

void HttpRequestParser::reset() noexcept {
  std::vector<HttpField> fields = std::move(request_.fields);
  fields.clear();
  request_ = HttpRequest{};
  request_.fields = std::move(fields);
  fault_ = HttpFault{};
  body_.clear();
  phase_ = Phase::blank;
  head_announced_ = codec_saw_head_ = is_streamed_ = false;
  body_part_bytes_ = {};
  blank_bytes_ = head_bytes_ = line_begin_ = encoded_bytes_ = 0;
  body_part_ = BodyPart::data;
  data_bytes_left_ = all_that_follows;
  llhttp_t& codec = codec_at(codec_);
  llhttp_init(&codec, HTTP_REQUEST, &Callbacks::settings());
  codec.data = this;
}

FeedResult HttpRequestParser::feed(std::span<const std::uint8_t> bytes) noexcept {
  std::size_t used = 0;
  body_part_bytes_ = {};
  while (used < bytes.size() && phase_ < Phase::complete) {
    const auto rest = bytes.subspan(used);
    if (phase_ == Phase::blank) {
      used += skip_blank_lines(rest);
    } else if (phase_ == Phase::body) {
      used += feed_body(rest);
    } else {
      used += feed_head(rest);
    }
    if (phase_ == Phase::body && !head_announced_) {
      head_announced_ = true;
      return {FeedStatus::head_complete, used};
    }
    if (!body_part_bytes_.empty()) return {FeedStatus::body_part, used};
  }
  if (phase_ == Phase::fault) return {FeedStatus::fault, bytes.size()};
  if (phase_ != Phase::complete) return {FeedStatus::need_more, used};
  request_.body = body_;
  return {FeedStatus::complete, used};
}

// RFC 9112, 2.2: a robust server forgives an empty line before the request line.
std::size_t HttpRequestParser::skip_blank_lines(std::span<const std::uint8_t> bytes) noexcept {
  std::size_t skipped = 0;
  while (skipped < bytes.size() && (bytes[skipped] == '\r' || bytes[skipped] == '\n')) {
    ++skipped;
    if (++blank_bytes_ > blank_bytes_max) {
      refuse(400, "empty lines where a request should begin");
      return skipped;
    }
  }
  if (skipped < bytes.size()) phase_ = Phase::line;
  return skipped;
}

// At most one line, or the part of one that has come.
std::size_t HttpRequestParser::feed_head(std::span<const std::uint8_t> bytes) noexcept {
  const bool in_line = phase_ == Phase::line;
  const std::size_t limit = in_line ? limits_.request_line_bytes_max : limits_.head_bytes_max;
  VS_ASSERT(head_bytes_ <= limit);
  const std::size_t room = std::min(limit - head_bytes_, bytes.size());
  if (room == 0) {
    if (in_line) {
      refuse(414, "the request line is longer than this server takes");
    } else {
      refuse(431, "the request head is larger than this server takes");
    }
    return 0;
  }
  const char* begin = chars(bytes);
  if (!in_line && head_bytes_ == line_begin_ && !begin_field_line(*begin)) return 0;

  const void* newline = std::memchr(begin, '\n', room);
  const std::size_t taken =
      newline == nullptr ? room
                         : static_cast<std::size_t>(static_cast<const char*>(newline) - begin) + 1;
  char* const copy = head_.get() + head_bytes_;
  std::memcpy(copy, begin, taken);
  head_bytes_ += taken;
  llhttp_t& codec = codec_at(codec_);
  const int error = llhttp_execute(&codec, copy, taken);
  if (error != HPE_OK && !codec_saw_head_) {
    refuse_by_codec(error, llhttp_get_error_pos(&codec));
  } else if (newline != nullptr || codec_saw_head_) {
    end_line();
  }
  return taken;
}

std::size_t HttpRequestParser::feed_body(std::span<const std::uint8_t> bytes) noexcept {
  const std::size_t limit =
      is_streamed_ ? SIZE_MAX
                   : limits_.body_bytes_max * encoded_bytes_a_body_byte + limits_.head_bytes_max;
  const std::size_t given = std::min(limit - encoded_bytes_, bytes.size());
  if (given == 0) {
    refuse(413, "the body's chunks are mostly framing");
    return 0;
  }
  const std::string_view text(chars(bytes), given);
  std::size_t used = 0;
  if (body_part_ == BodyPart::chunk_length) {
    used = feed_chunk_length(text);
  } else if (body_part_ == BodyPart::chunk_extensions) {
    used = feed_chunk_extensions(text);
  } else {
    used = feed_data(text);
  }
  VS_ASSERT(used <= given);
  encoded_bytes_ += used;
  return used;
}

// A chunk's length and, behind it or behind its extensions, the line's end: on_chunk hears of it.
std::size_t HttpRequestParser::feed_chunk_length(std::string_view text) noexcept {
  const std::size_t end = text.find_first_of("; \t\n");
  if (end != std::string_view::npos && text[end] != '\n') {
    body_part_ = BodyPart::chunk_extensions;
    extensions_ = {};
    return execute(text.substr(0, end));
  }
  return execute(end == std::string_view::npos ? text : text.substr(0, end + 1));
}

std::size_t HttpRequestParser::feed_chunk_extensions(std::string_view text) noexcept {
  const auto used = extensions_.feed(text);
  if (!used) {
    refuse(400, "a chunk's extensions are malformed");
    return text.size();
  }
  if (*used < text.size()) body_part_ = BodyPart::chunk_length;
  return *used;
}

std::size_t HttpRequestParser::feed_data(std::string_view text) noexcept {
  VS_ASSERT(data_bytes_left_ > 0);
  const std::size_t used = execute(text.substr(0, data_bytes_left_));
  if (data_bytes_left_ == all_that_follows) return used;
  data_bytes_left_ -= used;
  if (data_bytes_left_ == 0) body_part_ = BodyPart::chunk_length;
  return used;
}

std::size_t HttpRequestParser::body_bytes_max() const noexcept {
  return is_streamed_ ? streamed_bytes_max : limits_.body_bytes_max;
}

// How many bytes of the body llhttp has used; all of them where the request goes on.
std::size_t HttpRequestParser::execute(std::string_view text) noexcept {
  if (text.empty()) return 0;
  llhttp_t& codec = codec_at(codec_);
  const int error = llhttp_execute(&codec, text.data(), text.size());
  if (phase_ == Phase::complete) {
    return static_cast<std::size_t>(llhttp_get_error_pos(&codec) - text.data());
  }
  if (error != HPE_OK && phase_ != Phase::fault) {
    refuse_by_codec(error, llhttp_get_error_pos(&codec));
  }
  return text.size();
}

// llhttp would join folded lines and counts nothing.
bool HttpRequestParser::begin_field_line(char first) noexcept {
  if (first == ' ' || first == '\t') return refuse(400, "a field is folded over two lines");
  if (first == '\r' || request_.fields.size() < limits_.fields_max) return true;
  return refuse(431, "the request has more fields than this server takes");
}

// llhttp 8.1.0 lets a bare CR end a field (CVE-2023-30589) in some states: only CRLF counts here,
// and llhttp must see the end of the head exactly at the empty line.
bool HttpRequestParser::end_line() noexcept {
  const std::string_view line(head_.get() + line_begin_, head_bytes_ - line_begin_);
  line_begin_ = head_bytes_;
  const std::size_t carriage_return = line.find('\r');
  if (line.size() < 2 || carriage_return != line.size() - 2 || line.back() != '\n') {
    return refuse(400, "a line of the head does not end in CRLF");
  }
  const std::string_view text = line.substr(0, carriage_return);
  if (codec_saw_head_ != (text.empty() && phase_ == Phase::fields)) {
    return refuse(400, "the head does not end in an empty line");
  }
  if (phase_ == Phase::line) return judge_request_line(text);
  return text.empty() ? end_head() : judge_field_line(text);
}

bool HttpRequestParser::judge_request_line(std::string_view line) noexcept {
  const std::size_t first_blank = line.find(' ');
  const std::size_t last_blank = line.rfind(' ');
  if (first_blank == std::string_view::npos || first_blank == last_blank) {
    return refuse(505, "the request line names no HTTP version");
  }
  request_.method_name = line.substr(0, first_blank);
  request_.method = method_from(request_.method_name);
  request_.target = line.substr(first_blank + 1, last_blank - first_blank - 1);
  const std::string_view version = line.substr(last_blank + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return refuse(505, "this server speaks HTTP/1.1 and HTTP/1.0");
  }
  request_.version_minor = version.back() == '1' ? 1 : 0;
  if (request_.method_name == "PRI") return refuse(505, "this server does not speak HTTP/2");
  if (request_.method_name == "CONNECT") return refuse(501, "this server is no proxy");
  phase_ = Phase::fields;
  return judge_target();
}

bool HttpRequestParser::judge_target() noexcept {
  char* const decoded = head_.get() + limits_.head_bytes_max;
  const auto target = read_target(request_.method, request_.target, decoded);
  if (!target) return refuse(400, target.error());
  request_.path = target->path;
  request_.query = target->query;
  request_.host = target->host;
  return true;
}

bool HttpRequestParser::judge_field_line(std::string_view line) noexcept {
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  if (colon == std::string_view::npos || !is_token(name)) {
    return refuse(400, "a field has no valid name");
  }
  const std::string_view value = trim(line.substr(colon + 1), http_blanks);
  const bool is_clean = std::all_of(value.begin(), value.end(),
                                    [](char c) { return c == '\t' || !is_control_byte(c); });
  if (!is_clean) return refuse(400, "a field's value has a control byte");
  request_.fields.push_back({name, value});
  return true;
}

bool HttpRequestParser::end_head() noexcept {
  is_streamed_ = limits_.is_streamed != nullptr && limits_.is_streamed(request_);
  if (const auto fault = judge_head(request_, body_bytes_max())) return refuse(*fault);
  phase_ = request_.has_body ? Phase::body : Phase::complete;
  if (!request_.has_body) return true;
  if (request_.has_header("transfer-encoding")) body_part_ = BodyPart::chunk_length;
  llhttp_resume(&codec_at(codec_));
  return true;
}

bool HttpRequestParser::refuse(int status, std::string_view message) noexcept {
  return refuse({status, code_for_status(status), message});
}

bool HttpRequestParser::refuse(const HttpFault& fault) noexcept {
  VS_ASSERT(phase_ < Phase::complete);
  phase_ = Phase::fault;
  request_.keep_alive = false;
  fault_ = fault;
  return false;
}

bool HttpRequestParser::refuse_by_codec(int error, const char* error_at) noexcept {
  const char* const reason = llhttp_get_error_reason(&codec_at(codec_));
  if (reason != nullptr && std::string_view(reason).ends_with("overflow")) {
    return refuse(413, "the body is larger than this server takes");
  }
  if (phase_ == Phase::line) {
    const char* const begin = head_.get();
    const auto read = static_cast<std::size_t>(error_at - begin);
    VS_ASSERT(read <= head_bytes_);
    if (error == HPE_INVALID_VERSION && ends_in_foreign_version({begin, read})) {
      return refuse(505, "this server speaks HTTP/1.1 and HTTP/1.0");
    }
    // llhttp gives up at the first byte that no method of its list has in that place.
    const bool looks_like_method = read < head_bytes_ && (read == 0 || is_token({begin, read})) &&
                                   (is_token({error_at, 1}) || (read > 0 && *error_at == ' '));
    if (error == HPE_INVALID_METHOD && looks_like_method) {
      return refuse(501, "the method is not known here");
    }
  }
  return refuse(400, message_for(error));
}

}  // namespace videosync
