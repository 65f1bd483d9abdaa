// DatedCookie: a cookie that says until when something counts, and what signs that. Who keeps it
// has no name in it and nothing that a browser could make up. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proto/http/http_message.h"
#include "proto/wire/token.h"

namespace videosync {

struct DatedCookie {
  std::string_view name;
  std::string_view purpose;  // no two that one key signs have the same
  std::int64_t lasts_s;
};

bool is_shown(const DatedCookie& cookie, const HttpRequest& request, const Token& key,
              std::int64_t now_s) noexcept;
// For Set-Cookie. Lax: who follows a link from elsewhere has it with them, and a form there has
// not.
std::string given(const DatedCookie& cookie, const Token& key, std::int64_t now_s, bool is_secure);

}  // namespace videosync
