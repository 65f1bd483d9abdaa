// The forms of --redis: where a Redis is, without talking to it.
//
//   redis://[user:password@]host:port[/db]
//   redis+unix:PATH
//   redis+sentinel://host:port[,host:port...]/NAME
//
// Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "core/base/error.h"

namespace videosync {

// Errors never repeat a password.
Result<> check_redis_url(std::string_view url);

// The URL with its password, if any, as "***": for logs and messages.
std::string without_password(std::string_view url);

}  // namespace videosync
