// What the name of a file of captions says: whose they are, in which language, and for whom.
//
// Pure functions on the bytes of file names, which need not be UTF-8.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace videosync {

// forced: only what is said in a foreign language; sdh and cc: for who does not hear, sounds
// included.
enum class CaptionKind : std::uint8_t { plain, forced, sdh, cc };

// "" for plain ones.
std::string_view name_of(CaptionKind kind) noexcept;

struct CaptionName {
  std::string_view stem;  // into the argument: the name of the film
  std::string lang{};     // BCP 47 in lower case; "und": it says none
  CaptionKind kind = CaptionKind::plain;
};

// How "film.pt-BR.forced" may be meant, the longest stem first: as the name of a film, or as that
// with one word behind it, or two, up to four. Words are tags (en, eng, pt_BR), languages by name
// (English, "Portuguese (Brazil)") and forced, sdh, cc.
std::vector<CaptionName> caption_names_of(std::string_view stem);

// For a person: "English", "Portuguese (BR, forced)", "Captions (SDH)".
std::string caption_label(std::string_view lang, CaptionKind kind);

}  // namespace videosync
