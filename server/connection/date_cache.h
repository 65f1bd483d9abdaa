// DateCache: the Date field's value (RFC 9110, 6.6.1), formatted once a second.
//
// One a worker; one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proto/http/http_conditions.h"

namespace videosync {

class DateCache {
 public:
  // `server_us` is server time. Valid until the next call.
  std::string_view at(std::int64_t server_us) {
    const std::int64_t second = server_us / 1'000'000;
    if (second != second_ || text_.empty()) {
      second_ = second;
      text_ = format_http_date(second);
    }
    return text_;
  }

 private:
  std::int64_t second_ = 0;
  std::string text_;
};

}  // namespace videosync
