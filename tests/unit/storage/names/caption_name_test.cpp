// Languages and kinds of captions out of file names.
#include "storage/names/caption_name.h"

#include <criterion/criterion.h>

using namespace videosync;

namespace {

struct Said {
  std::string_view name;
  std::string_view stem;
  std::string_view lang;
  CaptionKind kind = CaptionKind::plain;
};

}  // namespace

Test(caption_name, the_film_and_what_is_said_of_it) {
  using enum CaptionKind;
  for (const Said& one : {
           Said{"film.en", "film", "en"},
           {"film.eng", "film", "en"},
           {"film.ger", "film", "de"},
           {"film.English", "film", "en"},
           {"film.DEUTSCH", "film", "de"},
           {"film.Français", "film", "fr"},
           {"film.pt-BR", "film", "pt-br"},
           {"film.pt_BR", "film", "pt-br"},
           {"film.por-BR", "film", "pt-br"},
           {"film.pob", "film", "pt-br"},
           {"film.Portuguese (Brazil)", "film", "pt-br"},
           {"film.Brazilian Portuguese", "film", "pt-br"},
           {"film.Latin American Spanish", "film", "es-419"},
           {"film.Chinese (Simplified)", "film", "zh-hans"},
           {"film.zh_Hant", "film", "zh-hant"},
           {"film.es-419", "film", "es-419"},
           {"film.eng.forced", "film", "en", forced},
           {"film.forced.en", "film", "en", forced},
           {"film.en.sdh", "film", "en", sdh},
           {"film.en.SDH", "film", "en", sdh},
           {"film.en.cc", "film", "en", cc},
           {"film.en.hi", "film", "en", sdh},
           {"film.hi", "film", "hi"},
           {"film.hi.forced", "film", "hi", forced},
           {"film.English-SDH", "film", "en", sdh},
           {"film.English (Forced)", "film", "en", forced},
           {"film.en-cc", "film", "en", cc},
           {"film.de.full", "film", "de"},
           {"film.forced", "film", "und", forced},
           {"film.und", "film", "und"},
           {"The Film.2020.1080p.x264-GRP.en.sdh", "The Film.2020.1080p.x264-GRP", "en", sdh},
           {"film.tlh", "film", "tlh"},
       }) {
    const CaptionName name = caption_names_of(one.name).back();
    cr_assert_eq(name.stem, one.stem, "%s", one.name.data());
    cr_assert_eq(name.lang, one.lang, "%s: %s", one.name.data(), name.lang.c_str());
    cr_assert_eq(name.kind, one.kind, "%s", one.name.data());
  }
}

Test(caption_name, what_says_nothing_of_captions_is_the_films) {
  for (const char* name : {"film", "film.e", "film.", ".en", "film.e1", "film.2", "film.part one",
                           "film.simplified", "film.Commentary", "", "."}) {
    const auto names = caption_names_of(name);
    cr_assert_eq(names.size(), 1, "%s", name);
    cr_assert_eq(names.front().stem, name);
    cr_assert_eq(names.front().lang, "und");
  }
  cr_assert_eq(caption_names_of(std::string(300, 'a') + "." + std::string(300, 'b')).size(), 1);
}

// A film may be called like a language.
Test(caption_name, every_way_to_read_it_is_told_the_longest_stem_first) {
  const auto names = caption_names_of("it.en.forced");
  cr_assert_eq(names.size(), 3);
  cr_assert_eq(names[0].stem, "it.en.forced");
  cr_assert_eq(names[1].stem, "it.en");
  cr_assert_eq(names[1].lang, "und");
  cr_assert_eq(names[2].stem, "it");
  cr_assert_eq(names[2].lang, "en");
  cr_assert_eq(caption_names_of("it.fr.en").back().stem, "it.fr",
               "a second language is the film's");
}

Test(caption_name, labels_tell_kinds_apart) {
  cr_assert_eq(caption_label("en", CaptionKind::plain), "English");
  cr_assert_eq(caption_label("en", CaptionKind::forced), "English (forced)");
  cr_assert_eq(caption_label("pt-br", CaptionKind::sdh), "Portuguese (BR, SDH)");
  cr_assert_eq(caption_label("und", CaptionKind::cc), "Captions (CC)");
}
