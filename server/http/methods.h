// Methods that a path takes. Called on the connection's worker.
#pragma once

#include <string_view>

#include "proto/http/http_message.h"

namespace videosync {

class Connection;

bool is_read(const HttpRequest& request) noexcept;
// 405; `allow` is the field's value.
void refuse_method(Connection& connection, std::string_view allow);

}  // namespace videosync
