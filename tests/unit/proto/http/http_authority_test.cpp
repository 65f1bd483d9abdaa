#include "proto/http/http_authority.h"

#include <criterion/criterion.h>

#include <string>
#include <vector>

using videosync::is_authority;

namespace {

void expect_authority(bool is_one, const std::vector<std::string_view>& texts) {
  for (const std::string_view text : texts) {
    cr_assert_eq(is_authority(text), is_one, "'%.*s'", static_cast<int>(text.size()), text.data());
  }
}

}  // namespace

Test(http_authority, a_name_with_or_without_a_port) {
  expect_authority(true, {"a", "example.org", "EXAMPLE.org.", "a:80", "a_b-c.~d", "1.2.3.4",
                          "1.2.3.4:8080", "999.1", "xn--bcher-kva.example", "a!$&'()*+;=b"});
  expect_authority(false, {"", "a b", " a", "a ", "a\tb", "a,b", "a/b", "a?b", "a#b", "a\\b", "<a>",
                           "a|b", "a\"b", "a\x7f", "\xc3\xa9", "a^b", "a`b", "{a}"});
  expect_authority(false, {std::string_view("a\0b", 3), std::string_view("\0", 1)});
}

Test(http_authority, a_port_is_a_number_up_to_65535_or_left_out) {
  expect_authority(
      true, {"a:", "a:0", "a:65535", "a:00080", "a:000000000000080", "[::1]:", "[::1]:65535"});
  expect_authority(false, {"a:65536", "a:99999999", "a:99999999999999999999999",
                           "a:-1",    "a:+1",       "a:1a",
                           "a:0x50",  "a: 80",      "a:80 ",
                           "a:b",     "a:b:c",      "a:80:80",
                           "a::80",   "a::",        "::",
                           ":",       ":80",        "[::1]:65536",
                           "[::1]:x", "[::1]::80",  "[::1]80"});
}

Test(http_authority, an_address_in_brackets_is_ipv6) {
  expect_authority(true, {"[::]", "[::1]", "[1:2:3:4:5:6:7:8]", "[2001:DB8::a:1]",
                          "[::ffff:1.2.3.4]", "[1:2:3:4:5:6:1.2.3.4]", "[1::8]", "[::1]:80"});
  expect_authority(false, {"[",
                           "[]",
                           "[]:80",
                           "[::1",
                           "::1]",
                           "::1",
                           "[::1]x",
                           "[::1]]",
                           "[[::1]]",
                           "a[::1]",
                           "[1.2.3.4]",
                           "[a]",
                           "[1:2:3]",
                           "[1:2:3:4:5:6:7:8:9]",
                           "[1::2::3]",
                           "[:::1]",
                           "[12345::]",
                           "[::g]",
                           "[::1.2.3]",
                           "[::1.2.3.256]",
                           "[::01.2.3.4]",
                           "[::1 ]",
                           "[::1/64]",
                           "[fe80::1%25eth0]",
                           "[fe80::1%eth0]",
                           "[v1.a]",
                           "[::%31]"});
  expect_authority(false, {std::string_view("[::1\0]", 6)});
  expect_authority(false, {"[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa]"});
}

Test(http_authority, an_escape_is_whole) {
  expect_authority(true, {"%61", "a%2Db", "a%c3%a9", "a%20b:80"});
  expect_authority(false, {"%", "a%", "a%4", "a%zz", "a%4g", "a%%41", "a%:80", "a%4:1", "%u0041"});
}

Test(http_authority, nobody_logs_in_by_it) {
  expect_authority(false, {"u@a", "@a", "u:p@a", "u:p@a:80", "a@", "a%@b", "[::1]@a", "u@[::1]"});
}
