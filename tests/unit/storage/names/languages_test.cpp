// Languages by tag, by code and by name.
#include "storage/names/languages.h"

#include <criterion/criterion.h>

#include "storage/names/text_fold.h"

using namespace videosync;

Test(languages, codes_of_three_letters_become_tags) {
  cr_assert_eq(bcp47_of("ger"), "de");
  cr_assert_eq(bcp47_of("deu"), "de");
  cr_assert_eq(bcp47_of("POR-BR"), "pt-br");
  cr_assert_eq(bcp47_of("pt_BR"), "pt-br");
  cr_assert_eq(bcp47_of("tlh"), "tlh");
  cr_assert_eq(bcp47_of(""), "und");
}

Test(languages, tags_have_labels) {
  cr_assert_eq(language_label("en"), "English");
  cr_assert_eq(language_label("de"), "German");
  cr_assert_eq(language_label("pt-br"), "Portuguese (BR)");
  cr_assert_eq(language_label("tlh"), "tlh");
  cr_assert_eq(language_label("und"), "Captions");
}

Test(languages, names_are_known_in_english_and_in_their_own) {
  cr_assert_eq(language_named("english").value(), "en");
  for (const char* name : {"Français", "FRENCH", "franc\u0327ais"})
    cr_assert_eq(language_named(fold_text(name)).value(), "fr", "%s", name);
  cr_assert_eq(language_named(fold_text("Русский")).value(), "ru");
  cr_assert_eq(language_named(fold_text("Ελληνικά")).value(), "el");
  cr_assert(!language_named("engl"));
  cr_assert(!language_named(""));
  cr_assert(!language_named("danish dansk"));
}
