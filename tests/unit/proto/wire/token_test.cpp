#include "proto/wire/token.h"

#include <criterion/criterion.h>

#include <cstdint>

using namespace videosync;

namespace {

constexpr std::string_view hex = "000102030405060708090a0b0c0d0eff";

}  // namespace

Test(token, member_ids_read_back) {
  for (const std::uint32_t value : {1u, 9u, 10u, 4'294'967'295u}) {
    const std::string text = member_id_to_string(MemberId{value});
    cr_assert(parse_member_id(text) == MemberId{value}, "%s", text.c_str());
  }
  cr_assert_eq(member_id_to_string(MemberId{17}), "m17");
}

Test(token, what_is_no_member_id) {
  for (const char* text : {"", "m", "17", "m0", "m01", "m-1", "m+1", "m1 ", " m1", "M1", "m1x",
                           "m4294967296", "m99999999999999999999"}) {
    cr_assert_not(parse_member_id(text).has_value(), "'%s'", text);
  }
}

Test(token, tokens_read_back_in_either_case) {
  const auto token = parse_token(hex);
  cr_assert(token.has_value());
  cr_assert_eq(token->bytes[1], 1);
  cr_assert_eq(token->bytes[15], 0xff);
  cr_assert_eq(token_to_string(*token), hex);
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

Test(token, resume_tokens_read_back) {
  const std::string text = "m42." + std::string(hex);
  const auto token = parse_resume_token(text);
  cr_assert(token.has_value());
  cr_assert_eq(token->member.value, 42u);
  cr_assert_eq(resume_token_to_string(*token), text);
  for (const std::string& bad : {std::string("m42"), std::string("."), "m0." + std::string(hex),
                                 "m42" + std::string(hex), text + "0", "." + std::string(hex)}) {
    cr_assert_not(parse_resume_token(bad).has_value(), "'%s'", bad.c_str());
  }
}
