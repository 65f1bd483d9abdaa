// The rule for the names of members: what is cleaned away, and what must be left.
//
// The pages have the same rule (www/member_name.js), so that a viewer is told at the field; a table
// of cases (tests/support/member_names.json), which the tests of both read, holds the two together.
// Pure; any thread.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace videosync {

inline constexpr std::size_t member_name_characters_max = 40;

enum class NameFault : std::uint8_t {
  malformed,  // no UTF-8
  empty,      // nothing that can be seen is left
  too_long,   // of member_name_characters_max, after cleaning
};

// `name` without what cannot be seen or turns the direction of writing; runs of blanks, line
// separators among them, are one space, and none stands at the ends. Kept is what makes other
// characters: joiners (U+200C, U+200D) inside a word or an emoji, but not behind an ASCII
// character; one variation selector behind a character; the tags of a flag. Cleaning what is clean
// changes nothing.
std::expected<std::string, NameFault> clean_member_name(std::string_view name);

}  // namespace videosync
