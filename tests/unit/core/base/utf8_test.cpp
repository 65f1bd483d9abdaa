#include "core/base/utf8.h"

#include <criterion/criterion.h>

#include <string>
#include <vector>

using videosync::count_code_points;
using videosync::is_valid_utf8;
using videosync::to_utf8;
using videosync::utf8_prefix;
using videosync::utf8_sequence_length;
using videosync::Utf8Validator;

namespace {

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

const std::vector<std::string> valid_texts{
    "",
    "plain text, longer than one word of eight",
    "\xc2\x80 \xdf\xbf",
    "\xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf",
    "\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf",
    "01234567\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5",
};

struct BadText {
  std::string bytes;
  std::size_t good_bytes;  // before the one that can no longer be right
};

const std::vector<BadText> bad_texts{
    {"\x80", 0},              // a continuation of nothing
    {"ab\xbf", 2},            //
    {"\xc0\xaf", 0},          // overlong
    {"\xc1\xbf", 0},          //
    {"\xe0\x9f\xbf", 1},      //
    {"\xf0\x8f\xbf\xbf", 1},  //
    {"\xed\xa0\x80", 1},      // a surrogate
    {"\xf4\x90\x80\x80", 1},  // past U+10FFFF
    {"\xf5", 0},              //
    {"\xff", 0},              //
    {"\xe2\x82g", 2},         // cut short by another
    {"01234567\xc3(", 9},     //
};

}  // namespace

Test(utf8, valid_text_is_valid_however_it_is_cut) {
  for (const std::string& text : valid_texts) {
    cr_assert(is_valid_utf8(text));
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
      Utf8Validator validator;
      cr_assert(validator.feed(bytes_of(text).first(cut)));
      cr_assert(validator.feed(bytes_of(text).subspan(cut)));
      cr_assert(validator.is_complete());
    }
  }
}

Test(utf8, fails_at_the_first_bad_byte) {
  for (const BadText& bad : bad_texts) {
    Utf8Validator validator;
    cr_assert(validator.feed(bytes_of(bad.bytes).first(bad.good_bytes)));
    cr_assert_not(validator.feed(bytes_of(bad.bytes).subspan(bad.good_bytes, 1)));
    cr_assert_not(validator.feed(bytes_of("fine")), "a failure stays");
    validator.reset();
    cr_assert(validator.feed(bytes_of("fine")));
    cr_assert_not(is_valid_utf8(bad.bytes));
  }
}

Test(utf8, every_code_point_and_no_surrogate) {
  for (char32_t c = 0; c <= 0x110000; ++c) {
    std::string text;
    const auto put = [&text](char32_t byte) { text += static_cast<char>(byte); };
    if (c < 0x80) {
      put(c);
    } else if (c < 0x800) {
      put(0xc0 | c >> 6), put(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
      put(0xe0 | c >> 12), put(0x80 | (c >> 6 & 0x3f)), put(0x80 | (c & 0x3f));
    } else {
      put(0xf0 | c >> 18), put(0x80 | (c >> 12 & 0x3f)), put(0x80 | (c >> 6 & 0x3f));
      put(0x80 | (c & 0x3f));
    }
    const bool is_scalar = c < 0x110000 && (c < 0xd800 || c > 0xdfff);
    cr_assert_eq(is_valid_utf8(text), is_scalar, "U+%x", static_cast<unsigned>(c));
    if (is_scalar) cr_assert_eq(count_code_points(text), 1u);
  }
}

Test(utf8, text_that_ends_inside_a_character_is_not_complete) {
  Utf8Validator validator;
  cr_assert(validator.feed(bytes_of("\xe2\x82")));
  cr_assert_not(validator.is_complete());
  cr_assert_not(is_valid_utf8("\xe2\x82"));
}

Test(utf8, a_prefix_cuts_no_character) {
  const std::string_view text = "a\xe2\x82\xac\xf0\x9f\x98\x80";  // 1, 3 and 4 bytes
  cr_assert_eq(count_code_points(text), 3u);
  const std::size_t expected[] = {0, 1, 1, 1, 4, 4, 4, 4, 8, 8};
  for (std::size_t bytes_max = 0; bytes_max < std::size(expected); ++bytes_max) {
    cr_assert_eq(utf8_prefix(text, bytes_max).size(), expected[bytes_max]);
  }
}

Test(utf8, the_first_code_point_has_its_length) {
  cr_assert_eq(utf8_sequence_length("a\xff"), 1u);
  cr_assert_eq(utf8_sequence_length("\xc3\xa9x"), 2u);
  cr_assert_eq(utf8_sequence_length("\xe2\x82\xac"), 3u);
  cr_assert_eq(utf8_sequence_length("\xf0\x9f\x98\x80\x80"), 4u);
  cr_assert_eq(utf8_sequence_length(""), 0u);
  cr_assert_eq(utf8_sequence_length("\xe2\x82"), 0u, "cut short");
  for (const BadText& bad : bad_texts) {
    if (bad.good_bytes < 2) cr_assert_leq(utf8_sequence_length(bad.bytes), bad.good_bytes);
  }
}

Test(utf8, text_is_mended_and_else_left_alone) {
  for (const std::string& text : valid_texts)
    cr_assert_eq(to_utf8(text), text);
  const std::string mark = "\xef\xbf\xbd";
  cr_assert_eq(to_utf8("\xed\xa0\x80"), mark + mark + mark, "a surrogate");
  cr_assert_eq(to_utf8("\xf4\x90\x80\x80"), mark + mark + mark + mark, "past U+10FFFF");
  cr_assert_eq(to_utf8("a\xff\xc3\xa9\xe2\x82"), "a" + mark + "\xc3\xa9" + mark + mark);
  for (const BadText& bad : bad_texts)
    cr_assert(is_valid_utf8(to_utf8(bad.bytes)));
}
