// Query strings (RFC 3986, and the '+' of HTML forms). Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace videosync {

// The decoded value of the first `name=...` of a raw query ("session=abc&name=J%C3%B6rg").
// "" where the name stands without a value. None where the name is absent, or its value has a bad
// escape, a control byte, or is not UTF-8. Names are compared decoded.
std::optional<std::string> query_value(std::string_view query, std::string_view name);

// The same value for who judges it: whatever bytes it has, and as it is written where it has a bad
// escape. "" where there is none.
std::string query_bytes(std::string_view query, std::string_view name);

}  // namespace videosync
