// OriginPolicy: which web pages may open a WebSocket here (RFC 6454, RFC 6455 section 10.2).
//
// Immutable after its making; any thread. Without an Origin the client is no browser: allowed. A
// page of the same host and port is allowed; others must be on the operator's list.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"

namespace videosync {

// "https://host[:port]" in lower case, without a port that is the scheme's default. Nothing: `text`
// is no origin, or more than one.
std::optional<std::string> canonical_origin(std::string_view text);

class OriginPolicy {
 public:
  // Entries are "https://example.org[:port]", "null" or "*" (every page).
  static Result<OriginPolicy> create(std::span<const std::string> entries);

  // `host` is what the browser asked for: the Host field, or the trusted proxy's
  // X-Forwarded-Host. Schemes are not compared, since TLS often ends before us; a port that is
  // the origin's default counts as none. Does not allocate.
  bool allows(std::optional<std::string_view> origin, std::string_view host) const noexcept;

 private:
  std::vector<std::string> origins_;  // lower case, without a default port
  bool allow_all_ = false;
};

}  // namespace videosync
