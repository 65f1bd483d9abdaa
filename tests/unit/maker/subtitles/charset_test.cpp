// Old charsets as UTF-8: nothing is lost, and everything stays in its order.
#include "maker/subtitles/charset.h"

#include <criterion/criterion.h>

#include <string>

namespace videosync {
namespace {

TestSuite(charset);

Test(charset, the_last_letter_is_there) {
  // Marks may follow these in their charsets: they are known for good only at the end.
  cr_assert(recognised_text("Ti\xea\xec"
                            "e",
                            "vi") == "Ti\u1ebfe");
  cr_assert(recognised_text("\xa4\xa4\x88\x66", "zh-tw") == "\u4e2d\u00ca");
  cr_assert(recognised_text("\xcf\xf0\xe8", "ru") == "\u041f\u0440\u0438");
}

Test(charset, what_is_no_letter_is_replaced_where_it_stands) {
  cr_assert(recognised_text("e\x90"
                            "a",
                            "vi") == "e\ufffda");
  cr_assert(recognised_text("\xdb", "th") == "\ufffd");
}

Test(charset, other_forms_of_unicode) {
  cr_assert(recognised_text("\xef\xbb\xbfG\xc3\xbcte") == "G\u00fcte");
  cr_assert(recognised_text(std::string("\xff\xfeG\0", 4)) == "G");
  cr_assert(recognised_text("G\xfcte", "de") == "G\u00fcte");
}

}  // namespace
}  // namespace videosync
