// Refusals that several routes give.
#pragma once

#include "proto/http/http_message.h"

namespace videosync {

inline constexpr HttpFault nothing_there{404, "not_found", "there is nothing at this address"};
inline constexpr HttpFault no_such_session{404, "session_not_found", "no such session"};

// With what passes by itself.
inline constexpr HttpField retry_in_5_s[] = {{"Retry-After", "5"}};

}  // namespace videosync
