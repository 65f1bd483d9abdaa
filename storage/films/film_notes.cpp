#include "storage/films/film_notes.h"

#include <pugixml.hpp>

#include <array>
#include <utility>

#include "core/base/text.h"
#include "core/base/utf8.h"

namespace videosync {

namespace {

constexpr std::size_t title_bytes_max = 200;
constexpr int year_min = 1880;
constexpr int year_max = 2100;
constexpr int number_max = 9'999;

// In one line. What is last in a document that is cut off may be cut off itself: "".
std::string text_of(const pugi::xml_node& root, const char* name, bool is_cut = false) {
  const pugi::xml_node child = root.child(name);
  if (is_cut && child == root.last_child()) return {};
  const std::string text = to_utf8(child.child_value());
  std::string line;
  for (const char c : text) {
    const bool is_blank = c == ' ' || is_control_byte(c);
    if (!is_blank) line += c;
    if (is_blank && !line.empty() && line.back() != ' ') line += ' ';
  }
  return std::string(trim(utf8_prefix(line, title_bytes_max), " "));
}

std::optional<int> number_of(const pugi::xml_node& root, const char* name) {
  const auto number = parse_decimal<int>(text_of(root, name));
  return number && *number >= 0 && *number <= number_max ? number : std::nullopt;
}

// "1999" or "1999-03-31".
std::optional<int> year_of(const pugi::xml_node& root) {
  for (const char* name : {"year", "premiered", "releasedate"}) {
    const auto year = parse_decimal<int>(text_of(root, name).substr(0, 4));
    if (year && *year >= year_min && *year <= year_max) return year;
  }
  return std::nullopt;
}

void name_episode(const FilmNotes& own, const FilmNotes& of_show, FilmName& name) {
  const bool has_own = own.kind == FilmNotes::Kind::episode;
  FilmName::Episode episode = name.episode.value_or(FilmName::Episode{});
  if (has_own && !own.show.empty()) episode.show = own.show;
  if (!of_show.title.empty()) episode.show = of_show.title;
  if (has_own && own.season) episode.season = *own.season;
  if (has_own && own.number) episode.number = *own.number;
  if (has_own && !own.title.empty()) episode.title = own.title;
  const bool is_one = name.episode || (own.season && own.number && !episode.show.empty());
  if (!is_one) return;
  if (of_show.year) name.year = of_show.year;
  name.title = episode.shown_title();
  name.episode = std::move(episode);
}

}  // namespace

FilmNotes parse_film_notes(std::string_view bytes) {
  using Kind = FilmNotes::Kind;
  constexpr std::array<std::pair<const char*, Kind>, 3> roots{
      {{"movie", Kind::film}, {"episodedetails", Kind::episode}, {"tvshow", Kind::show}}};
  pugi::xml_document document;
  // What was understood before an error stays; an address may follow on the document.
  const bool is_cut = !document.load_buffer(bytes.data(), bytes.size());
  for (const auto& [name, kind] : roots) {
    const pugi::xml_node root = document.child(name);
    if (!root) continue;
    FilmNotes notes{.kind = kind, .title = text_of(root, "title", is_cut)};
    if (kind == Kind::episode) {
      notes.show = text_of(root, "showtitle", is_cut);
      notes.season = number_of(root, "season");
      notes.number = number_of(root, "episode");
    } else {
      notes.year = year_of(root);
    }
    return notes;
  }
  return {};
}

FilmName named_by(const FilmNotes& own, const FilmNotes& of_show, FilmName name) {
  using Kind = FilmNotes::Kind;
  if (!name.extra.empty()) return name;
  if (own.kind == Kind::film) {
    if (!own.title.empty()) {
      name.title = own.title;
      name.episode.reset();
    }
    if (own.year) name.year = own.year;
    return name;
  }
  const bool is_of_show = name.episode && of_show.kind == Kind::show;
  if (own.kind == Kind::episode || is_of_show) {
    name_episode(own, of_show.kind == Kind::show ? of_show : FilmNotes{}, name);
  }
  return name;
}

}  // namespace videosync
