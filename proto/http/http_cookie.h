// What a request's Cookie fields (RFC 6265, 4.2) say. Pure.
#pragma once

#include <string_view>

#include "proto/http/http_message.h"

namespace videosync {

// Of the first cookie of that name; empty where there is none. A view into the request.
std::string_view cookie_value(const HttpRequest& request, std::string_view name) noexcept;

}  // namespace videosync
