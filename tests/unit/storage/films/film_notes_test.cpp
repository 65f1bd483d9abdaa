// What notes beside a film say, and what bad ones cost: nothing.
#include "storage/films/film_notes.h"

#include <criterion/criterion.h>

#include <array>
#include <string>

using namespace videosync;

namespace {

using Kind = FilmNotes::Kind;

constexpr std::string_view amelie =
    "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\" ?>\n"
    "<movie>\n  <title>Am\u00e9lie &amp; Co.</title>\n  <originaltitle>Other</originaltitle>\n"
    "  <year>2001</year>\n  <plot>Long &lt;b&gt;words&lt;/b&gt;</plot>\n"
    "  <actor><name>N</name><title>no title</title></actor>\n</movie>\n"
    "https://example.org/title/1\n";

FilmName make_film() {
  FilmName name;
  name.title = "amelie";
  name.year = 2000;
  name.quality = "1080p";
  return name;
}
const FilmName film = make_film();

FilmName episode() {
  FilmName name;
  name.title = "show S01E02";
  name.episode = FilmName::Episode{"show", 1, 2, ""};
  return name;
}

}  // namespace

Test(film_notes, a_film_has_its_title_and_year) {
  const FilmNotes notes = parse_film_notes(amelie);
  cr_assert(notes == (FilmNotes{.kind = Kind::film, .title = "Am\u00e9lie & Co.", .year = 2001}));
  const FilmName named = named_by(notes, {}, film);
  cr_assert_eq(named.title, "Am\u00e9lie & Co.");
  cr_assert_eq(named.year.value(), 2001);
  cr_assert_eq(named.quality, "1080p", "what the notes do not say stays");
  cr_assert(named_by(notes, {}, named) == named);
  cr_assert_eq(parse_film_notes("<movie><premiered>1999-03-31</premiered></movie>").year.value(),
               1999);
}

Test(film_notes, an_episode_has_its_names_and_those_of_its_show) {
  const FilmNotes own = parse_film_notes(
      "<episodedetails><title>Pilot</title><showtitle>A show</showtitle>"
      "<season>2</season><episode>5</episode></episodedetails>");
  const FilmNotes show =
      parse_film_notes("<tvshow><title>The Show</title><year>1990</year></tvshow>");
  cr_assert_eq(named_by(own, {}, episode()).title, "A show S02E05 Pilot");
  const FilmName named = named_by(own, show, episode());
  cr_assert_eq(named.title, "The Show S02E05 Pilot");
  cr_assert(named.episode == (FilmName::Episode{"The Show", 2, 5, "Pilot"}));
  cr_assert_eq(named.year.value(), 1990);
  cr_assert(named_by(own, show, named) == named);
  cr_assert_eq(named_by({}, show, episode()).title, "The Show S01E02");
  cr_assert_eq(named_by(own, {}, film).title, "A show S02E05 Pilot",
               "though its name says nothing");
  cr_assert_eq(named_by({}, show, film).title, "amelie", "a film is no episode");
}

Test(film_notes, an_extra_keeps_its_name_and_a_film_is_no_episode) {
  FilmName extra = film;
  extra.extra = "trailer";
  cr_assert(named_by(parse_film_notes(amelie), {}, extra) == extra);
  const FilmName named = named_by(parse_film_notes(amelie), {}, episode());
  cr_assert(!named.episode);
  cr_assert_eq(named.title, "Am\u00e9lie & Co.");
}

Test(film_notes, what_is_cut_off_says_as_much_as_is_there) {
  const FilmNotes whole = parse_film_notes(amelie);
  bool has_title = false;
  for (std::size_t length = 0; length <= amelie.size(); ++length) {
    const FilmNotes notes = parse_film_notes(amelie.substr(0, length));
    const bool is_whole = notes.title == whole.title;
    cr_assert(is_whole || notes.title.empty(), "cut at %zu", length);
    cr_assert(!has_title || is_whole, "cut at %zu", length);
    has_title = is_whole;
  }
  cr_assert(has_title);
}

Test(film_notes, what_is_no_notes_says_nothing) {
  std::string deep;
  for (int i = 0; i < 8'000; ++i)
    deep += "<a>";
  const std::array<std::string, 8> texts{"",
                                         "  \xff\xfe\xff ",
                                         "plain words \xb0\xb1 of a release",
                                         "<movi",
                                         "<html><title>x</title></html>",
                                         deep,
                                         std::string(24'000, '\0'),
                                         "<!DOCTYPE a [<!ENTITY b \"cc\">]><a>&b;</a>"};
  for (const std::string& text : texts)
    cr_assert(parse_film_notes(text).kind == Kind::none, "%s", text.substr(0, 40).c_str());
  for (const char* year : {"99", "2101", "x", "-200", ""}) {
    const std::string text = std::string("<movie><year>") + year + "</year></movie>";
    cr_assert(!parse_film_notes(text).year, "%s", year);
  }
}

Test(film_notes, a_title_is_one_line_of_utf8) {
  const auto title = [](std::string text) {
    return parse_film_notes("<movie><title>" + text + "</title></movie>").title;
  };
  cr_assert_eq(title(" two\n\t lines&#7; "), "two lines");
  cr_assert_eq(title(std::string(500, 'x')).size(), 200);
  cr_assert_eq(title("<![CDATA[<b>]]>"), "<b>");
  cr_assert_eq(title("a\xff"), "a\xef\xbf\xbd");
  cr_assert_eq(parse_film_notes(
                   "<?xml version='1.0' encoding='ISO-8859-1'?><movie><title>\xe9</title></movie>")
                   .title,
               "\u00e9");
}
