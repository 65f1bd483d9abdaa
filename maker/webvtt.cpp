#include "maker/webvtt.h"

#include <fmt/format.h>

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

constexpr int bottom_centre = 2;
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
  explicit EventText(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
      const std::size_t close = text[i] == '{' ? text.find('}', i) : std::string_view::npos;
      if (close != std::string_view::npos) {
        overrides(text.substr(i + 1, close - i - 1));
        i = close + 1;
      } else {
        i += letter(text.substr(i));
      }
    }
    close_all();
  }

  std::string out;
  std::optional<int> alignment;
  std::optional<std::pair<double, double>> position;

 private:
  // How many bytes it took.
  std::size_t letter(std::string_view rest) {
    if (is_drawing_) return 1;
    if (rest.starts_with("\\N") || rest.starts_with("\\n")) return append("\n", 2);
    if (rest.starts_with("\\h")) return append("\u00a0", 2);
    if (rest.front() == '&') return append("&amp;", 1);
    if (rest.front() == '<') return append("&lt;", 1);
    if (rest.front() == '>') return append("&gt;", 1);
    if (rest.front() == '\r') return 1;
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
    if (tag.size() == 2 && std::string_view("ibu").find(tag[0]) != std::string_view::npos) {
      return set(tag.substr(0, 1), tag[1] == '1', tag.substr(0, 1));
    }
    if (tag.starts_with("an") && tag.size() == 3 && is_digit(tag[2])) alignment = tag[2] - '0';
    if (tag.starts_with("pos(")) take_position(tag.substr(4));
    if (tag == "r") close_all();
    if (tag.size() > 1 && tag[0] == 'p' && is_digit(tag[1])) is_drawing_ = tag != "p0";
    const bool is_colour = tag.starts_with("c&") || tag.starts_with("1c&");
    if (tag == "c" || tag == "1c") set("c", false, "c");
    if (!is_colour) return;
    const std::string_view name = colour_class(tag.substr(tag.find('&')));
    set("c", false, "c");
    if (!name.empty()) set("c", true, fmt::format("c.{}", name));
  }

  void take_position(std::string_view rest) {
    const auto parts = split(rest.substr(0, rest.find(')')), ',', 2);
    if (parts.size() != 2) return;
    const auto x = number_of(parts[0]);
    const auto y = number_of(parts[1]);
    if (x && y) position = {*x, *y};
  }

  // Tags nest: what is open inside is closed and opened again.
  void set(std::string_view name, bool is_on, std::string_view with_class) {
    const auto found = std::ranges::find(open_, name, [](const Open& one) { return one.name; });
    if ((found != open_.end()) == is_on) return;
    if (is_on) {
      open_.push_back({std::string(name), std::string(with_class)});
      out += fmt::format("<{}>", with_class);
      return;
    }
    const std::vector<Open> inner(found + 1, open_.end());
    while (open_.size() > inner.size() && !open_.empty()) {
      const bool is_it = open_.back().name == name;
      close_last();
      if (is_it) break;
    }
    for (const Open& one : inner)
      set(one.name, true, one.with_class);
  }
  void close_last() {
    out += fmt::format("</{}>", open_.back().name);
    open_.pop_back();
  }
  void close_all() {
    while (!open_.empty())
      close_last();
  }

  struct Open {
    std::string name;
    std::string with_class;
  };
  std::vector<Open> open_;  // the innermost last
  bool is_drawing_ = false;
};

int percent(double part, double of) {
  return of <= 0 ? 0 : static_cast<int>(std::lround(std::clamp(part / of, 0.0, 1.0) * 100));
}

// WebVTT's settings for what stands elsewhere than at the bottom's middle.
std::string settings_of(const EventText& event, int alignment, const AssStyles& styles) {
  std::string settings;
  const int column = (alignment - 1) % 3;
  if (event.position) {
    const auto [x, y] = *event.position;
    settings =
        fmt::format(" position:{}% line:{}%", percent(x, styles.width), percent(y, styles.height));
  } else if (alignment >= 7) {
    settings = " line:0";
  } else if (alignment >= 4) {
    settings = " line:50%";
  }
  if (column == 0) settings += event.position ? " align:start" : " position:5% align:start";
  if (column == 2) settings += event.position ? " align:end" : " position:95% align:end";
  return settings;
}

// A blank line would end the cue.
std::string without_blank_lines(std::string_view text) {
  std::string out;
  for (const std::string_view line : split(text, '\n', 1'000)) {
    if (trim(line, blanks).empty()) continue;
    if (!out.empty()) out += '\n';
    out += line;
  }
  return out;
}

}  // namespace

AssStyles AssStyles::of(std::string_view header) {
  AssStyles styles;
  std::size_t name_at = 0;
  std::size_t alignment_at = 0;
  for (std::string_view line : split(header, '\n', 10'000)) {
    line = trim(line, blanks);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view key = line.substr(0, colon);
    const auto fields = split(line.substr(colon + 1), ',', 64);
    if (key == "PlayResX") styles.width = number_of(fields[0]).value_or(styles.width);
    if (key == "PlayResY") styles.height = number_of(fields[0]).value_or(styles.height);
    if (key == "Format" && alignment_at == 0) {
      for (std::size_t i = 0; i < fields.size(); ++i) {
        if (trim(fields[i], blanks) == "Name") name_at = i;
        if (trim(fields[i], blanks) == "Alignment") alignment_at = i;
      }
    }
    if (key == "Style" && alignment_at > 0 && alignment_at < fields.size()) {
      const auto value = number_of(fields[alignment_at]).value_or(bottom_centre);
      const int alignment = value >= 1 && value <= 9 ? static_cast<int>(value) : bottom_centre;
      styles.alignments.emplace(trim(fields[name_at], blanks), alignment);
    }
  }
  return styles;
}

void WebVtt::add(std::int64_t from_ms, std::int64_t to_ms, std::string_view event) {
  const auto fields = split(event, ',', 9);
  if (fields.size() < 9 || to_ms <= 0 || to_ms <= from_ms) return;
  const EventText text(fields[8]);
  const std::string lines = without_blank_lines(text.out);
  if (trim(lines, blanks).empty()) return;
  const auto styled = styles_.alignments.find(fields[2]);
  const int own = styled == styles_.alignments.end() ? bottom_centre : styled->second;
  const int alignment = text.alignment.value_or(own);
  const std::int64_t from = std::max<std::int64_t>(from_ms, 0);
  cues_.emplace(from, fmt::format("{} --> {}{}\n{}\n\n", clock(from), clock(to_ms),
                                  settings_of(text, alignment, styles_), to_utf8(lines)));
}

std::string WebVtt::text() const {
  std::string out = "WEBVTT\n\n";
  for (const auto& [from, cue] : cues_)
    out += cue;
  return out;
}

}  // namespace videosync
