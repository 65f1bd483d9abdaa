// The token that a request shows: "Authorization: Bearer TOKEN".
//
// Pure, any thread.
#pragma once

#include <string_view>

#include "core/base/text.h"
#include "proto/http/http_message.h"

namespace videosync {

// "": there is none.
inline std::string_view bearer_text(const HttpRequest& request) noexcept {
  constexpr std::string_view scheme = "Bearer ";
  const std::string_view field = request.header("Authorization");
  const bool is_bearer =
      field.size() > scheme.size() && equals_ignoring_case(field.substr(0, scheme.size()), scheme);
  return is_bearer ? trim(field.substr(scheme.size()), http_blanks) : std::string_view();
}

}  // namespace videosync
