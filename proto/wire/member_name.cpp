#include "proto/wire/member_name.h"

#include <algorithm>
#include <array>

#include "core/base/utf8.h"

namespace videosync {

namespace {

enum class Kind : std::uint8_t { visible, blank, unseen, joiner, selector, tag };

struct Range {
  char32_t first;
  char32_t last;
  Kind kind;
};

// Unicode 15: White_Space, Cc and Default_Ignorable_Code_Point, which has the marks that turn the
// direction; besides them U+2800, a blank by its look, and the marks of annotations, U+FFF9 to
// U+FFFB. All else is visible.
constexpr std::array<Range, 40> ranges{{
    {0x00, 0x08, Kind::unseen},         {0x09, 0x0d, Kind::blank},
    {0x0e, 0x1f, Kind::unseen},         {0x20, 0x20, Kind::blank},
    {0x7f, 0x84, Kind::unseen},         {0x85, 0x85, Kind::blank},
    {0x86, 0x9f, Kind::unseen},         {0xa0, 0xa0, Kind::blank},
    {0xad, 0xad, Kind::unseen},         {0x34f, 0x34f, Kind::unseen},
    {0x61c, 0x61c, Kind::unseen},       {0x115f, 0x1160, Kind::unseen},
    {0x1680, 0x1680, Kind::blank},      {0x17b4, 0x17b5, Kind::unseen},
    {0x180b, 0x180d, Kind::selector},   {0x180e, 0x180e, Kind::unseen},
    {0x180f, 0x180f, Kind::selector},   {0x2000, 0x200a, Kind::blank},
    {0x200b, 0x200b, Kind::unseen},     {0x200c, 0x200d, Kind::joiner},
    {0x200e, 0x200f, Kind::unseen},     {0x2028, 0x2029, Kind::blank},
    {0x202a, 0x202e, Kind::unseen},     {0x202f, 0x202f, Kind::blank},
    {0x205f, 0x205f, Kind::blank},      {0x2060, 0x206f, Kind::unseen},
    {0x2800, 0x2800, Kind::blank},      {0x3000, 0x3000, Kind::blank},
    {0x3164, 0x3164, Kind::unseen},     {0xfe00, 0xfe0f, Kind::selector},
    {0xfeff, 0xfeff, Kind::unseen},     {0xffa0, 0xffa0, Kind::unseen},
    {0xfff0, 0xfffb, Kind::unseen},     {0x1bca0, 0x1bca3, Kind::unseen},
    {0x1d173, 0x1d17a, Kind::unseen},   {0xe0000, 0xe001f, Kind::unseen},
    {0xe0020, 0xe007f, Kind::tag},      {0xe0080, 0xe00ff, Kind::unseen},
    {0xe0100, 0xe01ef, Kind::selector}, {0xe01f0, 0xe0fff, Kind::unseen},
}};
static_assert(std::ranges::is_sorted(ranges, {}, &Range::first));

constexpr char32_t black_flag = 0x1f3f4;  // what tags make another flag of

Kind kind_of(char32_t c) noexcept {
  if (c > 0x20 && c < 0x7f) return Kind::visible;
  const auto* range = std::ranges::lower_bound(ranges, c, {}, &Range::last);
  return range != ranges.end() && range->first <= c ? range->kind : Kind::visible;
}

// Takes the characters of a name one after the other and keeps what the rule lets through.
class NameCleaner {
 public:
  // `bytes`: the character as it is written.
  void take(char32_t c, std::string_view bytes) {
    const Kind kind = kind_of(c);
    switch (kind) {
      case Kind::unseen:
        break;
      case Kind::blank:
        is_blank_due_ = !name_.empty();
        joiner_due_ = {};
        break;
      case Kind::joiner:
        if (is_behind_character() && base_ > 0x7f) joiner_due_ = bytes;
        break;
      case Kind::selector:
        if (is_behind_character() && last_ == Kind::visible) keep(kind, bytes);
        break;
      case Kind::tag:
        if (is_behind_character() && base_ == black_flag && last_ != Kind::selector)
          keep(kind, bytes);
        break;
      case Kind::visible:
        keep_visible(c, bytes);
        break;
    }
  }

  std::string take_name() && { return std::move(name_); }

 private:
  bool is_behind_character() const noexcept {
    return !name_.empty() && !is_blank_due_ && joiner_due_.empty();
  }

  void keep_visible(char32_t c, std::string_view bytes) {
    if (is_blank_due_) name_ += ' ';
    name_ += joiner_due_;
    keep(Kind::visible, bytes);
    base_ = c;
    is_blank_due_ = false;
    joiner_due_ = {};
  }

  void keep(Kind kind, std::string_view bytes) {
    name_ += bytes;
    last_ = kind;
  }

  std::string name_;
  char32_t base_ = 0;            // the last visible character
  Kind last_ = Kind::blank;      // of what was kept last
  bool is_blank_due_ = false;    // before the next visible character
  std::string_view joiner_due_;  // likewise; never both
};

// REQUIRES the whole of one valid character.
char32_t decode(std::string_view bytes) noexcept {
  const auto first = static_cast<unsigned char>(bytes[0]);
  char32_t c = bytes.size() == 1 ? first : first & (0x7fu >> bytes.size());
  for (const char next : bytes.substr(1))
    c = c << 6 | (static_cast<unsigned char>(next) & 0x3fu);
  return c;
}

}  // namespace

std::expected<std::string, NameFault> clean_member_name(std::string_view name) {
  NameCleaner cleaner;
  while (!name.empty()) {
    const std::size_t length = utf8_sequence_length(name);
    if (length == 0) return std::unexpected(NameFault::malformed);
    const std::string_view bytes = name.substr(0, length);
    cleaner.take(decode(bytes), bytes);
    name.remove_prefix(length);
  }
  std::string clean = std::move(cleaner).take_name();
  if (clean.empty()) return std::unexpected(NameFault::empty);
  if (count_code_points(clean) > member_name_characters_max) {
    return std::unexpected(NameFault::too_long);
  }
  return clean;
}

}  // namespace videosync
