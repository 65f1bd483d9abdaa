// Query strings and percent-encoding (RFC 3986, and the '+' of HTML forms). Pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace videosync {

// The decoded value of the first `name=...` of a raw query ("session=abc&name=J%C3%B6rg").
// "" where the name stands without a value. None where the name is absent, or its value has a bad
// escape, a control byte, or is not UTF-8. Names are compared decoded.
std::optional<std::string> query_value(std::string_view query, std::string_view name);

// Decodes %XX once; '+' becomes a blank where asked. `out` has room for text.size() bytes. The
// decoded length, or none at a bad escape.
std::optional<std::size_t> percent_decode(std::string_view text, bool plus_is_blank,
                                          char* out) noexcept;

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text) noexcept;
// How many bytes at the front are UTF-8.
std::size_t utf8_prefix(std::string_view text) noexcept;

// Bytes below 0x20, and 0x7f.
bool has_control_bytes(std::string_view text) noexcept;

}  // namespace videosync
