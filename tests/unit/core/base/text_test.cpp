#include "core/base/text.h"

#include <criterion/criterion.h>

#include <array>
#include <string>

using namespace videosync;

// What each byte is, against the ranges of ASCII written out.
Test(text, bytes_are_told_apart) {
  const std::string_view digits = "0123456789";
  const std::string_view lower = "abcdefghijklmnopqrstuvwxyz";
  const std::string_view upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool is_lower = lower.find(c) != lower.npos;
    const bool is_upper = upper.find(c) != upper.npos;
    cr_assert_eq(is_digit(c), digits.find(c) != digits.npos, "%d", byte);
    cr_assert_eq(is_letter(c), is_lower || is_upper, "%d", byte);
    cr_assert_eq(ascii_lower(c), is_upper ? lower[upper.find(c)] : c, "%d", byte);
    cr_assert_eq(ascii_upper(c), is_lower ? upper[lower.find(c)] : c, "%d", byte);
    cr_assert_eq(is_control_byte(c), byte < 0x20 || byte == 0x7f, "%d", byte);
  }
  cr_assert(has_control_bytes("a\tb") && has_control_bytes("\x7f"));
  cr_assert_not(has_control_bytes("a b \xc3\xa9"));
}

Test(text, case_is_ignored_of_letters_alone) {
  cr_assert(equals_ignoring_case("", ""));
  cr_assert(equals_ignoring_case("Content-TYPE", "content-type"));
  cr_assert_not(equals_ignoring_case("content", "content-type"));
  cr_assert_not(equals_ignoring_case("content-type", "content"));
  // Each pair differs by the bit that tells a letter's cases apart.
  cr_assert_not(equals_ignoring_case("@", "`"));
  cr_assert_not(equals_ignoring_case("[", "{"));
  cr_assert_not(equals_ignoring_case("\xc3\x84", "\xc3\xa4"));
}

Test(text, a_number_is_the_whole_text) {
  cr_assert(parse_decimal<std::uint16_t>("65535") == 65'535);
  cr_assert(parse_decimal<std::uint16_t>("007") == 7);
  cr_assert(parse_decimal<std::int64_t>("-12") == -12);
  for (const char* bad : {"", " 1", "1 ", "+1", "-1", "0x1", "1.0", "1,0", "65536"}) {
    cr_assert_not(parse_decimal<std::uint16_t>(bad).has_value(), "%s", bad);
  }
}

Test(text, blanks_go_at_both_ends) {
  cr_assert_eq(trim(" \ta b\t ", http_blanks), "a b");
  cr_assert_eq(trim("a", http_blanks), "a");
  cr_assert_eq(trim(" \t ", http_blanks), "");
  cr_assert_eq(trim("", http_blanks), "");
  cr_assert_eq(trim("\na\r", http_blanks), "\na\r");
  cr_assert_eq(trim("\n a\r\n", json_blanks), "a");
}

Test(text, hexadecimal_goes_there_and_back) {
  std::array<std::uint8_t, 256> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(i);
  const std::string text = to_hex(bytes);
  cr_assert_eq(text.substr(0, 8), "00010203");
  cr_assert_eq(text.substr(508), "feff");
  std::array<std::uint8_t, 256> back{};
  cr_assert(parse_hex(text, back));
  cr_assert(back == bytes);
  std::array<std::uint8_t, 2> two{};
  cr_assert(parse_hex("aBFc", two));
  cr_assert(two == (std::array<std::uint8_t, 2>{0xab, 0xfc}));
  for (const char* bad : {"", "ab", "abc", "abcde", "abcg", "ab:c", "ab c", "0xab", "-1ab"}) {
    cr_assert_not(parse_hex(bad, two), "%s", bad);
  }
}

Test(text, percent_escapes_are_decoded_once) {
  cr_assert(percent_decoded("%2541+", PlusSign::as_it_is) == "%41+");
  cr_assert(percent_decoded("x+y%21%2b", PlusSign::blank) == "x y!+");
  cr_assert(percent_decoded("%C3%b6%00", PlusSign::blank) == std::string("\xc3\xb6\0", 3));
  cr_assert(percent_decoded("", PlusSign::blank) == "");
  for (const char* bad : {"%", "%4", "a%4", "%gg", "%4g", "%%41", "% 1", "%-1", "%+1"}) {
    cr_assert_not(percent_decoded(bad, PlusSign::blank).has_value(), "%s", bad);
  }
  std::string in_place = "%41%42c";
  const auto length = percent_decode(in_place, PlusSign::as_it_is, in_place.data());
  cr_assert(length == 3u);
  cr_assert_eq(in_place.substr(0, 3), "ABc");
}
