// Text as a person looks for it: case and accents aside, however a file system writes them.
//
// Pure functions on UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace videosync {

// Lower case without accents: Latin, Greek, Cyrillic, kana and Hangul, composed (NFC) or not (NFD):
// both give the same. "Amélie" is "amelie"; what is not known stays as it is.
std::string fold_text(std::string_view text);

// What a title is sorted by: folded, without an article at its front ("The Matrix" is "matrix").
std::string fold_title(std::string_view title);

}  // namespace videosync
