// Names as people and programs give them, and what they say.
#include "storage/names/film_name.h"

#include <criterion/criterion.h>

#include <random>

#include "core/base/utf8.h"

using namespace videosync;

namespace {

void expect_film(const char* folder, const char* stem, const char* title, std::optional<int> year,
                 const char* quality = "", const char* edition = "") {
  const FilmName name = parse_film_name(folder, stem);
  cr_assert_eq(name.title, title, "%s: \"%s\"", stem, name.title.c_str());
  cr_assert(name.year == year, "%s: %d", stem, name.year.value_or(0));
  cr_assert_eq(name.quality, quality, "%s: %s", stem, name.quality.c_str());
  cr_assert_eq(name.edition, edition, "%s: %s", stem, name.edition.c_str());
  cr_assert(!name.episode && name.extra.empty(), "%s", stem);
}

void expect_episode(const char* folder, const char* stem, FilmName::Episode expected,
                    const char* title) {
  const FilmName name = parse_film_name(folder, stem);
  cr_assert(name.episode.has_value(), "%s", stem);
  const FilmName::Episode& episode = *name.episode;
  cr_assert(episode == expected, "%s: \"%s\" %d %d \"%s\"", stem, episode.show.c_str(),
            episode.season, episode.number, episode.title.c_str());
  cr_assert_eq(name.title, title, "%s: \"%s\"", stem, name.title.c_str());
}

constexpr std::optional<int> no_year;

}  // namespace

Test(film_name, films) {
  expect_film("", "The.Matrix.1999.1080p.BluRay.x264-GROUP", "The Matrix", 1999, "1080p");
  expect_film("", "The Matrix (1999)", "The Matrix", 1999);
  expect_film("", "The Matrix 1999 720p", "The Matrix", 1999, "720p");
  expect_film("", "big_buck-bunny", "big buck bunny", no_year);
  expect_film("", "S.W.A.T", "S.W.A.T", no_year);
  expect_film("", "S.W.A.T.2003.1080p", "S.W.A.T", 2003, "1080p");
  expect_film("", "1917", "1917", no_year);
  expect_film("", "1917.2019.2160p.UHD", "1917", 2019, "2160p");
  expect_film("", "2001 A Space Odyssey (1968)", "2001 A Space Odyssey", 1968);
  expect_film("", "Blade Runner 2049", "Blade Runner 2049", no_year);
  expect_film("", "Blade.Runner.2049.2017.4K", "Blade Runner 2049", 2017, "2160p");
  expect_film("", "Spider-Man (2002) [1080p]", "Spider-Man", 2002, "1080p");
  expect_film("", "Mr. Nobody", "Mr. Nobody", no_year);
  expect_film("", "Am\u00e9lie", "Am\u00e9lie", no_year);
  expect_film("", "50% \"off\" & <b>#1?", "50% \"off\" & <b>#1?", no_year);
  expect_film("", "A.B", "A B", no_year);
  expect_film("", "__x__", "x", no_year);
  expect_film("", "-", "Untitled", no_year);
  expect_film("", "", "Untitled", no_year);
}

Test(film_name, versions) {
  expect_film("Film (2001)", "Film (2001) - 2160p", "Film", 2001, "2160p");
  expect_film("Film (2001)", "Film (2001) - Director's Cut", "Film", 2001, "", "Director's Cut");
  expect_film("Film (2001)", "Film (2001) {edition-The Long One} 1080p", "Film", 2001, "1080p",
              "The Long One");
  expect_film("Film (2001)", "Film (2001) - Black and White", "Film", 2001, "", "Black and White");
  expect_film("", "Film.2001.EXTENDED.1080p.x265", "Film", 2001, "1080p", "Extended");
}

Test(film_name, folders_say_what_files_do_not) {
  expect_film("Film (2001)", "movie", "Film", 2001);
  expect_film("Film (2001)", "Film", "Film", 2001);
  expect_film("Film (2001)", "Another", "Another", no_year);
  expect_film("Films/Drama", "Film", "Film", no_year);
}

Test(film_name, episodes) {
  expect_episode("", "Show S01E02 - Pilot", {"Show", 1, 2, "Pilot"}, "Show S01E02 Pilot");
  expect_episode("", "The.Show.S01E02E03.Title.Of.It.1080p.WEB-DL",
                 {"The Show", 1, 2, "Title Of It"}, "The Show S01E02 Title Of It");
  expect_episode("Show/Season 01", "Show S01E02", {"Show", 1, 2, ""}, "Show S01E02");
  expect_episode("Show (2008)/Season 1", "s01e02", {"Show", 1, 2, ""}, "Show S01E02");
  expect_episode("Show/Staffel 2", "05 - Titel", {"Show", 2, 5, "Titel"}, "Show S02E05 Titel");
  expect_episode("TV/Show/Specials", "E01", {"Show", 0, 1, ""}, "Show S00E01");
  expect_episode("Show", "1x02 Title", {"Show", 1, 2, "Title"}, "Show S01E02 Title");
  expect_episode("", "Show - 1x02", {"Show", 1, 2, ""}, "Show S01E02");
  expect_episode("", "Show (2008) S2024E105", {"Show", 2024, 105, ""}, "Show S2024E105");
  cr_assert_eq(parse_film_name("", "Show (2008) S01E01").year.value(), 2008);
  for (const char* none : {"Film 1920x1080", "Apollo 13", "s1m0ne", "se7en", "x264", "S01E02"})
    cr_assert(!parse_film_name("", none).episode, "%s", none);
}

Test(film_name, extras) {
  cr_assert_eq(parse_film_name("Film (2001)", "Film (2001)-trailer").extra, "trailer");
  cr_assert_eq(parse_film_name("Film (2001)", "Film (2001)-trailer").title, "Film (trailer)");
  cr_assert_eq(parse_film_name("Film/Featurettes", "Making of").extra, "featurette");
  cr_assert_eq(parse_film_name("Film/Featurettes", "Making of").title, "Making of");
  cr_assert_eq(parse_film_name("Film/Behind The Scenes", "x").extra, "behind the scenes");
  cr_assert_eq(parse_film_name("", "Trailer Park").extra, "");
}

Test(film_name, seasons) {
  cr_assert_eq(season_of_folder("Season 01").value(), 1);
  cr_assert_eq(season_of_folder("season10").value(), 10);
  cr_assert_eq(season_of_folder("S02").value(), 2);
  cr_assert_eq(season_of_folder("Specials").value(), 0);
  for (const char* none : {"Season", "Season 1 extras", "Show", "S", "", "Seasons 1"})
    cr_assert(!season_of_folder(none), "%s", none);
}

Test(film_name, any_bytes_are_a_name) {
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  constexpr std::string_view bytes = "aS1E2x.-_ ()[]{}'\n\xc3\xa9\xff/2019080p";
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (std::size_t length = random() % 40; length > 0; --length)
      text += bytes[random() % bytes.size()];
    const std::size_t slash = text.rfind('/');
    const bool has_folder = slash != std::string::npos;
    const FilmName name = parse_film_name(has_folder ? text.substr(0, slash) : "",
                                          has_folder ? text.substr(slash + 1) : text);
    cr_assert(!name.title.empty() && is_valid_utf8(name.title), "seed %u", seed);
    cr_assert(is_valid_utf8(name.edition), "seed %u", seed);
  }
}
