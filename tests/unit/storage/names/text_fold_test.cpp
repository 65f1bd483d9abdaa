// Titles as they are sorted and looked for.
#include "storage/names/text_fold.h"

#include <criterion/criterion.h>

using namespace videosync;

Test(text_fold, case_and_accents_do_not_count) {
  cr_assert_eq(fold_text("Am\u00e9lie"), "amelie");
  cr_assert_eq(fold_text("Stra\u00dfe \u00c6ther \u0141\u00f3d\u017a"), "strasse aether lodz");
  cr_assert_eq(fold_text("\u0424\u0438\u043b\u044c\u043c"), "\u0444\u0438\u043b\u044c\u043c");
  cr_assert_eq(fold_text("\u038c\u03bc\u03b7\u03c1\u03bf\u03c2"),
               fold_text("\u03bf\u03bc\u03b7\u03c1\u03bf\u03c3"));
  cr_assert_eq(fold_text("\uff21\uff42\uff11"), "ab1");
  cr_assert_eq(fold_text("\u4e2d\u56fd 2"), "\u4e2d\u56fd 2", "what has no case stays");
  cr_assert_eq(fold_text("\u03a2\u0181"), "\u03a2\u0181", "of the first there is none");
  cr_assert_eq(fold_text("bad\xff"), "bad\ufffd");
  cr_assert_eq(fold_text(""), "");
}

Test(text_fold, both_ways_of_writing_a_letter_are_one) {
  cr_assert_eq(fold_text("caf\u00e9"), fold_text("cafe\u0301"));
  cr_assert_eq(fold_text("\u0439\u0451"), fold_text("\u0438\u0306\u0435\u0308"));
  cr_assert_eq(fold_text("\u0407\u0457\u040e\u0453"),
               fold_text("\u0456\u0308\u0456\u0308\u0443\u0306\u0433\u0301"));
  cr_assert_eq(fold_text("\u03aa\u03cb\u1f04\u1fc7"), "\u03b9\u03c5\u03b1\u03b7");
  cr_assert_eq(fold_text("\u0218i \u021bara"), "si tara");
  cr_assert_eq(fold_text("Ti\u1ebfng Vi\u1ec7t \u01a0\u01b0"),
               fold_text("tieng viet O\u031bu\u031b"));
  cr_assert_eq(fold_text("\u01e2\u01fe\u1e9b"), "aeos");
  cr_assert_eq(fold_text("\u304c\u3071\u30d6\u30f4"),
               fold_text("\u304b\u3099\u306f\u309a\u30d5\u3099\u30a6\u3099"));
  cr_assert_eq(fold_text("\ud55c"), fold_text("\u1112\u1161\u11ab"));
  cr_assert_eq(fold_text("\uac00"), "\u1100\u1161");
}

Test(text_fold, articles_do_not_count_in_front) {
  cr_assert_eq(fold_title("The Matrix"), "matrix");
  cr_assert_eq(fold_title("L'Avventura"), "avventura");
  cr_assert_eq(fold_title("Das Boot"), "boot");
  cr_assert_eq(fold_title("Theatre"), "theatre");
  cr_assert_eq(fold_title("The "), "the ");
  cr_assert_eq(fold_title("A"), "a");
}
