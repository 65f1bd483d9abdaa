#include "server/access/create_password.h"

#include "core/base/assert.h"
#include "core/base/text.h"
#include "server/access/dated_cookie.h"
#include "server/digest.h"

namespace videosync {

namespace {

constexpr DatedCookie password_cookie{"videosync_password", "password", 365 * 24 * 3'600};

// A key of fixed length, from which nobody finds the password sooner than by trying.
Token key_of(std::string_view password) noexcept {
  constexpr Token salt{{'v', 'i', 'd', 'e', 'o', 's', 'y', 'n', 'c'}};
  return sign(salt, password);
}

}  // namespace

CreatePassword::CreatePassword(std::string_view password) {
  if (!password.empty()) key_ = key_of(password);
}

bool CreatePassword::is(std::string_view password) const noexcept {
  VS_ASSERT(key_);
  return key_of(password).equals(*key_);
}

bool CreatePassword::allows(const HttpRequest& request, std::int64_t now_s) const noexcept {
  return !key_ || is_shown(password_cookie, request, *key_, now_s);
}

std::optional<std::string> CreatePassword::told_by(const HttpRequest& request) {
  constexpr std::string_view scheme = "Basic ";
  const std::string_view field = request.header("Authorization");
  if (field.size() <= scheme.size()) return std::nullopt;
  if (!equals_ignoring_case(field.substr(0, scheme.size()), scheme)) return std::nullopt;
  const auto told = decode_base64(trim(field.substr(scheme.size()), http_blanks));
  const std::size_t colon = told ? told->find(':') : std::string::npos;
  if (colon == std::string::npos) return std::nullopt;
  return told->substr(colon + 1);
}

std::string CreatePassword::cookie(std::int64_t now_s, bool is_secure) const {
  VS_ASSERT(key_);
  return given(password_cookie, *key_, now_s, is_secure);
}

}  // namespace videosync
