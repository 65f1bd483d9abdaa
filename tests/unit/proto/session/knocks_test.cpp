#include "proto/session/knocks.h"

#include <criterion/criterion.h>

using namespace videosync;

namespace {

using Verdict = Knocks::Verdict;

KnockRef of(std::uint64_t id) {
  return {.id = KnockId{id}, .place = 1};
}

}  // namespace

Test(knocks, so_many_wait_and_one_more_does_not) {
  Knocks knocks;
  for (std::uint64_t id = 1; id <= Knocks::waiting_max; ++id)
    cr_assert(knocks.knock(of(id), "n", 0) == Verdict::is_to_be_told);
  cr_assert(knocks.knock(of(99), "n", 0) == Verdict::is_full);
  cr_assert(knocks.knock(of(1), "n", 1) == Verdict::waits, "who waits already waits on");
  knocks.leave(KnockId{1});
  cr_assert(knocks.knock(of(99), "n", 1) == Verdict::is_to_be_told);
}

Test(knocks, the_host_is_told_again_after_a_while) {
  Knocks knocks;
  const std::int64_t again_us = Knocks::tell_again_us;
  knocks.knock(of(1), "n", 0);
  cr_assert(knocks.knock(of(1), "n", again_us - 1) == Verdict::waits);
  cr_assert(knocks.knock(of(1), "n", again_us) == Verdict::is_to_be_told);
  knocks.note_told(again_us + 5);
  cr_assert(knocks.knock(of(1), "n", 2 * again_us) == Verdict::waits);
}

Test(knocks, a_word_is_kept_for_who_asks_and_for_so_many) {
  Knocks knocks;
  for (std::uint64_t id = 1; id <= Knocks::waiting_max + 1; ++id) {
    knocks.knock(of(id), "n", 0);
    cr_assert(knocks.decide(KnockId{id}, id % 2 == 0, 0)->place == 1);
    cr_assert_not(knocks.decide(KnockId{id}, true, 0), "it waits no more");
  }
  cr_assert(knocks.knock(of(1), "n", 1) == Verdict::is_to_be_told, "that one was too long ago");
  cr_assert(knocks.knock(of(2), "n", 1) == Verdict::comes_in);
  cr_assert(knocks.knock(of(2), "n", 1) == Verdict::is_to_be_told, "it has come in");
  cr_assert(knocks.knock(of(3), "n", 1) == Verdict::is_refused);
  cr_assert(knocks.knock(of(3), "n", 1) == Verdict::is_refused);
}

Test(knocks, who_is_not_heard_of_is_taken_out) {
  Knocks knocks;
  cr_assert_eq(knocks.due_us(), INT64_MAX);
  const std::int64_t lease_us = Knocks::lease_us;
  knocks.knock(of(1), "one", 0);
  knocks.knock(of(2), "two", 5);
  knocks.knock(of(3), "three", 6);
  knocks.decide(KnockId{3}, true, 7);
  cr_assert_eq(knocks.due_us(), lease_us);
  knocks.knock(of(1), "one", 10);
  cr_assert_eq(knocks.due_us(), lease_us + 5);
  const auto silent = knocks.take_silent(lease_us + 7);
  cr_assert_eq(silent.size(), 1u);
  cr_assert_eq(silent.front().name, "two");
  cr_assert_eq(knocks.due_us(), lease_us + 10, "the decision is forgotten, too");
  cr_assert_eq(knocks.take_all().size(), 1u);
  cr_assert(knocks.waiting().empty());
}
