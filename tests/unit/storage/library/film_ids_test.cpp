// Ids that go on meaning their film, whatever comes, in whatever order.
#include "storage/library/film_ids.h"

#include <criterion/criterion.h>
#include <fmt/core.h>

#include <algorithm>
#include <random>
#include <set>

#include "storage/names/video_name.h"

using namespace videosync;

namespace {

constexpr std::int64_t noon_s = 1'700'000'000;

FilmIds::Film film(const std::string& path, std::int64_t ctime_ns) {
  const std::string_view name = std::string_view(path).substr(path.rfind('/') + 1);
  return {path, "", plain_id_of(name, name.substr(0, name.rfind('.'))), ctime_ns};
}

// The path that an id leads to; "" for none.
std::string path_of(std::span<const FilmIds::Film> films, std::span<const FilmIds::Ids> all,
                    std::string_view id) {
  std::string path;
  for (std::size_t i = 0; i < films.size(); ++i) {
    const FilmIds::Ids& ids = all[i];
    const bool is_meant = ids.listed == id || ids.full == id || (!id.empty() && ids.also == id) ||
                          (ids.has_plain && films[i].plain == id);
    if (!is_meant) continue;
    cr_assert(path.empty(), "two films of one id");
    path = films[i].path;
  }
  return path;
}

struct Pair {
  const char* one;
  const char* other;
};

constexpr Pair pairs[]{{"film.mp4", "film.mkv"},
                       {"A.B.mp4", "A B.mp4"},
                       {"\xe6\x97\xa5\xe6\x9c\xac 2.mp4", "\xe4\xb8\xad\xe5\x9b\xbd 2.mp4"},
                       {"b08 UPPER.MP4", "B08 upper.mkv"},
                       {"Season 1/film.mp4", "Season 2/film.mp4"},
                       {"a\nb.mp4", "a\\b.mp4"}};

}  // namespace

Test(film_ids, a_film_keeps_its_id_when_another_of_that_name_comes) {
  for (const Pair& pair : pairs) {
    for (const auto& [first, second] : {std::pair{pair.one, pair.other}, {pair.other, pair.one}}) {
      FilmIds ids;
      std::vector<FilmIds::Film> films{film(first, 1)};
      const std::string id = ids.assign(films, noon_s).at(0).listed;
      cr_assert_eq(id, films[0].plain, "alone: as short as can be");
      films.insert(films.begin(), film(second, 2));
      const auto both = ids.assign(films, noon_s);
      cr_assert_eq(path_of(films, both, id), first);
      cr_assert_eq(both[1].listed, id, "and is listed as before");
      cr_assert_eq(both[0].listed, both[0].full);

      FilmIds elsewhere;
      const auto afresh = elsewhere.assign(films, noon_s);
      cr_assert_eq(path_of(films, afresh, id), first, "the older one, where nobody remembers");
      for (std::size_t i = 0; i < 2; ++i)
        cr_assert_eq(path_of(films, afresh, both[i].full), films[i].path);
    }
  }
}

Test(film_ids, what_was_remembered_goes_before_the_age_of_files) {
  FilmIds before;
  const FilmIds::Film mp4 = film("film.mp4", 1);
  before.assign(std::span(&mp4, 1), noon_s);
  FilmIds after;
  after.recall(before.holders());
  const std::vector<FilmIds::Film> films{film("film.mkv", 5), film("film.mp4", 9)};
  cr_assert_eq(after.assign(films, noon_s)[1].listed, "film");
}

Test(film_ids, the_id_of_a_film_that_has_gone_is_nobodys_for_a_day) {
  FilmIds ids;
  const std::vector<FilmIds::Film> both{film("film.mp4", 1), film("film.mkv", 2)};
  const std::string listed = ids.assign(std::span(both).first(1), noon_s)[0].listed;
  ids.assign(both, noon_s);
  const auto mkv = std::span(both).last(1);
  const std::int64_t last_s = noon_s + FilmIds::absent_s_max;
  cr_assert_eq(path_of(mkv, ids.assign(mkv, noon_s + 1), listed), "");
  cr_assert_eq(path_of(both, ids.assign(both, last_s), listed), "film.mp4", "it is back");
  ids.assign(mkv, last_s);
  cr_assert_eq(path_of(mkv, ids.assign(mkv, last_s + FilmIds::absent_s_max - 1), listed), "");
  cr_assert_eq(path_of(mkv, ids.assign(mkv, last_s + FilmIds::absent_s_max), listed), "film.mkv");
  ids.assign({}, last_s);
  ids.assign({}, last_s + 2 * FilmIds::absent_s_max);
  cr_assert(ids.holders().empty(), "nothing is remembered for ever");
}

