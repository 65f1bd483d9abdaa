#include "server/access/browser_cookie.h"

#include <array>
#include <cstdint>
#include <string_view>

#include "core/base/assert.h"
#include "core/base/byte_codec.h"
#include "core/base/text.h"
#include "proto/http/http_cookie.h"
#include "server/digest.h"

namespace videosync {

namespace {

constexpr std::string_view cookie_name = "videosync_browser";
constexpr std::string_view browser_purpose = "browser ";  // the key may sign other things, too
constexpr std::size_t id_digits = 16;

std::string id_text(BrowserId browser) {
  ByteWriter writer;
  writer.put(browser.value);
  const std::string bytes = writer.take_bytes();
  return to_hex({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

Token signature_of(std::string_view id, const Token& key) {
  return sign(key, std::string(browser_purpose).append(id));
}

}  // namespace

BrowserId browser_of(const HttpRequest& request, const Token& key) noexcept {
  const std::string_view text = cookie_value(request, cookie_name);
  if (text.size() <= id_digits || text[id_digits] != '.') return {};
  const std::string_view id = text.substr(0, id_digits);
  const auto signature = parse_token(text.substr(id_digits + 1));
  std::array<std::uint8_t, 8> bytes;
  if (!signature || !parse_hex(id, bytes)) return {};
  if (!signature_of(id, key).equals(*signature)) return {};
  ByteReader reader({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return {reader.get<std::uint64_t>()};
}

// A month: longer than people want a session to last. Strict, for no page leads to /ws.
std::string browser_cookie(BrowserId browser, const Token& key, bool is_secure) {
  VS_ASSERT(browser);
  const std::string id = id_text(browser);
  std::string text(cookie_name);
  text.append("=").append(id).append(".").append(to_hex(signature_of(id, key).bytes));
  text += "; Path=/ws; Max-Age=2592000; HttpOnly; SameSite=Strict";
  if (is_secure) text += "; Secure";
  return text;
}

}  // namespace videosync
