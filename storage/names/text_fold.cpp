#include "storage/names/text_fold.h"

#include <array>
#include <cstddef>
#include <utility>

#include "core/base/text.h"
#include "core/base/utf8.h"

namespace videosync {

namespace {

// U+00C0 to U+017F: Latin-1 and Latin Extended-A.
constexpr char32_t latin_first = 0xc0;
constexpr std::array<std::string_view, 192> latin_letters{
    "a", "a", "a",  "a",  "a", "a", "ae", "c",  "e",  "e", "e", "e", "i",  "i",  "i", "i", "d", "n",
    "o", "o", "o",  "o",  "o", "x", "o",  "u",  "u",  "u", "u", "y", "th", "ss", "a", "a", "a", "a",
    "a", "a", "ae", "c",  "e", "e", "e",  "e",  "i",  "i", "i", "i", "d",  "n",  "o", "o", "o", "o",
    "o", "",  "o",  "u",  "u", "u", "u",  "y",  "th", "y", "a", "a", "a",  "a",  "a", "a", "c", "c",
    "c", "c", "c",  "c",  "c", "c", "d",  "d",  "d",  "d", "e", "e", "e",  "e",  "e", "e", "e", "e",
    "e", "e", "g",  "g",  "g", "g", "g",  "g",  "g",  "g", "h", "h", "h",  "h",  "i", "i", "i", "i",
    "i", "i", "i",  "i",  "i", "i", "ij", "ij", "j",  "j", "k", "k", "k",  "l",  "l", "l", "l", "l",
    "l", "l", "l",  "l",  "l", "n", "n",  "n",  "n",  "n", "n", "n", "n",  "n",  "o", "o", "o", "o",
    "o", "o", "oe", "oe", "r", "r", "r",  "r",  "r",  "r", "s", "s", "s",  "s",  "s", "s", "s", "s",
    "t", "t", "t",  "t",  "t", "t", "u",  "u",  "u",  "u", "u", "u", "u",  "u",  "u", "u", "u", "u",
    "w", "w", "y",  "y",  "y", "z", "z",  "z",  "z",  "z", "z", "s",
};

// What further letters are without their marks, block by block: '.' for what has none, 'A' for
// "ae".
struct Block {
  char32_t first;
  std::string_view letters;
};
constexpr std::array<Block, 2> more_latin{{
    {0x0180,  // U+0180 to U+024F: Latin Extended-B
     "................................oo.............uu..............."
     ".............aaiioouuuuuuuuuu.aaaaAA..ggkkoooo..j...gg..nnaaAAoo"
     "aaaaeeeeiiiioooorrrruuuusstt..hh......aaeeooooooooyy............"
     "................"},
    {0x1e00,  // U+1E00 to U+1EFF: Latin Extended Additional
     "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmm"
     "mmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvv"
     "wwwwwwwwwwxxxxyyzzzzzzhtwy.s....aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeee"
     "eeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy......"},
}};
// U+1F00 to U+1FFF: Greek Extended, likewise.
constexpr char32_t greek_first = 0x1f00;
constexpr std::u16string_view greek_letters =
    u"ααααααααααααααααεεεεεε..εεεεεε..ηηηηηηηηηηηηηηηηιιιιιιιιιιιιιιιι"
    u"οοοοοο..οοοοοο..υυυυυυυυ.υ.υ.υ.υωωωωωωωωωωωωωωωωααεεηηιιοουυωω.."
    u"ααααααααααααααααηηηηηηηηηηηηηηηηωωωωωωωωωωωωωωωωααααα.ααααααα.ι."
    u"..ηηη.ηηεεηηη...ιιιι..ιιιιιι....υυυυρρυυυυυυρ.....ωωω.ωωοοωωω...";

struct Range {
  char32_t first;
  char32_t last;
  char32_t step;     // of every so many characters the first is meant
  std::int32_t add;  // what makes it another one
};

// Capitals to small letters, and letters with a mark to those without.
constexpr std::array<Range, 18> ranges{{
    {0x0391, 0x03a1, 1, 32},   // Greek capitals
    {0x03a3, 0x03a9, 1, 32},   // ... there is none of a sigma at a word's end
    {0x03c2, 0x03c2, 1, 1},    // the sigma at a word's end
    {0x0410, 0x042f, 1, 32},   // Cyrillic capitals
    {0x0400, 0x040f, 1, 80},   // more of them
    {0x304c, 0x3062, 2, -1},   // hiragana with a mark: ga to di
    {0x3065, 0x3069, 2, -1},   // du to do
    {0x3070, 0x307c, 3, -1},   // ba to bo
    {0x3071, 0x307d, 3, -2},   // pa to po
    {0x3094, 0x3094, 1, -78},  // vu
    {0x30ac, 0x30c2, 2, -1},   // katakana, the same
    {0x30c5, 0x30c9, 2, -1},
    {0x30d0, 0x30dc, 3, -1},
    {0x30d1, 0x30dd, 3, -2},
    {0x30f4, 0x30f4, 1, -78},
    {0xff21, 0xff3a, 1, 'a' - 0xff21},  // full-width Latin
    {0xff41, 0xff5a, 1, 'a' - 0xff41},
    {0xff10, 0xff19, 1, '0' - 0xff10},
}};

// Letters with a mark, small or of no range above, and those without.
constexpr std::array<std::pair<char32_t, char32_t>, 70> marked{{
    {0x0374, 0x02b9}, {0x037e, 0x003b}, {0x0385, 0x00a8}, {0x0386, 0x03b1}, {0x0387, 0x00b7},
    {0x0388, 0x03b5}, {0x0389, 0x03b7}, {0x038a, 0x03b9}, {0x038c, 0x03bf}, {0x038e, 0x03c5},
    {0x038f, 0x03c9}, {0x0390, 0x03b9}, {0x03aa, 0x03b9}, {0x03ab, 0x03c5}, {0x03ac, 0x03b1},
    {0x03ad, 0x03b5}, {0x03ae, 0x03b7}, {0x03af, 0x03b9}, {0x03b0, 0x03c5}, {0x03ca, 0x03b9},
    {0x03cb, 0x03c5}, {0x03cc, 0x03bf}, {0x03cd, 0x03c5}, {0x03ce, 0x03c9}, {0x03d3, 0x03d2},
    {0x03d4, 0x03d2}, {0x0439, 0x0438}, {0x0450, 0x0435}, {0x0451, 0x0435}, {0x0453, 0x0433},
    {0x0457, 0x0456}, {0x045c, 0x043a}, {0x045d, 0x0438}, {0x045e, 0x0443}, {0x0476, 0x0475},
    {0x0477, 0x0475}, {0x04c1, 0x0436}, {0x04c2, 0x0436}, {0x04d0, 0x0430}, {0x04d1, 0x0430},
    {0x04d2, 0x0430}, {0x04d3, 0x0430}, {0x04d6, 0x0435}, {0x04d7, 0x0435}, {0x04da, 0x04d9},
    {0x04db, 0x04d9}, {0x04dc, 0x0436}, {0x04dd, 0x0436}, {0x04de, 0x0437}, {0x04df, 0x0437},
    {0x04e2, 0x0438}, {0x04e3, 0x0438}, {0x04e4, 0x0438}, {0x04e5, 0x0438}, {0x04e6, 0x043e},
    {0x04e7, 0x043e}, {0x04ea, 0x04e9}, {0x04eb, 0x04e9}, {0x04ec, 0x044d}, {0x04ed, 0x044d},
    {0x04ee, 0x0443}, {0x04ef, 0x0443}, {0x04f0, 0x0443}, {0x04f1, 0x0443}, {0x04f2, 0x0443},
    {0x04f3, 0x0443}, {0x04f4, 0x0447}, {0x04f5, 0x0447}, {0x04f8, 0x044b}, {0x04f9, 0x044b},
}};

constexpr std::array<std::string_view, 19> articles{
    "the ", "an ",  "a ",   "der ", "die ", "das ", "le ",  "la ", "les ", "l'",
    "el ",  "los ", "las ", "il ",  "lo ",  "gli ", "het ", "os ", "as "};

bool is_mark(char32_t c) noexcept {
  return (c >= 0x0300 && c <= 0x036f) || c == 0x3099 || c == 0x309a;
}

// REQUIRES a whole code point.
char32_t decode(std::string_view unit) noexcept {
  const auto byte = [&](std::size_t i) {
    return static_cast<char32_t>(static_cast<unsigned char>(unit[i]));
  };
  if (unit.size() == 1) return byte(0);
  char32_t c = byte(0) & (0xff >> (unit.size() + 1));
  for (std::size_t i = 1; i < unit.size(); ++i)
    c = c << 6 | (byte(i) & 0x3f);
  return c;
}

void append(std::string& out, char32_t c) {
  const auto put = [&](char32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xc0 | c >> 6);
  } else if (c < 0x10000) {
    put(0xe0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3f));
  } else {
    put(0xf0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3f));
    put(0x80 | (c >> 6 & 0x3f));
  }
  put(0x80 | (c & 0x3f));
}

