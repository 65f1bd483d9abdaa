// Ids, titles and order out of file names.
#include "storage/names/video_name.h"

#include <criterion/criterion.h>

#include <algorithm>
#include <vector>

using namespace videosync;

Test(video_name, slugs_are_url_safe) {
  cr_assert_eq(slug_of("Big Buck Bunny"), "big-buck-bunny");
  cr_assert_eq(slug_of("__A..B--c__"), "a-b-c");
  cr_assert_eq(slug_of("Am\xc3\xa9lie"), "am-lie");
  cr_assert_eq(slug_of("\xd1\x84\xd0\xb8\xd0\xbb\xd1\x8c\xd0\xbc"), "");
  cr_assert_eq(slug_of(std::string(300, 'a')).size(), 64);
}

Test(video_name, titles_are_readable_and_utf8) {
  cr_assert_eq(title_of("big_buck-bunny.2008"), "big buck bunny 2008");
  cr_assert_eq(title_of("__x__"), "x");
  cr_assert_eq(title_of("Am\xc3\xa9lie"), "Am\xc3\xa9lie");
  cr_assert_eq(title_of("bad\xff"
                        "byte"),
               "bad\xef\xbf\xbd"
               "byte");
  cr_assert_eq(title_of("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd", "overlong");
  cr_assert_eq(title_of("\xe2\x82"), "\xef\xbf\xbd\xef\xbf\xbd", "cut short");
  cr_assert_eq(title_of(""), "");
}

Test(video_name, order_is_natural) {
  std::vector<std::string> names{"part 10", "Part 2", "part 1", "alpha", "part 002b", "part"};
  std::sort(names.begin(), names.end(), natural_less);
  const std::vector<std::string> expected{"alpha",  "part",      "part 1",
                                          "Part 2", "part 002b", "part 10"};
  cr_assert(names == expected);
  cr_assert(!natural_less("a", "a"));
  cr_assert(natural_less("A1", "a01") != natural_less("a01", "A1"), "equal ones: by their bytes");
  cr_assert(natural_less("x99999999999999999999998", "x99999999999999999999999"), "any length");
}

Test(video_name, some_names_are_never_served) {
  cr_assert(is_servable_name("a..b"));
  for (const std::string_view bad :
       {std::string_view(""), std::string_view("."), std::string_view(".."),
        std::string_view(".hidden"), std::string_view("a\\b"), std::string_view("a/b"),
        std::string_view("a\0b", 3), std::string_view("a\nb"), std::string_view("a\x7f")}) {
    cr_assert(!is_servable_name(bad));
  }
  cr_assert(!is_servable_name(std::string(256, 'a')));
}
