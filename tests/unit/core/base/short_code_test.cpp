#include "core/base/short_code.h"

#include <criterion/criterion.h>

#include <array>
#include <string>

#include "core/base/random.h"

using videosync::ShortCode;

namespace {

constexpr ShortCode of(std::uint64_t value) {
  return ShortCode{value};
}

}  // namespace

Test(short_code, is_shown_in_two_halves) {
  cr_assert_eq(of(1).to_string(), "0000-0001");
  cr_assert_eq(of(ShortCode::value_max).to_string(), "ZZZZ-ZZZZ");
  // Each digit of the alphabet, by its value.
  std::string shown;
  for (std::uint64_t value = 0; value < 32; ++value)
    shown += of(value).to_digits().back();
  cr_assert_eq(shown, "0123456789ABCDEFGHJKMNPQRSTVWXYZ");
}

Test(short_code, what_is_shown_is_read) {
  for (int i = 0; i < 1'000; ++i) {
    std::array<std::uint8_t, 5> bytes;
    videosync::fill_random(bytes);
    const ShortCode code = ShortCode::of_random(bytes);
    if (!code) continue;
    const auto digits = code.to_digits();
    cr_assert(ShortCode::parse(code.to_string()) == code, "%s", code.to_string().c_str());
    cr_assert(ShortCode::parse({digits.data(), digits.size()}) == code);
  }
}

Test(short_code, case_dashes_and_spaces_do_not_count) {
  const auto code = ShortCode::parse("ABCD-EFGH");
  cr_assert(code.has_value());
  for (const char* written : {"abcd-efgh", "ABCDEFGH", "aBcDeFgH", "ABCD EFGH", " abcd - efgh ",
                              "AB CD EF GH", "A-B-C-D-E-F-G-H"})
    cr_assert(ShortCode::parse(written) == code, "%s", written);
}

Test(short_code, letters_that_look_like_a_figure_are_that_figure) {
  const auto code = ShortCode::parse("0011-1100");
  cr_assert(code.has_value());
  for (const char* written : {"OOIL-LIOO", "oo1l-ilo0", "0oIl1I0O"})
    cr_assert(ShortCode::parse(written) == code, "%s", written);
}

Test(short_code, what_is_no_code_is_refused) {
  for (const char* written :
       {"", "-", "ABCD-EFG", "ABCD-EFGHJ", "ABCD-EFGU", "ABCD_EFGH", "ABCD-EFG\xc3", "ABCD-EFG\n",
        "0000-0000", "0b6f6a0e-6c1e-4d5a-9d2b-0c5f5c5f9a10", "/ABCDEFG"})
    cr_assert_not(ShortCode::parse(written).has_value(), "%s", written);
  cr_assert_not(ShortCode::parse({"ABCD\0EFGH", 9}).has_value());
}

Test(short_code, what_is_longer_than_anybody_writes_is_none) {
  const std::string code = "0123-4567";
  const std::string wide = code + std::string(ShortCode::typed_max - code.size(), ' ');
  cr_assert(ShortCode::parse(wide).has_value());
  cr_assert_not(ShortCode::parse(wide + ' ').has_value());
}
