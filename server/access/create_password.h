// CreatePassword: who may make sessions and list the library, where the operator asks for a
// password
// (--create-password).
//
// Whoever has said it once is given a cookie, which is signed with a key made of the password: so
// it counts on every node with the same password, also after a restart, and no more once the
// password is another. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proto/http/http_message.h"
#include "proto/wire/token.h"

namespace videosync {

class CreatePassword {
 public:
  // "": none is asked for.
  explicit CreatePassword(std::string_view password);

  bool is_asked_for() const noexcept { return key_.has_value(); }
  // In time that does not depend on where they differ. REQUIRES that one is asked for.
  bool is(std::string_view password) const noexcept;
  // Whether the request may: none is asked for, or it shows the cookie.
  bool allows(const HttpRequest& request, std::int64_t now_s) const noexcept;
  // The password that a program sends along: `Authorization: Basic` (RFC 7617), of any user.
  // Nothing: it does not.
  static std::optional<std::string> told_by(const HttpRequest& request);
  // For Set-Cookie. REQUIRES that one is asked for.
  std::string cookie(std::int64_t now_s, bool is_secure) const;

 private:
  std::optional<Token> key_;
};

}  // namespace videosync
