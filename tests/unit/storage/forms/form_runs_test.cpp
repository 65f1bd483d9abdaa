// Who keeps the room for a run, and what the program is told to do.
#include "storage/forms/form_runs.h"

#include <criterion/criterion.h>
#include <signal.h>

#include <string>
#include <vector>

#include "storage/forms/form_words.h"

using namespace videosync;

Test(form_runs, what_nobody_waits_for_gives_way) {
  cr_assert(gives_way({.is_wanted = false}, false, 0));
  cr_assert(gives_way({.is_wanted = false, .made = 2}, false, 0));
}

Test(form_runs, until_something_has_come_of_it_a_run_stays) {
  const RunClaim claim{.is_wanted = true, .made = 0, .asked_ms = 0};
  cr_assert(!gives_way(claim, true, 0));
  // Its player was told to ask again and has not yet: what it is to get is being made.
  cr_assert(!gives_way(claim, false, 15'000));
}

Test(form_runs, a_stretch_that_is_watched_is_worth_its_way) {
  for (std::size_t made = 1; made < 4; ++made) {
    const RunClaim claim{.is_wanted = true, .made = made, .asked_ms = 1'000};
    cr_assert(!gives_way(claim, true, 60'000));
    cr_assert(!gives_way(claim, false, 2'900), "a segment goes over the network");
    cr_assert(gives_way(claim, false, 3'000), "its player wants no more of it for now");
  }
}

Test(form_runs, a_stretch_ends_where_others_wait) {
  cr_assert(gives_way({.is_wanted = true, .made = 4, .asked_ms = 0}, true, 1));
}

Test(form_runs, a_lane_is_of_what_it_takes) {
  using Kind = FormJob::Kind;
  using Lane = FormJob::Lane;
  const Rendition picture{.kind = Rendition::Kind::picture, .height = 720};
  const FormJob stretch{.kind = Kind::stretch, .rendition = picture, .from = 3, .end = 7};
  const FormJob beginning{.kind = Kind::stretch, .rendition = picture};
  cr_assert_eq(stretch.lane(), Lane::pictures);
  cr_assert_eq(beginning.lane(), Lane::others);
  cr_assert_eq(FormJob{.kind = Kind::plan}.lane(), Lane::readings);
  cr_assert_eq(FormJob{.kind = Kind::subtitles}.lane(), Lane::readings);
  cr_assert_eq(FormJob{.kind = Kind::describe}.lane(), Lane::others);
}

Test(form_runs, the_program_is_told_where_and_how_far) {
  const Rendition rendition{.kind = Rendition::Kind::picture, .height = 720};
  using Words = std::vector<std::string>;
  const FormJob stretch{
      .kind = FormJob::Kind::stretch, .rendition = rendition, .from = 3, .end = 7};
  cr_assert(words_for(stretch, {.folder = "/c/f", .end_ticks = 90, .threads = 2}) ==
            Words({"picture", "--height", "720", "--threads", "2", "--end-ticks", "90", "--out",
                   "/c/f/720p", "--from", "3", "--count", "4"}));
  cr_assert(words_for({.kind = FormJob::Kind::describe}, {.folder = "/c/f"}) ==
            Words({"describe", "--plan", "/c/f/plan/plan"}));
}

// --- Whose fault an end is -----------------------------------------------------------------------

Test(form_runs, only_what_a_program_does_to_itself_is_the_films_fault) {
  using End = EndedRun::End;
  const auto exited = [](int code) { return end_of(code << 8); };
  cr_assert(exited(0) == End::done && exited(1) == End::fault);
  cr_assert(exited(3) == End::no_room && exited(4) == End::storage);
  cr_assert(exited(5) == End::unwritable && exited(2) == End::crashed);
  cr_assert(exited(126) == End::stopped && exited(127) == End::stopped, "it cannot be run here");
  for (const int signal : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGXFSZ, SIGSYS})
    cr_assert(end_of(signal) == End::crashed);
  // Who stops the service, an operator, the kernel for want of memory.
  for (const int signal : {SIGTERM, SIGKILL, SIGINT, SIGHUP})
    cr_assert(end_of(signal) == End::stopped);
}
