#include "server/http/security_headers.h"

#include <fmt/core.h>

namespace videosync {

std::string content_security_policy(std::span<const std::string> sources) {
  std::string origins;
  for (const std::string& source : sources)
    origins += " " + source;
  return fmt::format(
      "{}media-src 'self' blob:{}; connect-src 'self'{}; object-src 'none'; base-uri 'none'; "
      "form-action 'self'; frame-ancestors 'none'",
      content_security_policy_start, origins, origins);
}

}  // namespace videosync
