#include "storage/names/languages.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "core/base/text.h"

namespace videosync {

namespace {

struct Language {
  std::string_view tag;
  std::string_view code;        // ISO 639-2, as linguists have it
  std::string_view other_code;  // and as bibliographers do; "": the same
  std::string_view name;
  std::string_view folded_names;  // with blanks between and around: in English and its own
};

constexpr std::array<Language, 62> languages{{
    {"ar", "ara", "", "Arabic", " arabic العربية "},
    {"bg", "bul", "", "Bulgarian", " bulgarian български "},
    {"bn", "ben", "", "Bengali", " bengali bangla "},
    {"bs", "bos", "", "Bosnian", " bosnian bosanski "},
    {"ca", "cat", "", "Catalan", " catalan catala "},
    {"cs", "ces", "cze", "Czech", " czech cestina "},
    {"cy", "cym", "wel", "Welsh", " welsh cymraeg "},
    {"da", "dan", "", "Danish", " danish dansk "},
    {"de", "deu", "ger", "German", " german deutsch "},
    {"el", "ell", "gre", "Greek", " greek ελληνικα "},
    {"en", "eng", "", "English", " english "},
    {"es", "spa", "", "Spanish", " spanish espanol castellano "},
    {"et", "est", "", "Estonian", " estonian eesti "},
    {"eu", "eus", "baq", "Basque", " basque euskara "},
    {"fa", "fas", "per", "Persian", " persian farsi "},
    {"fi", "fin", "", "Finnish", " finnish suomi "},
    {"fil", "fil", "", "Filipino", " filipino "},
    {"fr", "fra", "fre", "French", " french francais "},
    {"ga", "gle", "", "Irish", " irish gaeilge "},
    {"gl", "glg", "", "Galician", " galician galego "},
    {"he", "heb", "", "Hebrew", " hebrew עברית "},
    {"hi", "hin", "", "Hindi", " hindi "},
    {"hr", "hrv", "", "Croatian", " croatian hrvatski "},
    {"hu", "hun", "", "Hungarian", " hungarian magyar "},
    {"hy", "hye", "arm", "Armenian", " armenian "},
    {"id", "ind", "", "Indonesian", " indonesian "},
    {"is", "isl", "ice", "Icelandic", " icelandic islenska "},
    {"it", "ita", "", "Italian", " italian italiano "},
    {"ja", "jpn", "", "Japanese", " japanese 日本語 "},
    {"ka", "kat", "geo", "Georgian", " georgian "},
    {"kk", "kaz", "", "Kazakh", " kazakh "},
    {"ko", "kor", "", "Korean", " korean "},
    {"lt", "lit", "", "Lithuanian", " lithuanian lietuviu "},
    {"lv", "lav", "", "Latvian", " latvian latviesu "},
    {"mk", "mkd", "mac", "Macedonian", " macedonian "},
    {"ml", "mal", "", "Malayalam", " malayalam "},
    {"ms", "msa", "may", "Malay", " malay melayu "},
    {"nb", "nob", "", "Norwegian Bokmål", " bokmal "},
    {"nl", "nld", "dut", "Dutch", " dutch nederlands flemish vlaams "},
    {"nn", "nno", "", "Norwegian Nynorsk", " nynorsk "},
    {"no", "nor", "", "Norwegian", " norwegian norsk "},
    {"pl", "pol", "", "Polish", " polish polski "},
    {"pt", "por", "", "Portuguese", " portuguese portugues "},
    {"ro", "ron", "rum", "Romanian", " romanian romana "},
    {"ru", "rus", "", "Russian", " russian русскии русский "},
    {"sk", "slk", "slo", "Slovak", " slovak slovencina "},
    {"sl", "slv", "", "Slovenian", " slovenian slovene slovenscina "},
    {"sq", "sqi", "alb", "Albanian", " albanian shqip "},
    {"sr", "srp", "", "Serbian", " serbian srpski "},
    {"sv", "swe", "", "Swedish", " swedish svenska "},
    {"sw", "swa", "", "Swahili", " swahili kiswahili "},
    {"ta", "tam", "", "Tamil", " tamil "},
    {"te", "tel", "", "Telugu", " telugu "},
    {"th", "tha", "", "Thai", " thai "},
    {"tl", "tgl", "", "Tagalog", " tagalog "},
    {"tr", "tur", "", "Turkish", " turkish turkce "},
    {"uk", "ukr", "", "Ukrainian", " ukrainian українська "},
    {"ur", "urd", "", "Urdu", " urdu "},
    {"uz", "uzb", "", "Uzbek", " uzbek "},
    {"vi", "vie", "", "Vietnamese", " vietnamese "},
    {"zh", "zho", "chi", "Chinese", " chinese mandarin cantonese "},
    {"hmn", "hmn", "", "Hmong", " hmong "},
}};

}  // namespace

std::string bcp47_of(std::string_view lang) {
  std::string lower(lang);
  for (char& c : lower)
    c = c == '_' ? '-' : ascii_lower(c);
  if (lower.empty()) return "und";
  const std::size_t dash = std::min(lower.find('-'), lower.size());
  const std::string_view primary = std::string_view(lower).substr(0, dash);
  const auto known = std::ranges::find_if(languages, [&](const Language& one) {
    return one.code == primary || one.other_code == primary;
  });
  if (known == languages.end()) return lower;
  return std::string(known->tag) + lower.substr(dash);
}

std::string language_label(std::string_view lang) {
  if (lang == "und") return "Captions";
  const std::size_t dash = lang.find('-');
  const std::string_view primary = lang.substr(0, dash);
  const auto known = std::ranges::find(languages, primary, &Language::tag);
  if (known == languages.end()) return std::string(lang);
  if (dash == std::string_view::npos) return std::string(known->name);
  std::string subtags(lang.substr(dash + 1));
  for (char& c : subtags)
    c = ascii_upper(c);
  return fmt::format("{} ({})", known->name, subtags);
}

std::optional<std::string_view> language_named(std::string_view folded) {
  if (folded.empty() || folded.find(' ') != folded.npos) return std::nullopt;
  const std::string word = fmt::format(" {} ", folded);
  const auto known = std::ranges::find_if(
      languages, [&](const Language& one) { return one.folded_names.contains(word); });
  return known == languages.end() ? std::nullopt : std::optional(known->tag);
}

}  // namespace videosync
