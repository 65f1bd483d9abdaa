#include "proto/http/http_query.h"

#include <criterion/criterion.h>

#include <array>
#include <utility>

using namespace videosync;

Test(http_query, values_are_found_and_decoded) {
  constexpr std::string_view query = "a=1&b=x+y%21&c&d=&%65=f=g&a=2&j=J%C3%B6rg";
  cr_assert(query_value(query, "a") == "1", "the first one counts");
  cr_assert(query_value(query, "b") == "x y!");
  cr_assert(query_value(query, "c") == "");
  cr_assert(query_value(query, "d") == "");
  cr_assert(query_value(query, "e") == "f=g", "names are decoded too");
  cr_assert(query_value(query, "j") == "J\xc3\xb6rg");
  cr_assert_not(query_value(query, "x").has_value());
  cr_assert_not(query_value("", "a").has_value());
  cr_assert_not(query_value("ab=1", "a").has_value());
  cr_assert(query_value("&&a=1&", "a") == "1");
}

Test(http_query, bad_values_are_none) {
  for (const char* query : {"a=%", "a=%4", "a=%gg", "a=%00", "a=x%0Ay", "a=%ff", "a=%c0%80"}) {
    cr_assert_not(query_value(query, "a").has_value(), "%s", query);
  }
}

Test(http_query, escapes_are_decoded_once) {
  char out[8];
  const auto length = percent_decode("%2541+", false, out);
  cr_assert(length == 4u);
  cr_assert(std::string_view(out, 4) == "%41+");
}

Test(http_query, utf8_is_checked_to_the_letter) {
  constexpr std::array<std::pair<std::string_view, bool>, 18> table{{
      {"", true},
      {"abc", true},
      {"\xc2\x80", true},
      {"\xdf\xbf", true},
      {"\xe0\xa0\x80", true},
      {"\xed\x9f\xbf", true},
      {"\xef\xbf\xbf", true},
      {"\xf0\x90\x80\x80", true},
      {"\xf4\x8f\xbf\xbf", true},
      {"\x80", false},
      {"\xc1\xbf", false},          // overlong
      {"\xe0\x9f\xbf", false},      // overlong
      {"\xf0\x8f\xbf\xbf", false},  // overlong
      {"\xed\xa0\x80", false},      // surrogate
      {"\xf4\x90\x80\x80", false},  // above U+10FFFF
      {"\xf5\x80\x80\x80", false},
      {"\xe2\x82", false},  // cut short
      {"a\xc3(", false},
  }};
  for (std::size_t i = 0; i < table.size(); ++i) {
    cr_assert_eq(is_utf8(table[i].first), table[i].second, "row %zu", i);
  }
  cr_assert_eq(utf8_prefix("ab\xff"), 2u);
}
