#include "server/connection/message_rate.h"

#include <criterion/criterion.h>

using videosync::BucketRate;
using videosync::MessageRate;
using Verdict = MessageRate::Verdict;

namespace {

constexpr BucketRate rate{20, 40};

struct Tally {
  int passed = 0;
  int refused = 0;
  bool closed = false;
};

// A member that sends at an even pace for ten seconds, or until it is closed.
Tally send_at(int per_second) {
  MessageRate limit;
  Tally tally;
  for (int i = 0; i < 10 * per_second && !tally.closed; ++i) {
    switch (limit.judge(rate, std::int64_t{i} * 1'000'000 / per_second)) {
      case Verdict::pass:
        ++tally.passed;
        break;
      case Verdict::refuse:
        ++tally.refused;
        break;
      case Verdict::close:
        tally.closed = true;
        break;
    }
  }
  return tally;
}

}  // namespace

Test(message_rate, a_member_within_its_rate_is_left_alone) {
  const Tally tally = send_at(20);
  cr_assert_eq(tally.passed, 200);
  cr_assert_eq(tally.refused, 0);
}

Test(message_rate, a_burst_of_forty_passes) {
  MessageRate limit;
  for (int i = 0; i < 40; ++i)
    cr_assert(limit.judge(rate, 0) == Verdict::pass);
  cr_assert(limit.judge(rate, 0) == Verdict::refuse);
  cr_assert(limit.judge(rate, 50'000) == Verdict::pass);
}

Test(message_rate, a_member_a_little_too_fast_is_refused_but_stays) {
  const Tally tally = send_at(30);
  cr_assert_geq(tally.passed, 200);
  cr_assert_gt(tally.refused, 0);
  cr_assert_not(tally.closed);
}

Test(message_rate, a_flood_is_closed) {
  for (const int per_second : {500, 1'000, 100'000}) {
    const Tally tally = send_at(per_second);
    cr_assert(tally.closed, "%d a second", per_second);
    cr_assert_leq(tally.refused, 250, "%d a second", per_second);
  }
}

Test(message_rate, unlimited_refuses_nothing) {
  MessageRate limit;
  for (int i = 0; i < 100'000; ++i)
    cr_assert(limit.judge({0, 1}, 0) == Verdict::pass);
}
