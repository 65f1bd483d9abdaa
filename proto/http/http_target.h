// HttpTarget: what a request asks for, read from its target (RFC 9112, 3.2).
//
// Pure; any thread.
#pragma once

#include <expected>
#include <string_view>

#include "proto/http/http_message.h"

namespace videosync {

struct HttpTarget {
  std::string_view path;   // as HttpRequest has it
  std::string_view query;  // raw, behind the '?'
  std::string_view host;   // the authority of an absolute form; else empty
};

// Origin form, absolute form, and the asterisk for OPTIONS. The views lie in `target`, or in
// `decoded`, which has room for as many characters. Where it is none: why, for a person.
std::expected<HttpTarget, std::string_view> read_target(HttpMethod method, std::string_view target,
                                                        char* decoded) noexcept;

}  // namespace videosync
