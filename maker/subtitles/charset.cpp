#include "maker/subtitles/charset.h"

#include <iconv.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "core/base/text.h"
#include "core/base/utf8.h"

namespace videosync {

namespace {

// 0x80 to 0x9f, the part that Latin-1 leaves to control characters.
constexpr std::array<char16_t, 32> windows_1252{
    0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008d, 0x017d, 0x008f, 0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178};
constexpr std::uint32_t replacement = 0xfffd;

void append_code_point(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 0x3f));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

std::string from_utf16(std::string_view bytes, bool is_big_endian) {
  std::string out;
  const auto unit_at = [&](std::size_t i) -> std::uint32_t {
    const auto first = static_cast<unsigned char>(bytes[i]);
    const auto second = static_cast<unsigned char>(bytes[i + 1]);
    return is_big_endian ? first * 256U + second : second * 256U + first;
  };
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    const std::uint32_t unit = unit_at(i);
    const bool is_high = unit >= 0xd800 && unit < 0xdc00;
    const std::uint32_t low = is_high && i + 3 < bytes.size() ? unit_at(i + 2) : 0;
    if (is_high && low >= 0xdc00 && low < 0xe000) {
      append_code_point(out, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
      i += 2;
    } else {
      append_code_point(out, unit >= 0xd800 && unit < 0xe000 ? replacement : unit);
    }
  }
  return out;
}

std::string from_windows_1252(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_special = byte >= 0x80 && byte < 0xa0;
    append_code_point(out, is_special ? windows_1252[byte - 0x80U] : byte);
  }
  return out;
}

// By language, the longest tag first. Those of several bytes include ASCII, too.
constexpr std::array<std::pair<std::string_view, const char*>, 33> old_charsets{{
    {"zh-hant", "BIG5-HKSCS"}, {"zh-tw", "BIG5-HKSCS"},
    {"zh-hk", "BIG5-HKSCS"},   {"sr-latn", "WINDOWS-1250"},
    {"zh", "GB18030"},         {"ja", "CP932"},
    {"ko", "CP949"},           {"th", "WINDOWS-874"},
    {"ru", "WINDOWS-1251"},    {"uk", "WINDOWS-1251"},
    {"bg", "WINDOWS-1251"},    {"be", "WINDOWS-1251"},
    {"mk", "WINDOWS-1251"},    {"sr", "WINDOWS-1251"},
    {"kk", "WINDOWS-1251"},    {"pl", "WINDOWS-1250"},
    {"cs", "WINDOWS-1250"},    {"sk", "WINDOWS-1250"},
    {"hu", "WINDOWS-1250"},    {"sl", "WINDOWS-1250"},
    {"hr", "WINDOWS-1250"},    {"bs", "WINDOWS-1250"},
    {"ro", "WINDOWS-1250"},    {"sq", "WINDOWS-1250"},
    {"el", "WINDOWS-1253"},    {"tr", "WINDOWS-1254"},
    {"he", "WINDOWS-1255"},    {"ar", "WINDOWS-1256"},
    {"fa", "WINDOWS-1256"},    {"et", "WINDOWS-1257"},
    {"lv", "WINDOWS-1257"},    {"lt", "WINDOWS-1257"},
    {"vi", "WINDOWS-1258"},
}};

const char* old_charset_of(std::string_view lang) {
  for (const auto& [tag, charset] : old_charsets) {
    const bool is_it =
        lang.starts_with(tag) && (lang.size() == tag.size() || lang[tag.size()] == '-');
    if (is_it) return charset;
  }
  return nullptr;
}

// Of a Latin script most letters are ASCII; of another one hardly any is.
bool is_hardly_latin(std::string_view bytes) {
  std::size_t latin = 0;
  std::size_t other = 0;
  for (const char c : bytes) {
    latin += is_letter(c) ? 1U : 0U;
    other += static_cast<unsigned char>(c) >= 0xc0 ? 1U : 0U;
  }
  return other > latin;
}

// Nullopt: this system does not know that charset. Single bytes that it does not have are replaced.
std::optional<std::string> from_charset(std::string_view bytes, const char* charset) {
  const iconv_t converter = ::iconv_open("UTF-8", charset);
  if (converter == reinterpret_cast<iconv_t>(-1)) return std::nullopt;
  std::string out;
  std::string from(bytes);
  char* in = from.data();
  std::size_t left = from.size();
  std::array<char, 16'384> chunk;
  // False: here is a byte that the charset does not have, or half of a letter. Without `text`: what
  // iconv holds back, which it does with letters that a mark behind them may change (Vietnamese and
  // Hong Kong's have such).
  const auto convert = [&](char** text, std::size_t* length) {
    char* to = chunk.data();
    std::size_t room = chunk.size();
    const bool is_done =
        ::iconv(converter, text, length, &to, &room) != static_cast<std::size_t>(-1);
    const int reason = errno;
    out.append(chunk.data(), chunk.size() - room);
    return is_done || reason == E2BIG;
  };
  while (left > 0) {
    if (convert(&in, &left)) continue;
    convert(nullptr, nullptr);
    append_code_point(out, replacement);
    ++in;
    --left;
  }
  convert(nullptr, nullptr);
  ::iconv_close(converter);
  return out;
}

std::string from_old_charset(std::string_view bytes, std::string_view lang) {
  const char* charset = old_charset_of(lang);
  const bool is_unknown = lang.empty() || lang == "und";
  if (is_unknown && is_hardly_latin(bytes)) charset = "WINDOWS-1251";
  if (charset != nullptr) {
    if (auto text = from_charset(bytes, charset)) return std::move(*text);
  }
  return from_windows_1252(bytes);
}

// Text of mostly Latin letters has a zero in every other byte.
std::size_t zeros_at(std::string_view bytes, std::size_t offset) {
  std::size_t zeros = 0;
  for (std::size_t i = offset; i < bytes.size(); i += 2)
    zeros += bytes[i] == '\0' ? 1U : 0U;
  return zeros;
}

}  // namespace

std::string recognised_text(std::string_view bytes, std::string_view lang) {
  if (bytes.starts_with("\xef\xbb\xbf")) return to_utf8(bytes.substr(3));
  if (bytes.starts_with("\xff\xfe")) return from_utf16(bytes.substr(2), false);
  if (bytes.starts_with("\xfe\xff")) return from_utf16(bytes.substr(2), true);
  const std::size_t half = bytes.size() / 2;
  if (half > 0 && zeros_at(bytes, 1) * 2 > half) return from_utf16(bytes, false);
  if (half > 0 && zeros_at(bytes, 0) * 2 > half) return from_utf16(bytes, true);
  if (is_valid_utf8(bytes)) return std::string(bytes);
  return from_old_charset(bytes, lang);
}

}  // namespace videosync
