#include "core/base/json_text.h"

#include <criterion/criterion.h>

#include <iterator>

using videosync::append_json_text;
using videosync::JsonEscape;
using videosync::must_escape_in_json;
using videosync::write_json_text;

namespace {

std::string written(std::string_view text) {
  std::string out = "|";
  append_json_text(out, text);
  std::string same = "|";
  write_json_text(std::back_inserter(same), text);
  cr_assert_eq(out, same);
  return out;
}

}  // namespace

Test(json_text, what_may_stand_there_does) {
  const std::string_view text = "plain / </script> \x7f \xe2\x80\xa8 \xf0\x9f\x98\x80";
  cr_assert_eq(written(text), "|" + std::string(text));
  cr_assert_eq(written(""), "|");
}

Test(json_text, what_may_not_is_escaped) {
  cr_assert_eq(written("\"a\\b\n\r\t\x01z\x1f"), R"(|\"a\\b\n\r\t\u0001z\u001f)");
  cr_assert_eq(written(std::string_view("\0", 1)), R"(|\u0000)");
  for (int byte = 0; byte < 256; ++byte) {
    const bool must = byte < 0x20 || byte == '"' || byte == '\\';
    cr_assert_eq(must_escape_in_json(static_cast<char>(byte)), must, "%d", byte);
  }
}

Test(json_text, any_byte_has_an_escape) {
  cr_assert_eq(JsonEscape('\x7f').view(), R"(\u007f)");
  cr_assert_eq(JsonEscape('\xff').view(), R"(\u00ff)");
}
