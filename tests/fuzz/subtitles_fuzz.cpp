// Fuzzes subtitles: the charset of a file, ASS events as WebVTT, and whole files of any kind.
//
// The first byte: what; the second: the language that the file's name says; the rest: the file, or
// an ASS header and events behind a line "[Events]". What comes out is UTF-8 and WebVTT: each cue
// is a line of times and lines of text that none of them could be taken for.
//
// Reads: maker/subtitles/charset.cpp, maker/subtitles/subtitles.cpp, maker/subtitles/webvtt.cpp
#include "maker/subtitles/subtitles.h"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/assert.h"
#include "core/base/text.h"
#include "core/base/unique_fd.h"
#include "core/base/utf8.h"
#include "maker/film/av.h"
#include "maker/subtitles/charset.h"
#include "maker/subtitles/webvtt.h"
#include "tests/fuzz/support/fuzz_lines.h"

extern "C" {
#include <libavutil/log.h>
}

using namespace videosync;
using namespace videosync::fuzz;

namespace {

constexpr std::array<std::string_view, 14> languages{"",   "und", "en",    "ru", "pl", "zh", "ja",
                                                     "ko", "th",  "zh-tw", "vi", "el", "he", "xx"};
constexpr std::string_view arrow = " --> ";

bool is_time(std::string_view text) noexcept {
  // HH:MM:SS.mmm, where hours may have more digits.
  if (text.size() < 12) return false;
  const std::string_view tail = text.substr(text.size() - 10);
  for (const char c : text.substr(0, text.size() - 10))
    if (!is_digit(c)) return false;
  return tail[0] == ':' && is_digit(tail[1]) && is_digit(tail[2]) && tail[3] == ':' &&
         is_digit(tail[4]) && is_digit(tail[5]) && tail[6] == '.' && is_digit(tail[7]) &&
         is_digit(tail[8]) && is_digit(tail[9]);
}

// What WebVtt has written.
void check_webvtt(std::string_view text) {
  VS_ASSERT(is_valid_utf8(text));
  VS_ASSERT(take_line(text) == "WEBVTT" && take_line(text).empty());
  while (!text.empty()) {
    const std::string_view times = take_line(text);
    const std::size_t at = times.find(arrow);
    VS_ASSERT(at != times.npos && is_time(times.substr(0, at)));
    const std::string_view rest = times.substr(at + arrow.size());
    VS_ASSERT(is_time(rest.substr(0, rest.find(' '))));
    std::size_t lines = 0;
    for (std::string_view line = take_line(text); !line.empty(); line = take_line(text), ++lines)
      VS_ASSERT(line.find("-->") == line.npos && line.find('\r') == line.npos);
    VS_ASSERT(lines > 0);
  }
}

void check_charset(std::string_view bytes, std::string_view lang) {
  const std::string text = recognised_text(bytes, lang);
  VS_ASSERT(is_valid_utf8(text) && text.size() <= bytes.size() * 4);
  if (is_valid_utf8(bytes) && bytes.find('\0') == bytes.npos &&
      !bytes.starts_with("\xef\xbb\xbf")) {
    VS_ASSERT(text == bytes);
    return;
  }
  // What single bytes say does not depend on what stands behind them: a line's end adds just that.
  const bool is_single = lang != "zh" && lang != "ja" && lang != "ko" && lang != "zh-tw";
  const bool has_zero = bytes.find('\0') != bytes.npos;
  const bool has_mark = bytes.starts_with("\xff\xfe") || bytes.starts_with("\xfe\xff") ||
                        bytes.starts_with("\xef\xbb\xbf");
  if (!is_single || has_zero || has_mark) return;
  VS_ASSERT(recognised_text(std::string(bytes) + "\n", lang) == text + "\n");
}

void check_events(std::string_view text) {
  const std::size_t mark = text.find("[Events]\n");
  WebVtt webvtt(AssStyles::of(text.substr(0, mark)));
  if (mark != text.npos) text.remove_prefix(mark + 9);
  std::int64_t at_ms = -500;
  while (!text.empty()) {
    webvtt.add(at_ms, at_ms + 1'000, take_line(text));
    at_ms += 700;
  }
  check_webvtt(webvtt.text());
}

void check_file(std::string_view bytes, std::string_view lang) {
  const UniqueFd file(::memfd_create("subtitles", MFD_CLOEXEC));
  VS_ASSERT(file && ::write(file.get(), bytes.data(), bytes.size()) == ssize_t(bytes.size()));
  const std::string path = "/proc/self/fd/" + std::to_string(file.get());
  try {
    const std::string text = convert_subtitles(path, lang);
    VS_ASSERT(is_valid_utf8(text) && text.starts_with("WEBVTT"));
    // What was WebVTT already stays as it is.
    if (!recognised_text(bytes, lang).starts_with("WEBVTT")) check_webvtt(text);
  } catch (const Fault&) {
    // It has no line that could be shown.
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  av_log_set_level(AV_LOG_QUIET);
  const std::string_view bytes = text_of(data + 2, size - 2);
  const std::string_view lang = languages[data[1] % languages.size()];
  check_charset(bytes, lang);
  if (data[0] % 4 == 0) {
    check_file(bytes, lang);
  } else {
    check_events(bytes);
  }
  return 0;
}
