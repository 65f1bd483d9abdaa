// Reference: the table of settings as other programs and people read it: a manual page, a file of
// settings to fill in, and completions for shells.
//
// Pure; made of the table that --help is made of, so they say the same. Defaults that depend on the
// machine are left out: these texts are shipped to others.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace videosync {

// For --help and complaints: what generate() knows.
inline constexpr std::string_view reference_kinds = "man, conf, bash, zsh or fish";

// "man": for man(7); "conf": for --config, all of it commented out; "bash", "zsh", "fish": for
// their completion. Nothing: it is another word.
std::optional<std::string> generate_reference(std::string_view kind);

}  // namespace videosync
