#include "proto/http/http_cookie.h"

#include <criterion/criterion.h>

#include <string>

using namespace videosync;

namespace {

std::string value_in(std::vector<std::string_view> fields) {
  HttpRequest request;
  request.fields.push_back({"Host", "x"});
  for (const std::string_view field : fields)
    request.fields.push_back({"cOOkie", field});
  return std::string(cookie_value(request, "me"));
}

}  // namespace

Test(http_cookie, it_is_found_by_its_whole_name) {
  cr_assert_eq(value_in({}), "");
  cr_assert_eq(value_in({"me=1"}), "1");
  cr_assert_eq(value_in({"a=b; me=1.2=3; c=d"}), "1.2=3");
  cr_assert_eq(value_in({"me2=x; notme=y; ME=z"}), "");
  cr_assert_eq(value_in({"me"}), "");
  cr_assert_eq(value_in({"me="}), "");
  cr_assert_eq(value_in({";;me=1;;"}), "1");
  cr_assert_eq(value_in({"me=first; me=second"}), "first");
}

Test(http_cookie, it_may_stand_in_a_field_of_its_own) {
  cr_assert_eq(value_in({"a=b", "me=1"}), "1");
}
