// Which states count, and how often a command was carried out.
#include "tests/sim/ledger.h"

#include <criterion/criterion.h>

using namespace videosync;
using namespace videosync::sim;

namespace {

SeenState seek(Place place, std::uint64_t command, std::int64_t at_us) {
  return {.place = place,
          .position = position_of(command),
          .at_us = at_us,
          .video = "",
          .by = MemberId{1},
          .cause = "seek"};
}

}  // namespace

Test(ledger, a_command_is_known_by_its_position_or_its_rate) {
  for (const std::uint64_t command : {1, 2, 777, 5'000, 6'000}) {
    cr_assert(command_of(seek({1, 1}, command, 0)) == command);
    SeenState rate = seek({1, 1}, 3, 0);
    rate.cause = "rate";
    rate.rate = rate_of(command);
    cr_assert(command_of(rate) == command, "%d", static_cast<int>(command));
  }
  SeenState others = seek({1, 1}, 3, 0);
  others.position = 3.5;
  cr_assert_not(command_of(others).has_value());
  others = seek({1, 1}, 3, 0);
  others.cause = "stall";
  cr_assert_not(command_of(others).has_value());
}

Test(ledger, one_place_has_one_state) {
  Ledger ledger;
  cr_assert(ledger.note(seek({5, 1}, 1, 10)));
  cr_assert(ledger.note(seek({5, 1}, 1, 10)));
  cr_assert_not(ledger.note(seek({5, 1}, 2, 10)));
}

Test(ledger, one_epoch_has_one_host) {
  Ledger ledger;
  cr_assert(ledger.note_host(5, MemberId{1}));
  cr_assert(ledger.note_host(5, MemberId{1}));
  cr_assert_not(ledger.note_host(5, MemberId{}));
  cr_assert(ledger.note_host(6, MemberId{}));
}

Test(ledger, what_is_told_again_in_a_new_epoch_is_carried_out_once) {
  Ledger ledger;
  ledger.note(seek({5, 1}, 1, 10));
  ledger.note(seek({9, 1}, 1, 10));
  ledger.set_forks({{9, {5, 1}}});
  cr_assert_eq(ledger.tally(1).counting, 1);
  ledger.note(seek({9, 2}, 1, 20));
  cr_assert_eq(ledger.tally(1).counting, 2, "at another time it is another one");
}

Test(ledger, what_lies_behind_a_fork_does_not_count) {
  Ledger ledger;
  ledger.note(seek({5, 1}, 1, 10));
  ledger.note(seek({5, 2}, 2, 20));
  ledger.note(seek({9, 2}, 3, 30));
  ledger.set_forks({{9, {5, 1}}});
  cr_assert_eq(ledger.tally(1).counting, 1);
  cr_assert_eq(ledger.tally(2).counting, 0);
  cr_assert_eq(ledger.tally(2).undone, 1);
  cr_assert_eq(ledger.tally(3).counting, 1);
  cr_assert_eq(ledger.tally(4).counting + ledger.tally(4).undone, 0);
}
