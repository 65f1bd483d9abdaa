// Languages as files and people call them, and as browsers want them (BCP 47, in lower case).
//
// Pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace videosync {

// "de" for "ger" and "deu", "pt-br" for "pt_BR"; what is unknown stays as it is, in lower case;
// "und" for nothing.
std::string bcp47_of(std::string_view lang);

// "English" for "en", "Portuguese (BR)" for "pt-br"; the tag itself where the table does not know
// it.
std::string language_label(std::string_view lang);

// The tag of a language by its name, in English or its own: one word, folded (text_fold.h).
std::optional<std::string_view> language_named(std::string_view folded);

}  // namespace videosync