Test(film_ids, a_rendition_that_gets_its_film_is_the_same_film) {
  FilmIds ids;
  const FilmIds::Film alone{"cat", "", "cat", 5};
  cr_assert_eq(ids.assign(std::span(&alone, 1), noon_s)[0].listed, "cat");
  std::vector<FilmIds::Film> films{{"cat.mp4", "cat", "cat", 9}};
  const auto joined = ids.assign(films, noon_s);
  cr_assert_eq(joined[0].listed, "cat");
  cr_assert_eq(path_of(films, joined, full_id_of("cat", "cat")), "cat.mp4");
  films.insert(films.begin(), {"cat.mkv", "", "cat", 3});
  films[1].also.clear();
  cr_assert_eq(path_of(films, ids.assign(films, noon_s), "cat"), "cat.mp4");
}

Test(film_ids, ids_are_short_and_never_those_of_another) {
  const std::string long_name = std::string(250, 'a') + ".mp4";
  const FilmIds::Film films[]{film(long_name, 1), film("\xd1\x84.mp4", 1)};
  FilmIds ids;
  const auto assigned = ids.assign(films, noon_s);
  cr_assert_leq(assigned[0].full.size(), 80);
  cr_assert_eq(assigned[1].listed, "video-" + name_hash("\xd1\x84.mp4"));
  cr_assert_eq(full_id_of("film", "film.mp4"), "film--" + path_hash("film.mp4"));
  cr_assert_eq(path_hash("film.mp4").size(), 10);
  cr_assert_neq(path_hash("film.mp4"), path_hash("film.mkv"));
}

// Films come, go, come back and are touched, at random, on two nodes that look at different times:
// what an id meant once it means for ever, or nothing.
Test(film_ids, no_walk_makes_an_id_change_its_film) {
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  std::vector<FilmIds::Film> all;
  for (int i = 0; i < 12; ++i)
    all.push_back(film(fmt::format("{}/film{}", i, i % 2 == 0 ? ".mp4" : ".mkv"), 0));
  FilmIds ids;
  std::map<std::string, std::string> meant;
  std::vector<bool> is_there(all.size());
  for (int step = 1; step < 3'000; ++step) {
    const std::size_t place = random() % all.size();
    is_there[place] = !is_there[place];
    all[place].ctime_ns = step;
    std::vector<FilmIds::Film> films;
    for (std::size_t i = 0; i < all.size(); ++i)
      if (is_there[i]) films.push_back(all[i]);
    std::ranges::shuffle(films, random);
    const auto assigned = ids.assign(films, noon_s + step);
    std::set<std::string> listed;
    for (std::size_t i = 0; i < films.size(); ++i) {
      cr_assert(listed.insert(assigned[i].listed).second);
      meant.try_emplace(assigned[i].listed, films[i].path);
      meant.try_emplace(assigned[i].full, films[i].path);
    }
    for (const auto& [id, path] : meant) {
      const std::string now = path_of(films, assigned, id);
      cr_assert(now.empty() || now == path, "%s: seed %u", id.c_str(), seed);
    }
  }
}

Test(film_ids, a_hidden_film_has_no_id_that_can_be_guessed) {
  FilmIds ids;
  FilmIds::Film hidden = film("~1/key/cat.mp4", 1);
  hidden.is_hidden = true;
  for (const bool has_other : {false, true, false}) {
    std::vector<FilmIds::Film> films{hidden};
    if (has_other) films.push_back(film("cat.mp4", 2));
    const std::vector<FilmIds::Ids> all = ids.assign(films, 1'000);
    cr_assert(all[0].listed == full_id_of("cat", hidden.path));
    cr_assert_not(all[0].has_plain);
    if (has_other) cr_assert(all[1].listed == "cat");
  }
}
