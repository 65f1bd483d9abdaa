#include "proto/http/http_head.h"

#include <charconv>
#include <cstdint>

#include "core/base/text.h"
#include "proto/http/http_authority.h"

namespace videosync {

namespace {

using Verdict = std::optional<HttpFault>;  // nothing: it may go on

Verdict refuse(int status, std::string_view message) noexcept {
  return HttpFault{status, code_for_status(status), message};
}

Verdict judge_host(HttpRequest& request) noexcept {
  const std::size_t hosts = request.count("host");
  if (hosts > 1) return refuse(400, "Host is repeated");
  if (hosts == 0 && request.version_minor == 1) return refuse(400, "Host is missing");
  const std::string_view host = request.header("host");
  // An empty one is how a client says that its target has no authority.
  if (!host.empty() && !is_authority(host)) return refuse(400, "Host is malformed");
  if (request.host.empty()) request.host = host;
  return {};
}

Verdict judge_length(HttpRequest& request, std::size_t body_bytes_max) noexcept {
  const std::string_view digits = request.header("content-length");
  std::uint64_t length = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, length);
  if (error == std::errc::invalid_argument || stop != end) {
    return refuse(400, "Content-Length is not a number");
  }
  if (error == std::errc::result_out_of_range || length > body_bytes_max) {
    return refuse(413, "the body is larger than this server takes");
  }
  request.has_body = length > 0;
  return {};
}

// RFC 9112, 6.
Verdict judge_framing(HttpRequest& request, std::size_t body_bytes_max) noexcept {
  const std::size_t lengths = request.count("content-length");
  const std::size_t encodings = request.count("transfer-encoding");
  if (lengths + encodings == 0) return {};
  if (lengths > 0 && encodings > 0) {
    return refuse(400, "Content-Length and Transfer-Encoding exclude each other");
  }
  if (lengths > 1) return refuse(400, "Content-Length is repeated");
  if (lengths == 1) return judge_length(request, body_bytes_max);
  if (request.version_minor == 0) return refuse(400, "HTTP/1.0 has no Transfer-Encoding");
  if (encodings > 1 || !equals_ignoring_case(request.header("transfer-encoding"), "chunked")) {
    return refuse(501, "the only transfer coding here is chunked");
  }
  request.has_body = true;
  return {};
}

Verdict judge_connection(HttpRequest& request) noexcept {
  const bool is_1_1 = request.version_minor == 1;
  request.keep_alive = !request.has_token("connection", "close") &&
                       (is_1_1 || request.has_token("connection", "keep-alive"));
  if (!is_1_1 || !request.has_header("expect")) return {};
  if (request.count("expect") > 1 ||
      !equals_ignoring_case(request.header("expect"), "100-continue")) {
    return refuse(417, "the only expectation met here is 100-continue");
  }
  request.expect_continue = request.has_body;
  return {};
}

}  // namespace

std::optional<HttpFault> judge_head(HttpRequest& request, std::size_t body_bytes_max) noexcept {
  if (auto fault = judge_host(request)) return fault;
  if (auto fault = judge_framing(request, body_bytes_max)) return fault;
  return judge_connection(request);
}

}  // namespace videosync
