#include "maker/subtitles/webvtt.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/text.h"
#include "core/base/utf8.h"

namespace videosync {

namespace {

constexpr std::string_view blanks = " \t\r\n";

std::optional<double> number_of(std::string_view text) {
  double value = 0;
  text = trim(text, blanks);
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

std::vector<std::string_view> split(std::string_view text, char by, std::size_t parts_max) {
  std::vector<std::string_view> parts;
  while (parts.size() + 1 < parts_max) {
    const std::size_t end = text.find(by);
    if (end == std::string_view::npos) break;
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  parts.push_back(text);
  return parts;
}

std::string clock(std::int64_t ms) {
  return fmt::format("{:02}:{:02}:{:02}.{:03}", ms / 3'600'000, ms / 60'000 % 60, ms / 1'000 % 60,
                     ms % 1'000);
}

// &HBBGGRR& as the nearest of the colours that WebVTT has classes for; "" for white.
std::string_view colour_class(std::string_view hex) {
  std::uint32_t value = 0;
  while (!hex.empty() && (hex.front() == '&' || hex.front() == 'H' || hex.front() == 'h'))
    hex.remove_prefix(1);
  std::from_chars(hex.data(), hex.data() + hex.size(), value, 16);
  constexpr std::array<std::string_view, 8> names{"",     "red",     "lime", "yellow",
                                                  "blue", "magenta", "cyan", ""};
  const auto bit = [&](int shift, unsigned weight) {
    return (value >> shift & 0xff) >= 0x80 ? weight : 0U;
  };
  return names[bit(0, 1) | bit(8, 2) | bit(16, 4)];
}

// The text of one event, with what its overrides say.
class EventText {
 public:
  EventText(std::string_view text, const AssStyles::Style& style) : style_(style), look_(style) {
    // Of braces without an end there may be as many as letters: the last end is looked for once.
    const std::size_t last_close = text.rfind('}');
    for (std::size_t i = 0; i < text.size();) {
      const bool opens = text[i] == '{' && last_close != std::string_view::npos && i < last_close;
      const std::size_t close = opens ? text.find('}', i) : std::string_view::npos;
      if (close != std::string_view::npos) {
        overrides(text.substr(i + 1, close - i - 1));
        i = close + 1;
      } else {
        i += letter(text.substr(i));
      }
    }
    close_what_differs({});
  }

  std::string out;
  std::optional<int> alignment;
  std::optional<std::pair<double, double>> position;

 private:
  // How many bytes it took.
  std::size_t letter(std::string_view rest) {
    if (is_drawing_) return 1;
    if (rest.front() == '\r') return 1;
    if (rest.starts_with("\\N") || rest.starts_with("\\n")) {
      close_what_differs(wanted_tags());
      return append("\n", 2);
    }
    dress();
    if (rest.starts_with("\\h")) return append("\u00a0", 2);
    if (rest.front() == '&') return append("&amp;", 1);
    if (rest.front() == '<') return append("&lt;", 1);
    if (rest.front() == '>') return append("&gt;", 1);
    out += rest.front();
    return 1;
  }
  std::size_t append(std::string_view text, std::size_t taken) {
    out += text;
    return taken;
  }

  void overrides(std::string_view all) {
    for (std::string_view tag : split(all, '\\', 64))
      override_by(trim(tag, blanks));
  }

  void override_by(std::string_view tag) {
    if (is_switch(tag)) return turn(tag[0], is_on(tag));
    if (tag.starts_with("an") && tag.size() == 3 && is_digit(tag[2])) alignment = tag[2] - '0';
    if (tag.size() > 1 && tag[0] == 'a' && is_digit(tag[1]))
      alignment = alignment_of_ssa(tag.substr(1));
    if (tag.starts_with("pos(")) take_position(tag.substr(4));
    if (tag.starts_with("move(")) take_position(tag.substr(5));
    if (tag.starts_with('r'))
      look_ = style_;  // another style's name may follow; it is not looked up
    if (tag.size() > 1 && tag[0] == 'p' && is_digit(tag[1])) is_drawing_ = tag != "p0";
    const bool is_colour = tag.starts_with("c&") || tag.starts_with("1c&");
    if (tag == "c" || tag == "1c") look_.colour = style_.colour;
    if (is_colour) look_.colour = colour_class(tag.substr(tag.find('&')));
  }

  // i1, b0, and b700 as fonts have weights.
  static bool is_switch(std::string_view tag) {
    return tag.size() >= 2 && std::string_view("ibu").contains(tag[0]) &&
           std::ranges::all_of(tag.substr(1), is_digit);
  }
  void turn(char what, bool is_on) {
    (what == 'i' ? look_.is_italic : what == 'b' ? look_.is_bold : look_.is_underlined) = is_on;
  }
  static bool is_on(std::string_view tag) {
    constexpr double bold_weight = 600;
    const double value = number_of(tag.substr(1)).value_or(0);
    return tag[0] == 'b' ? value == 1 || value >= bold_weight : value == 1;
  }
  // \a: 1 to 3 at the bottom, 5 to 7 at the top, 9 to 11 in the middle.
  static std::optional<int> alignment_of_ssa(std::string_view number) {
    const int value = static_cast<int>(std::clamp(number_of(number).value_or(0), 0.0, 99.0));
    if (value >= 9 && value <= 11) return value - 5;
    if (value >= 5 && value <= 7) return value + 2;
    return value >= 1 && value <= 3 ? std::optional(value) : std::nullopt;
  }

  void take_position(std::string_view rest) {
    const auto parts = split(rest.substr(0, rest.find(')')), ',', 3);
    if (parts.size() < 2) return;
    const auto x = number_of(parts[0]);
    const auto y = number_of(parts[1]);
    if (x && y) position = {*x, *y};
  }

  // Tags nest, always in one order, and stand where a letter needs them.
  std::vector<std::string> wanted_tags() const {
    std::vector<std::string> tags;
    if (look_.is_italic) tags.emplace_back("i");
    if (look_.is_bold) tags.emplace_back("b");
    if (look_.is_underlined) tags.emplace_back("u");
    if (!look_.colour.empty()) tags.push_back("c." + look_.colour);
    return tags;
  }
  void close_what_differs(const std::vector<std::string>& wanted) {
    const auto [differs, unused] = std::ranges::mismatch(open_, wanted);
    const auto kept = static_cast<std::size_t>(differs - open_.begin());
    for (; open_.size() > kept; open_.pop_back())
      out += fmt::format("</{}>", std::string_view(open_.back()).substr(0, 1));
  }
  void dress() {
    const std::vector<std::string> wanted = wanted_tags();
    close_what_differs(wanted);
    for (std::size_t i = open_.size(); i < wanted.size(); ++i) {
      out += fmt::format("<{}>", wanted[i]);
      open_.push_back(wanted[i]);
    }
  }

  const AssStyles::Style& style_;
  AssStyles::Style look_;          // of what follows
  std::vector<std::string> open_;  // tags, the innermost last
  bool is_drawing_ = false;
};

int percent(double part, double of) {
  return of <= 0 ? 0 : static_cast<int>(std::lround(std::clamp(part / of, 0.0, 1.0) * 100));
}

// What a browser gives a line of captions, of the picture's height.
constexpr double line_percent = 6;

// Where the top of what is anchored there is: browsers know no other anchor.
int top_percent(double y, int alignment, std::size_t lines) {
  const double height = line_percent * static_cast<double>(lines);
  const double above = alignment >= 7 ? 0 : alignment >= 4 ? height / 2 : height;
  return static_cast<int>(std::lround(std::clamp(y - above, 0.0, 100.0)));
}

// WebVTT's settings for what stands elsewhere than at the bottom's middle.
std::string settings_of(const EventText& event, int alignment, const AssStyles& styles,
                        std::size_t lines) {
  std::string settings;
  const int column = (alignment - 1) % 3;
  if (event.position) {
    const auto [x, y] = *event.position;
    settings = fmt::format(" position:{}% line:{}%", percent(x, styles.width),
                           top_percent(percent(y, styles.height), alignment, lines));
  } else if (alignment >= 7) {
    settings = " line:0";
  } else if (alignment >= 4) {
    settings = fmt::format(" line:{}%", top_percent(50, alignment, lines));
  }
  if (column == 0) settings += event.position ? " align:start" : " position:5% align:start";
  if (column == 2) settings += event.position ? " align:end" : " position:95% align:end";
  return settings;
}

void add_style(AssStyles& styles, const std::vector<std::string>& names,
               const std::vector<std::string_view>& fields) {
  AssStyles::Style style;
  std::string_view name;
  for (std::size_t i = 0; i < std::min(names.size(), fields.size()); ++i) {
    const std::string_view field = trim(fields[i], blanks);
    const double value = number_of(field).value_or(0);
    if (names[i] == "Name") name = field;
    if (names[i] == "Alignment" && value >= 1 && value <= 9)
      style.alignment = static_cast<int>(value);
    if (names[i] == "Bold") style.is_bold = value != 0;
    if (names[i] == "Italic") style.is_italic = value != 0;
    if (names[i] == "Underline") style.is_underlined = value != 0;
    if (names[i] == "PrimaryColour") style.colour = colour_class(field);
  }
  styles.styles.emplace(name, std::move(style));
}

// A blank line would end the cue.
std::string without_blank_lines(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (trim(line, blanks).empty()) continue;
    if (!out.empty()) out += '\n';
    out += line;
  }
  return out;
}

}  // namespace

AssStyles AssStyles::of(std::string_view header) {
  AssStyles styles;
  std::vector<std::string> names;  // of a style's fields
  for (std::string_view line : split(header, '\n', 10'000)) {
    line = trim(line, blanks);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view key = line.substr(0, colon);
    const auto fields = split(line.substr(colon + 1), ',', 64);
    if (key == "PlayResX") styles.width = number_of(fields[0]).value_or(styles.width);
    if (key == "PlayResY") styles.height = number_of(fields[0]).value_or(styles.height);
    if (key == "Format" && names.empty()) {
      for (const std::string_view field : fields)
        names.emplace_back(trim(field, blanks));
    }
    if (key == "Style") add_style(styles, names, fields);
  }
  return styles;
}

void WebVtt::add(std::int64_t from_ms, std::int64_t to_ms, std::string_view event) {
  const auto fields = split(event, ',', 9);
  if (fields.size() < 9 || to_ms <= 0 || to_ms <= from_ms) return;
  static const AssStyles::Style plain;
  const auto styled = styles_.styles.find(fields[2]);
  const AssStyles::Style& style = styled == styles_.styles.end() ? plain : styled->second;
  const EventText text(fields[8], style);
  const std::string lines = without_blank_lines(text.out);
  if (trim(lines, blanks).empty()) return;
  const int alignment = text.alignment.value_or(style.alignment);
  const auto count = static_cast<std::size_t>(std::ranges::count(lines, '\n')) + 1;
  const std::int64_t from = std::max<std::int64_t>(from_ms, 0);
  std::string cue = fmt::format("{} --> {}{}\n{}\n\n", clock(from), clock(to_ms),
                                settings_of(text, alignment, styles_, count), to_utf8(lines));
  // What lies in several layers, as shadows do, is one text.
  const auto [known, is_new] = known_.insert(std::move(cue));
  if (is_new) cues_.emplace(from, *known);
}

std::string WebVtt::text() const {
  std::string out = "WEBVTT\n\n";
  for (const auto& [from, cue] : cues_)
    out += cue;
  return out;
}

}  // namespace videosync
