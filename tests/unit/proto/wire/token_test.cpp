#include "proto/wire/token.h"

#include <criterion/criterion.h>

using namespace videosync;

namespace {

constexpr std::string_view hex = "000102030405060708090a0b0c0d0eff";

}  // namespace

Test(token, a_member_id_is_m_and_a_number) {
  cr_assert(parse_member_id("m1") == MemberId{1});
  cr_assert(parse_member_id("m17") == MemberId{17});
  cr_assert(parse_member_id("m4294967295") == MemberId{4'294'967'295});
}

Test(token, what_is_no_member_id) {
  for (const char* text : {"", "m", "17", "m0", "m01", "m-1", "m+1", "m1 ", " m1", "M1", "m1x",
                           "m4294967296", "m99999999999999999999"}) {
    cr_assert_not(parse_member_id(text).has_value(), "'%s'", text);
  }
}

Test(token, a_token_has_32_digits_in_either_case) {
  const auto token = parse_token(hex);
  cr_assert(token.has_value());
  cr_assert_eq(token->bytes[1], 1);
  cr_assert_eq(token->bytes[15], 0xff);
  const auto upper = parse_token("000102030405060708090A0B0C0D0EFF");
  cr_assert(upper && upper->equals(*token));
}

Test(token, what_is_no_token) {
  const std::string text(hex);
  for (const std::string& bad : {std::string(), text.substr(1), text + "0", "g" + text.substr(1),
                                 text.substr(1) + " ", "0x" + text.substr(2)}) {
    cr_assert_not(parse_token(bad).has_value(), "'%s'", bad.c_str());
  }
}

Test(token, a_resume_token_is_both) {
  const std::string text = "m42." + std::string(hex);
  const auto token = parse_resume_token(text);
  cr_assert(token.has_value());
  cr_assert_eq(token->member.value, 42u);
  cr_assert(token->secret.equals(*parse_token(hex)));
  for (const std::string& bad : {std::string("m42"), std::string("."), "m0." + std::string(hex),
                                 "m42" + std::string(hex), text + "0", "." + std::string(hex)}) {
    cr_assert_not(parse_resume_token(bad).has_value(), "'%s'", bad.c_str());
  }
}
