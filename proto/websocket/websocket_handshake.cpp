#include "proto/websocket/websocket_handshake.h"

#include <algorithm>
#include <array>

#include "core/base/text.h"

namespace videosync {
namespace {

bool is_base64_char(char c) noexcept {
  return is_letter(c) || is_digit(c) || c == '+' || c == '/';
}

// 16 bytes are 22 characters and two of padding; the last character has four bits to spare, all 0.
bool is_base64_of_16_bytes(std::string_view key) noexcept {
  if (key.size() != 24 || !key.ends_with("==")) return false;
  const std::string_view digits = key.substr(0, 22);
  return std::all_of(digits.begin(), digits.end(), is_base64_char) &&
         std::string_view("AQgw").find(digits.back()) != std::string_view::npos;
}

std::unexpected<HttpFault> refuse(int status, std::string_view message) noexcept {
  return std::unexpected(HttpFault{status, code_for_status(status), message});
}

}  // namespace

std::expected<std::string_view, HttpFault> check_websocket_handshake(
    const HttpRequest& request) noexcept {
  if (request.method != HttpMethod::get) return refuse(405, "a WebSocket opens with GET");
  if (request.version_minor == 0 || !request.has_token("upgrade", "websocket")) {
    return refuse(426, "only WebSocket upgrades over HTTP/1.1 are served here");
  }
  if (!request.has_token("connection", "upgrade")) {
    return refuse(400, "Connection does not name Upgrade");
  }
  if (request.has_body) return refuse(400, "a WebSocket opens without a body");
  if (request.count("sec-websocket-version") != 1 ||
      request.header("sec-websocket-version") != "13") {
    return refuse(426, "only version 13 of the WebSocket protocol is spoken here");
  }
  const std::string_view key = request.header("sec-websocket-key");
  if (request.count("sec-websocket-key") != 1 || !is_base64_of_16_bytes(key)) {
    return refuse(400, "Sec-WebSocket-Key is not the base64 of 16 bytes");
  }
  return key;
}

void append_websocket_accept(std::string& out, std::string_view accept, std::string_view date,
                             std::string_view cookie) {
  out += "HTTP/1.1 101 Switching Protocols\r\nDate: ";
  out += date;
  out += "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ";
  out += accept;
  if (!cookie.empty()) out.append("\r\nSet-Cookie: ").append(cookie);
  out += "\r\n\r\n";
}

void append_websocket_refusal(std::string& out, const ResponseContext& context,
                              const HttpFault& fault, bool head_only) {
  static constexpr std::array<HttpField, 1> allow{{{"Allow", "GET"}}};
  static constexpr std::array<HttpField, 3> upgrade{
      {{"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Version", "13"}}};
  std::span<const HttpField> extra;
  if (fault.status == 405) extra = allow;
  if (fault.status == 426) extra = upgrade;
  append_error_response(out, context, fault, head_only, extra);
}

}  // namespace videosync
