// WebVTT of odd text: it takes as long as the text is. Each of these sizes took minutes where it
// went by the square.
#include "maker/subtitles/webvtt.h"

#include <criterion/criterion.h>
#include <fmt/core.h>

#include <cstddef>
#include <string>

namespace videosync {
namespace {

TestSuite(webvtt);

constexpr std::size_t long_bytes = 8 << 20;

std::string text_of(const std::string& event) {
  WebVtt webvtt({});
  webvtt.add(1'000, 2'000, "0,0,Default,,0,0,0,," + event);
  return webvtt.text();
}

std::string cue_of(const std::string& text) {
  return "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n" + text + "\n\n";
}

Test(webvtt, braces_that_nothing_closes_are_letters) {
  const std::string braces(long_bytes, '{');
  cr_assert(text_of(braces) == cue_of(braces));
  cr_assert(text_of("{\\i1}" + braces) == cue_of("<i>" + braces + "</i>"));
}

Test(webvtt, overrides_one_behind_the_other) {
  std::string turning;
  while (turning.size() < long_bytes)
    turning += "{\\i1}{\\i0}";
  cr_assert(text_of(turning + "A") == cue_of("A"));
  cr_assert(text_of(std::string(long_bytes, '{') + "}A") == cue_of("A"));
  cr_assert(text_of("A{" + std::string(long_bytes, '\\') + "}") == cue_of("A"));
}

Test(webvtt, places_that_nobody_knows_are_none) {
  cr_assert(text_of("{\\a1e300}A") == cue_of("A"));
  cr_assert(text_of("{\\a12}A") == cue_of("A"));
  cr_assert(text_of("{\\a6}A").contains(" line:0\nA\n"));
}

Test(webvtt, however_many_lines_none_is_blank) {
  std::string lines;
  std::string shown;
  for (int i = 0; i < 1'500; ++i) {
    lines += "A\\N\\N";
    shown += shown.empty() ? "A" : "\nA";
  }
  cr_assert(text_of(lines) == cue_of(shown), "a blank one would end the cue");
}

Test(webvtt, letters_that_html_would_take_for_tags) {
  std::string escaped;
  for (std::size_t i = 0; i < long_bytes / 4; ++i)
    escaped += "&lt;";
  cr_assert(text_of(std::string(long_bytes / 4, '<')) == cue_of(escaped));
}

Test(webvtt, many_lines_at_one_time_are_each_there_once) {
  constexpr std::size_t count = 200'000;
  WebVtt webvtt({});
  for (std::size_t round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < count; ++i)
      webvtt.add(1'000, 2'000, fmt::format("0,0,Default,,0,0,0,,line {:06}", i));
  }
  const std::string first = cue_of("line 000000");
  const std::size_t cue_bytes = first.size() - std::string("WEBVTT\n\n").size();
  const std::string text = webvtt.text();
  cr_assert(text.starts_with(first));
  cr_assert(text.size() == first.size() + (count - 1) * cue_bytes);
}

}  // namespace
}  // namespace videosync
