// The cache of forms: within its limit, what plays stays, and a restart finds what is there.
#include "storage/forms/form_cache.h"

#include <criterion/criterion.h>
#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/temp_folder.h"

using namespace videosync;
using namespace videosync::test;

namespace {

constexpr std::int64_t minute_ms = 60'000;

std::string bytes(std::size_t count) {
  return std::string(count, 'x');
}

}  // namespace

Test(form_cache, the_least_used_go) {
  TempFolder folder;
  FormCache cache(folder / "forms", 1'000);
  cr_assert(cache.open().has_value());
  cr_assert(cache.write("a/copy/0.m4s", bytes(400), 0).has_value());
  cr_assert(cache.write("a/copy/1.m4s", bytes(400), 1).has_value());
  cr_assert(cache.open_file("a/copy/0.m4s", 2 * minute_ms) ? true : false);
  cr_assert(cache.write("b/copy/0.m4s", bytes(400), 2 * minute_ms).has_value());
  cr_assert(cache.has("a/copy/0.m4s") && !cache.has("a/copy/1.m4s") && cache.has("b/copy/0.m4s"));
  cr_assert(!std::filesystem::exists(folder / "forms/a/copy/1.m4s"));
  cr_assert_eq(cache.bytes(), 800);
}

Test(form_cache, what_plays_stays_but_within_bounds) {
  TempFolder folder;
  FormCache cache(folder / "forms", 1'000);
  cr_assert(cache.open().has_value());
  for (int i = 0; i < 20; ++i) {
    cr_assert(cache.write("a/copy/" + std::to_string(i) + ".m4s", bytes(100), i).has_value());
    cr_assert_leq(cache.bytes(), 1'125);
  }
  cr_assert(cache.has("a/copy/19.m4s") && !cache.has("a/copy/0.m4s"));
}

Test(form_cache, a_restart_finds_what_is_there) {
  TempFolder folder;
  {
    FormCache cache(folder / "forms", 1'000);
    cr_assert(cache.open().has_value());
    cr_assert(cache.write("a/plan/facts.json", "{}", 0).has_value());
  }
  // Nobody has a number that high.
  folder.write("forms/a/plan/half.m4s.5000000.tmp", "x");
  const std::string ours = fmt::format("forms/a/plan/half.m4s.{}.tmp", ::getpid());
  folder.write(ours, "x");
  FormCache cache(folder / "forms", 1'000);
  cr_assert(cache.open().has_value());
  cr_assert_eq(cache.read("a/plan/facts.json", 5), "{}");
  cr_assert_eq(cache.bytes(), 2);
  cr_assert(!std::filesystem::exists(folder / "forms/a/plan/half.m4s.5000000.tmp"));
  cr_assert(std::filesystem::exists(folder / ours), "a server that this one takes over from");
  cache.forget("a");
  cr_assert_eq(cache.bytes(), 0);
  cr_assert(!std::filesystem::exists(folder / "forms/a"));
}

Test(form_cache, a_file_that_was_taken_away_is_not_there) {
  TempFolder folder;
  FormCache cache(folder / "forms", 1'000);
  cr_assert(cache.open().has_value());
  cr_assert(cache.write("a/copy/0.m4s", bytes(10), 0).has_value());
  std::filesystem::remove(folder / "forms/a/copy/0.m4s");
  cr_assert(!cache.open_file("a/copy/0.m4s", 1));
  cr_assert(!cache.has("a/copy/0.m4s"));
  cr_assert_eq(cache.bytes(), 0);
}

Test(form_cache, versions_of_a_film_have_other_names) {
  const std::string one = film_key("/media", "a.mkv", 5, 6);
  cr_assert_eq(one, film_key("/media", "a.mkv", 5, 6));
  cr_assert_neq(one, film_key("/media", "a.mkv", 5, 7));
  cr_assert_neq(one, film_key("/media", "b.mkv", 5, 6));
  cr_assert_neq(one, film_key("/other", "a.mkv", 5, 6));
}

Test(form_cache, a_limit_that_a_full_disk_set_rises_again) {
  TempFolder folder;
  constexpr std::size_t mib = std::size_t{1} << 20;
  FormCache cache(folder / "forms", 8 * mib);
  cr_assert(cache.open().has_value());
  const auto add = [&](int number, std::int64_t now_ms) {
    cr_assert(cache.write("a/copy/" + std::to_string(number), bytes(mib), now_ms).has_value());
  };
  for (int i = 0; i < 4; ++i)
    add(i, 0);
  cache.shrink(2 * minute_ms);
  cr_assert_leq(cache.bytes(), 4 * mib - mib / 2);
  int number = 10;
  add(number++, 2 * minute_ms + 1);
  cr_assert_leq(cache.bytes(), 4 * mib - mib / 2);
  for (std::int64_t minute = 3; minute < 20; ++minute)
    add(number++, minute * minute_ms);
  cr_assert_geq(cache.bytes(), 7 * mib);
  cr_assert_leq(cache.bytes(), 8 * mib);
}

Test(form_cache, what_was_left_half_made_goes) {
  TempFolder folder;
  FormCache cache(folder / "forms", 1'000);
  cr_assert(cache.open().has_value());
  cr_assert(cache.make_folder("a/copy").has_value());
  std::ofstream(folder / "forms/a/copy/1.m4s.77.tmp") << "x";
  cache.drop_half_made("a/copy", ".77.tmp");
  cache.drop_half_made("b/copy", ".77.tmp");  // nothing need be there
  cr_assert(!std::filesystem::exists(folder / "forms/a/copy/1.m4s.77.tmp"));
}

Test(form_cache, a_plan_outlives_what_is_made_by_it) {
  TempFolder folder;
  FormCache cache(folder / "forms", 1'000);
  cr_assert(cache.open().has_value());
  cr_assert(cache.write("a/plan/plan", bytes(100), 0).has_value());
  for (int i = 1; i < 30; ++i)
    cr_assert(cache.write("a/copy/" + std::to_string(i), bytes(200), i * minute_ms).has_value());
  cr_assert(cache.has("a/plan/plan") && !cache.has("a/copy/1"));
  cr_assert(cache.touch("a/plan/plan", 30 * minute_ms));
  std::filesystem::remove(folder / "forms/a/plan/plan");
  cr_assert(!cache.touch("a/plan/plan", 30 * minute_ms) && !cache.has("a/plan/plan"));
}

Test(form_cache, what_cannot_be_opened_just_now_is_kept) {
  TempFolder folder;
  FormCache cache(folder / "forms", 1'000);
  cr_assert(cache.open().has_value());
  cr_assert(cache.write("a/copy/0.m4s", bytes(9), 0).has_value());
  rlimit before{};
  cr_assert_eq(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};
  cr_assert_eq(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const bool is_open = cache.open_file("a/copy/0.m4s", 1) ? true : false;
  cr_assert_eq(::setrlimit(RLIMIT_NOFILE, &before), 0);
  cr_assert(!is_open && cache.has("a/copy/0.m4s"), "descriptors ran short");
  cr_assert(cache.open_file("a/copy/0.m4s", 2) ? true : false);
  std::filesystem::remove(folder / "forms/a/copy/0.m4s");
  cr_assert(!cache.open_file("a/copy/0.m4s", 3) && !cache.has("a/copy/0.m4s"));
}

Test(form_cache, a_folder_stays_for_the_run_that_begins_in_it) {
  TempFolder folder;
  FormCache cache(folder / "forms", 1'000);
  cr_assert(cache.open().has_value());
  cr_assert(cache.write("a/720p/0.m4s", bytes(600), 0).has_value());
  cr_assert(cache.write("b/720p/0.m4s", bytes(600), 2 * minute_ms).has_value());
  cr_assert(!cache.has("a/720p/0.m4s") && std::filesystem::exists(folder / "forms/a/720p"));
  folder.write("forms/a/720p/3.m4s.5000007.tmp", "x");
  folder.write("forms/a/720p/3.m4s.5000008.tmp", "x");
  cache.drop_half_made("a/720p", ".5000007.tmp");
  cr_assert(!std::filesystem::exists(folder / "forms/a/720p/3.m4s.5000007.tmp"));
  cr_assert(std::filesystem::exists(folder / "forms/a/720p/3.m4s.5000008.tmp"), "another one's");
  FormCache next(folder / "forms", 1'000);
  cr_assert(next.open().has_value());
  cr_assert(!std::filesystem::exists(folder / "forms/a"), "a restart sweeps");
  cr_assert(next.has("b/720p/0.m4s"));
}

Test(form_cache, what_a_power_cut_left_empty_is_not_there) {
  TempFolder folder;
  folder.write("forms/a/copy/0.m4s", "");
  FormCache cache(folder / "forms", 1'000);
  cr_assert(cache.open().has_value());
  cr_assert(!cache.has("a/copy/0.m4s"));
}

Test(form_cache, what_another_version_of_the_maker_made_goes) {
  TempFolder folder;
  const auto has_it_after_restart = [&] {
    FormCache cache(folder / "forms", 1'000);
    cr_assert(cache.open().has_value());
    return cache.has("a/plan/facts.json");
  };
  {
    FormCache cache(folder / "forms", 1'000);
    cr_assert(cache.open().has_value());
    cr_assert(cache.write("a/plan/facts.json", "{}", 0).has_value());
  }
  cr_assert(has_it_after_restart());
  folder.write("forms/version", "0\n");
  cr_assert(!has_it_after_restart(), "another version");
  cr_assert(!std::filesystem::exists(folder / "forms/a"));
  folder.write("forms/a/plan/facts.json", "{}");
  cr_assert(has_it_after_restart());
  std::filesystem::remove(folder / "forms/version");
  cr_assert(!has_it_after_restart(), "none, as before there were any");
}
