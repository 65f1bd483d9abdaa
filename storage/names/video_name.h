// What the name of a file says of a video: id, title, place in the list.
//
// Pure functions on the bytes of file names, which need not be UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace videosync {

// Lower-case letters, digits and single dashes, at most 64 characters; "" where the name has no
// ASCII letter or digit.
std::string slug_of(std::string_view name);

// The same 8 hex digits for the same name, always and everywhere (FNV-1a).
std::string name_hash(std::string_view name);

// 10 hex digits of a path, likewise: among 10,000 paths two have the same with a chance of 1 in
// 20,000.
std::string path_hash(std::string_view path);

// As UTF-8, with underscores, dashes, dots and control bytes as single spaces.
std::string title_of(std::string_view stem);

// A strict order: runs of digits by value, ASCII case ignored, equal ones by their bytes.
bool natural_less(std::string_view a, std::string_view b) noexcept;

// Whether a name that came in a URL may be one of a file: not hidden, no control character, no
// backslash or slash, at most 255 bytes. What is listed may have any name.
bool is_servable_name(std::string_view name) noexcept;

}  // namespace videosync
