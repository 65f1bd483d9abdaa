#include "proto/http/chunk_extensions.h"

#include <criterion/criterion.h>

#include <string>
#include <vector>

using videosync::ChunkExtensions;

namespace {

// Whether `text` is what may stand between a length and CRLF; it must not depend on the cut.
bool is_read(std::string_view text) {
  const std::string line = std::string(text) + "\r\nnext";
  ChunkExtensions whole;
  const auto used = whole.feed(line);
  ChunkExtensions piecemeal;
  std::size_t by_byte = 0;
  bool is_fault = false;
  for (; by_byte < line.size(); ++by_byte) {
    const auto taken = piecemeal.feed({&line[by_byte], 1});
    is_fault = !taken;
    if (taken != 1u) break;
  }
  cr_assert_eq(used.has_value(), !is_fault, "%s", line.c_str());
  if (!used) return false;
  cr_assert_eq(*used, by_byte, "%s", line.c_str());
  cr_assert_eq(*used, text.size(), "%s", line.c_str());
  return true;
}

void expect_extensions(bool is_fine, const std::vector<std::string_view>& texts) {
  for (const std::string_view text : texts)
    cr_assert_eq(is_read(text), is_fine, "'%.*s'", static_cast<int>(text.size()), text.data());
}

}  // namespace

Test(chunk_extensions, names_and_tokens) {
  expect_extensions(true, {";a", ";a=b", ";a;b", ";a=1;b", ";a=1;b=2;c", ";a;b=2",
                           ";!#$%&'*+-.^_`|~=0", ";a='b;c'=d"});
  expect_extensions(
      false, {"a", "=a", ";", ";;a", ";a;", ";a=", ";=b", ";a==b", ";a=b=c", ";a,b", ";a=b,c",
              ";a/b", ";a(b)", ";a=[b]", ";\xc3\xa9", ";a=\xc3\xa9", ";a\x7f", ";a=b\x01"});
}

Test(chunk_extensions, a_quoted_value_may_have_anything_but_control_bytes) {
  expect_extensions(true, {";a=\"\"", ";a=\"b\"", ";a=1;b=\"x;y\"", ";a=\"x;y\";b=\"=,;\";c",
                           ";a=\" \t\"", ";a=\"\xc3\xa9\xff\"", ";a=\"<>@,:/[]?={}\""});
  expect_extensions(false, {";a=\"", ";a=\"b", ";a=\"b\"c", ";a=\"b\"\"c\"", ";a=b\"c\"",
                            ";a=\"b\x01\"", ";a=\"b\x7f\"", ";a=\"b\n\"", ";a=\"b\r\n\"",
                            ";a=\"b\r\"", ";\"a\"", ";\"a\"=b", ";a=\"b\"=c"});
  expect_extensions(false, {std::string_view(";a=\"\0\"", 6)});
}

Test(chunk_extensions, a_backslash_takes_one_byte_along) {
  expect_extensions(true, {R"(;a="\"")", R"(;a="\\")", R"(;a="x\"y;z";b)", R"(;a="\\\"")",
                           ";a=\"\\ \"", ";a=\"\\\t\"", ";a=\"\\\xff\""});
  expect_extensions(false, {R"(;a="\")", R"(;a="\\\")", R"(;a="\\"")", ";a=\"\\\n\"", ";a=\"\\\r\"",
                            ";a=\"\\\x01\"", ";a=\"\\\x7f\"", R"(;a=\b)", R"(;\a)"});
}

Test(chunk_extensions, blanks_stand_around_the_marks_alone) {
  expect_extensions(true, {" ;a", "\t ; \ta", "; a = b ; c", ";a = \"b\" ;c", ";a ;b", ";a\t=\tb"});
  expect_extensions(false, {" ", "\t", " a", ";a ", ";a b", ";a=b ", ";a=b c", ";a=\"b\" ",
                            ";a=\"b\" c", "; ", ";a= ", ";a\v", ";a\n", ";a;\r", "; a =\r"});
}
