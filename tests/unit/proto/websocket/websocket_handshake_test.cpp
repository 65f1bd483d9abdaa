#include "proto/websocket/websocket_handshake.h"

#include <criterion/criterion.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace videosync;

namespace {

constexpr std::string_view key = "dGhlIHNhbXBsZSBub25jZQ==";

HttpRequest upgrade_request() {
  HttpRequest request;
  request.method = HttpMethod::get;
  request.fields = {{"Host", "a"},
                    {"Upgrade", "websocket"},
                    {"Connection", "Upgrade"},
                    {"Sec-WebSocket-Version", "13"},
                    {"Sec-WebSocket-Key", key}};
  return request;
}

int status_with(std::string_view name, std::string_view value) {
  HttpRequest request = upgrade_request();
  for (HttpField& field : request.fields) {
    if (field.name == name) field.value = value;
  }
  const auto result = check_websocket_handshake(request);
  return result ? 101 : result.error().status;
}

int status_without(std::string_view name) {
  HttpRequest request = upgrade_request();
  std::erase_if(request.fields, [name](const HttpField& field) { return field.name == name; });
  const auto result = check_websocket_handshake(request);
  return result ? 101 : result.error().status;
}

}  // namespace

Test(websocket_handshake, a_good_request_yields_its_key) {
  const HttpRequest request = upgrade_request();
  const auto result = check_websocket_handshake(request);
  cr_assert(result.has_value());
  cr_assert(*result == key);
}

Test(websocket_handshake, tokens_may_stand_in_lists_and_any_case) {
  cr_assert_eq(status_with("Connection", "keep-alive, upgrade"), 101);
  cr_assert_eq(status_with("Upgrade", "WebSocket"), 101);
  cr_assert_eq(status_with("Upgrade", "h2c, websocket"), 101);
}

Test(websocket_handshake, what_is_no_upgrade_is_refused) {
  cr_assert_eq(status_without("Upgrade"), 426);
  cr_assert_eq(status_with("Upgrade", "h2c"), 426);
  cr_assert_eq(status_with("Upgrade", "websockets"), 426);
  cr_assert_eq(status_without("Connection"), 400);
  cr_assert_eq(status_with("Connection", "close"), 400);
  HttpRequest request = upgrade_request();
  request.version_minor = 0;
  cr_assert_eq(check_websocket_handshake(request).error().status, 426);
  request = upgrade_request();
  request.method = HttpMethod::post;
  cr_assert_eq(check_websocket_handshake(request).error().status, 405);
  request = upgrade_request();
  request.has_body = true;
  cr_assert_eq(check_websocket_handshake(request).error().status, 400);
}

Test(websocket_handshake, only_version_13_is_spoken) {
  cr_assert_eq(status_without("Sec-WebSocket-Version"), 426);
  for (const char* version : {"", "8", "14", "013", "13, 8", "x"}) {
    cr_assert_eq(status_with("Sec-WebSocket-Version", version), 426, "%s", version);
  }
}

Test(websocket_handshake, a_key_is_sixteen_bytes_in_base64) {
  cr_assert_eq(status_without("Sec-WebSocket-Key"), 400);
  for (const char* bad :
       {"", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZR==",
        "dGhlIHNhbXBsZSBub25j====", "dGhlIHNhbXBsZSBub25jZQAA",
        "dGhlIHNhbXBsZSBub25-ZQ==", "dGhlIHNhbXBsZSBub25jZQ===", "dGhl HNhbXBsZSBub25jZQ=="}) {
    cr_assert_eq(status_with("Sec-WebSocket-Key", bad), 400, "%s", bad);
  }
  HttpRequest request = upgrade_request();
  request.fields.push_back({"Sec-WebSocket-Key", key});
  cr_assert_eq(check_websocket_handshake(request).error().status, 400, "twice");
}

Test(websocket_handshake, the_acceptance_is_complete) {
  std::string out;
  append_websocket_accept(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "Sun, 06 Nov 1994 08:49:37 GMT");
  cr_assert_eq(out,
               "HTTP/1.1 101 Switching Protocols\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
               "Upgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
}

Test(websocket_handshake, a_refusal_says_what_would_do) {
  std::string out;
  append_websocket_refusal(out, {.date = "d"}, {426, "upgrade_required", "m"});
  cr_assert(out.find("\r\nSec-WebSocket-Version: 13\r\n") != std::string::npos);
  cr_assert(out.find("\r\nUpgrade: websocket\r\n") != std::string::npos);
  out.clear();
  append_websocket_refusal(out, {.date = "d"}, {405, "method_not_allowed", "m"}, true);
  cr_assert(out.find("\r\nAllow: GET\r\n") != std::string::npos);
  cr_assert(out.ends_with("\r\n\r\n"), "HEAD gets no body");
  out.clear();
  append_websocket_refusal(out, {.date = "d"}, {400, "bad_request", "m"});
  cr_assert(out.find("Sec-WebSocket-Version") == std::string::npos);
}
