// Validators and conditional requests (RFC 9110, 8.8 and 13), and the dates they speak (5.6.7).
//
// Pure functions; times are whole seconds since the Unix epoch and come from the caller.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proto/http/http_request.h"

namespace videosync {

// "Sun, 06 Nov 1994 08:49:37 GMT". Years 0 to 9999; times outside are clamped.
std::string format_http_date(std::int64_t unix_s);

// Any of the three forms. `now_s` settles the century of a two-digit year.
std::optional<std::int64_t> parse_http_date(std::string_view text, std::int64_t now_s) noexcept;

// What is to be sent, as it stands now.
struct Validators {
  std::string_view etag;             // strong, quotes included
  std::int64_t last_modified_s = 0;  // the file's mtime, rounded down
};

enum class Condition : std::uint8_t { serve, not_modified, precondition_failed };  // -, 304, 412

struct ConditionOutcome {
  Condition condition = Condition::serve;
  bool range_applies = false;  // the request has one Range field, is a GET and If-Range agrees
};

// In the order of RFC 9110, 13.2.2, for a resource that exists.
ConditionOutcome evaluate_conditions(const HttpRequest& request, const Validators& current,
                                     std::int64_t now_s) noexcept;

}  // namespace videosync
