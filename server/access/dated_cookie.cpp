#include "server/access/dated_cookie.h"

#include "core/base/assert.h"
#include "core/base/text.h"
#include "proto/http/http_cookie.h"
#include "server/digest.h"

namespace videosync {

namespace {

Token signature_of(const DatedCookie& cookie, std::string_view until, const Token& key) {
  return sign(key, std::string(cookie.purpose).append(" ").append(until));
}

}  // namespace

bool is_shown(const DatedCookie& cookie, const HttpRequest& request, const Token& key,
              std::int64_t now_s) noexcept {
  const std::string_view text = cookie_value(request, cookie.name);
  const std::size_t dot = text.find('.');
  if (dot == text.npos) return false;
  const std::string_view until = text.substr(0, dot);
  const auto until_s = parse_decimal<std::int64_t>(until);
  const auto signature = parse_token(text.substr(dot + 1));
  if (!until_s || !signature || *until_s < now_s) return false;
  return signature_of(cookie, until, key).equals(*signature);
}

std::string given(const DatedCookie& cookie, const Token& key, std::int64_t now_s, bool is_secure) {
  VS_ASSERT(cookie.lasts_s > 0 && !cookie.purpose.empty());
  const std::string until = std::to_string(now_s + cookie.lasts_s);
  std::string text(cookie.name);
  text.append("=").append(until).append(".");
  text.append(to_hex(signature_of(cookie, until, key).bytes));
  text.append("; Path=/; Max-Age=").append(std::to_string(cookie.lasts_s));
  text += "; HttpOnly; SameSite=Lax";
  if (is_secure) text += "; Secure";
  return text;
}

}  // namespace videosync
