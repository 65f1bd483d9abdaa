// What one process leaves to the next.
#include "storage/films/known_films.h"

#include <criterion/criterion.h>

#include "tests/support/temp_folder.h"

using namespace videosync;
using namespace videosync::test;

namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

constexpr std::string_view facts = R"({"bytes":9,"startMs":40,"durationMs":2500,"endsEarly":false,)"
                                   R"("audio":[],"subtitles":[],"pictureSegmentTicks":180000})";

const MediaProbe::Known films{{{"film.mp4", 5, -7}, {62.5}},
                              {{"odd\n\t%41\xff/a.mkv", 1, 2}, {0.1}},
                              {{"told.mkv", 9, 3}, learned_of(parse_film_facts(facts).value())},
                              {{"none.mp4", 1, 1}, {}}};

bool is_same(const LearnedFilm& a, const LearnedFilm& b) {
  if (a.duration_s != b.duration_s || (a.facts == nullptr) != (b.facts == nullptr)) return false;
  return a.facts == nullptr || a.facts->told == b.facts->told;
}
const std::map<std::string, FilmIds::Holder> holders{{"film", {"film.mp4", true, 0}},
                                                     {"odd", {"a\nb.mp4", false, 99}}};
const NotesBook::Known notes{
    {{"film.nfo", 3, 4}, {FilmNotes::Kind::film, "The Film", "", 2001, std::nullopt, std::nullopt}},
    {{"e.nfo", 1, 1}, {FilmNotes::Kind::episode, "", "Show", std::nullopt, 0, 12}},
    {{"none.nfo", 0, 9}, {}}};

}  // namespace

Test(known_films, all_is_read_as_it_was_written) {
  TempFolder folder;
  const std::string path = folder / "films";
  cr_assert(KnownFilms::write(path, films, holders, notes).has_value());
  const KnownFilms known = KnownFilms::read(path);
  cr_assert_eq(known.films.size(), 3, "what has no duration is asked again");
  for (const auto& [version, learned] : known.films)
    cr_assert(is_same(films.at(version), learned));
  cr_assert_eq(known.films.at({"told.mkv", 9, 3}).facts->start_ms, 40);
  cr_assert_eq(known.holders.size(), 2);
  cr_assert_eq(known.holders.at("odd").path, "a\nb.mp4");
  cr_assert(known.holders.at("film").is_listed && !known.holders.at("odd").is_listed);
  cr_assert_eq(known.holders.at("odd").absent_since_s, 99);
  cr_assert(known.notes == notes);
}

Test(known_films, what_another_version_of_the_maker_told_is_asked_again) {
  TempFolder folder;
  const std::string path = folder / "films";
  cr_assert(KnownFilms::write(path, films, holders, notes).has_value());
  const std::string whole = text_of(path);
  const std::size_t begin = whole.find("\nm\t");
  const std::size_t end = whole.find('\n', begin + 1);
  for (const std::string_view other : {"", "\nm\t0"}) {
    std::string text = whole;
    text.replace(begin, end - begin, other);
    folder.write("films", text);
    const KnownFilms known = KnownFilms::read(path);
    cr_assert(!known.films.contains({"told.mkv", 9, 3}) && known.films.size() == 2);
    cr_assert(known.holders.size() == 2 && known.notes == notes, "these are the server's own");
  }
}

Test(known_films, what_is_damaged_is_read_as_far_as_it_makes_sense) {
  TempFolder folder;
  const std::string path = folder / "films";
  cr_assert(KnownFilms::write(path, films, holders, notes).has_value());
  const std::string whole = text_of(path);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    folder.write("films", whole.substr(0, length));
    for (const auto& [version, learned] : KnownFilms::read(path).films)
      cr_assert(is_same(films.at(version), learned), "cut at %zu", length);
    for (const auto& [version, said] : KnownFilms::read(path).notes)
      cr_assert(notes.at(version) == said, "cut at %zu", length);
  }
  folder.write(
      "films",
      "videosync films "
      "1\nf\t5\t-7\tinf\t=a\nf\tx\t1\t1\t=a\nf\t1\t1\t1\txzz\nf\t1\t1\t1\ta\nx\ni\t\t1\t0\t=a\n");
  cr_assert(KnownFilms::read(path).films.empty() && KnownFilms::read(path).holders.empty());
  folder.write("films", "videosync films 2\n" + whole);
  cr_assert(KnownFilms::read(path).films.empty(), "another version");
  cr_assert(KnownFilms::read(folder / "missing").films.empty());
  cr_assert_not(KnownFilms::write(folder / "no/such/films", films, holders, notes).has_value());
}
