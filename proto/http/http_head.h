// What the fields of a whole head say together: host, framing, connection (RFC 9112).
//
// Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>

#include "proto/http/http_message.h"

namespace videosync {

// Reads `host`, `has_body`, `keep_alive` and `expect_continue` of a request that has its request
// line and its fields; a body that has_body announces is chunked where there is a
// Transfer-Encoding, and else as long as Content-Length says. A fault where the head must be
// refused; whatever two readers could understand differently is.
std::optional<HttpFault> judge_head(HttpRequest& request, std::size_t body_bytes_max) noexcept;

}  // namespace videosync
