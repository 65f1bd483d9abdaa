#include "proto/http/http_query.h"

#include <criterion/criterion.h>

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

Test(http_query, bytes_for_who_judges_them) {
  using namespace std::string_literals;
  cr_assert(query_bytes("b=1&a=x%00%0Ay+%ff&a=2", "a") == "x\0\ny \xff"s);
  cr_assert(query_bytes("a=100%", "a") == "100%");
  cr_assert(query_bytes("a=%4&a=2", "a") == "%4", "the first one counts");
  cr_assert(query_bytes("a", "a").empty());
  cr_assert(query_bytes("b=1", "a").empty());
}
