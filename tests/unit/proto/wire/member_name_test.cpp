#include "proto/wire/member_name.h"

#include <criterion/criterion.h>
#include <fmt/core.h>
#include <simdjson.h>

#include <cstdlib>
#include <string>

using namespace videosync;

namespace {

// The table that the pages' rule is held against as well (tests/www/member_name.test.mjs).
simdjson::dom::element read_table(simdjson::dom::parser& parser) {
  const char* source = std::getenv("VIDEOSYNC_SOURCE");
  cr_assert_not_null(source, "VIDEOSYNC_SOURCE names the folder of the sources: ctest sets it");
  simdjson::dom::element table;
  const auto error =
      parser.load(std::string(source) + "/tests/support/member_names.json").get(table);
  cr_assert_eq(error, simdjson::SUCCESS, "%s", simdjson::error_message(error));
  return table;
}

std::string described(const std::expected<std::string, NameFault>& name) {
  if (name) return *name;
  return name.error() == NameFault::empty      ? "fault: empty"
         : name.error() == NameFault::too_long ? "fault: too_long"
                                               : "fault: malformed";
}

std::string to_utf8_text(char32_t c) {
  const auto tail = [c](int shift) { return static_cast<char>(0x80 | (c >> shift & 0x3f)); };
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) return {static_cast<char>(0xc0 | c >> 6), tail(0)};
  if (c < 0x10000) return {static_cast<char>(0xe0 | c >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xf0 | c >> 18), tail(12), tail(6), tail(0)};
}

// What a character is worth between others, in the words of the table. U+1F3F4 is followed by tags.
std::string_view kind_of(char32_t c) {
  const std::string text = to_utf8_text(c);
  const auto clean = [](const std::string& name) { return described(clean_member_name(name)); };
  const std::string flag = "\xf0\x9f\x8f\xb4";
  if (clean(text) == text) return "visible";
  if (clean("a" + text + "b") == "a b") return "blank";
  if (clean(flag + text + "b") == flag + "b") return "unseen";
  if (clean(flag + text) == flag) return "joiner";
  return clean("a" + text + "b") == "ab" ? "tag" : "selector";
}

}  // namespace

Test(member_name, the_table_of_cases) {
  simdjson::dom::parser parser;
  std::size_t count = 0;
  for (const simdjson::dom::element each : read_table(parser)["cases"].get_array()) {
    const std::string given(each["given"].get_string().value_unsafe());
    std::string_view text;
    const bool is_clean = each["clean"].get(text) == simdjson::SUCCESS;
    if (!is_clean) text = each["fault"].get_string().value_unsafe();
    const std::string expected = is_clean ? std::string(text) : fmt::format("fault: {}", text);
    const std::string why(each["why"].get_string().value_unsafe());
    const auto cleaned = clean_member_name(given);
    cr_assert_eq(described(cleaned), expected, "%s: '%s'", why.c_str(), described(cleaned).c_str());
    if (cleaned) cr_assert_eq(described(clean_member_name(*cleaned)), expected, "%s", why.c_str());
    ++count;
  }
  cr_assert_gt(count, 40u);
}

// Every character there is, so that neither side can have a range that the other lacks.
Test(member_name, every_character_is_what_the_table_says) {
  simdjson::dom::parser parser;
  char32_t next = 0;
  for (const simdjson::dom::element run : read_table(parser)["characters"].get_array()) {
    const std::string_view kind = run.at(0).get_string().value_unsafe();
    const auto last = static_cast<char32_t>(run.at(1).get_uint64().value_unsafe());
    for (; next <= last; ++next) {
      if (next >= 0xd800 && next <= 0xdfff) continue;
      cr_assert_eq(kind_of(next), kind, "U+%04X", static_cast<unsigned>(next));
    }
  }
  cr_assert_eq(static_cast<unsigned>(next), 0x110000u);
}

Test(member_name, bytes_that_are_no_text) {
  for (const char* bad : {"\xff", "Ann\xc3", "\xed\xa0\x80", "\xc0\x80"}) {
    cr_assert_eq(described(clean_member_name(bad)), "fault: malformed", "%s", bad);
  }
}