// A syllable as its letters (Unicode Standard, 3.12).
void append_hangul(std::string& out, char32_t syllable) {
  const char32_t place = syllable - 0xac00;
  append(out, 0x1100 + place / 588);
  append(out, 0x1161 + place % 588 / 28);
  if (place % 28 != 0) append(out, 0x11a7 + place % 28);
}

char32_t without_case_and_mark(char32_t c) noexcept {
  for (const Range& range : ranges) {
    if (c < range.first || c > range.last || (c - range.first) % range.step != 0) continue;
    c = static_cast<char32_t>(static_cast<std::int32_t>(c) + range.add);
    break;
  }
  for (const auto& [with, without] : marked)
    if (c == with) return without;
  return c;
}

// False: its blocks have no such letter.
bool append_without_mark(std::string& out, char32_t c) {
  for (const auto& [first, letters] : more_latin) {
    const char letter = c >= first && c < first + letters.size() ? letters[c - first] : '.';
    if (letter == '.') continue;
    out += letter == 'A' ? "ae" : std::string_view(&letter, 1);
    return true;
  }
  if (c < greek_first || c >= greek_first + greek_letters.size()) return false;
  const char16_t letter = greek_letters[c - greek_first];
  if (letter != u'.') append(out, letter);
  return letter != u'.';
}

}  // namespace

std::string fold_text(std::string_view text) {
  std::string folded;
  folded.reserve(text.size());
  while (!text.empty()) {
    const auto first = static_cast<unsigned char>(text.front());
    if (first < 0x80) {
      folded += ascii_lower(text.front());
      text.remove_prefix(1);
      continue;
    }
    const std::size_t length = utf8_sequence_length(text);
    const std::string_view unit = text.substr(0, length == 0 ? 1 : length);
    text.remove_prefix(unit.size());
    const char32_t c = length == 0 ? 0xfffd : decode(unit);
    if (is_mark(c)) continue;
    if (append_without_mark(folded, c)) continue;
    if (c >= latin_first && c < latin_first + latin_letters.size()) {
      folded += latin_letters[c - latin_first];
    } else if (c >= 0xac00 && c <= 0xd7a3) {
      append_hangul(folded, c);
    } else {
      append(folded, without_case_and_mark(c));
    }
  }
  return folded;
}

std::string fold_title(std::string_view title) {
  std::string folded = fold_text(title);
  for (const std::string_view article : articles) {
    if (folded.size() > article.size() && folded.starts_with(article)) {
      return folded.substr(article.size());
    }
  }
  return folded;
}

}  // namespace videosync
