// The clock that members are told: set once, then only slewed, and honest about its error.
#include "storage/redis/store_clock.h"

#include <criterion/criterion.h>

#include <cstdlib>
#include <random>

#include "tests/support/manual_clock.h"

using namespace videosync;
using namespace videosync::test;

namespace {

constexpr std::int64_t ms = 1'000;
constexpr std::int64_t second = 1'000'000;

struct Bench {
  ManualClock local;
  StoreClock clock{local};

  void follow(std::int64_t offset_us, std::int64_t error_us = 100) {
    clock.follow({offset_us, error_us});
  }
  // The clock's lead over the local monotonic one.
  std::int64_t offset_us() const { return clock.server_us() - local.monotonic_us(); }
  // Follows the same estimate once a second.
  void settle(std::int64_t offset_us, int seconds) {
    for (int i = 0; i < seconds; ++i) {
      follow(offset_us);
      local.advance_us(second);
    }
  }
};

}  // namespace

Test(store_clock, before_the_first_estimate_it_is_the_local_one_and_says_so) {
  Bench bench;
  cr_assert_eq(bench.clock.server_us(), bench.local.server_us());
  cr_assert_eq(bench.clock.error_bound_us(), INT64_MAX);
  bench.local.advance_us(second);
  cr_assert_eq(bench.clock.monotonic_us(), second);
}

Test(store_clock, the_first_estimate_sets_it_outright_whoever_has_read_it) {
  Bench bench;
  const std::int64_t before_us = bench.clock.server_us();
  bench.follow(before_us + 3'600 * second, 70);
  cr_assert_eq(bench.offset_us(), before_us + 3'600 * second);
  cr_assert_eq(bench.clock.error_bound_us(), 70);
}

Test(store_clock, later_ones_move_it_slowly_and_never_back) {
  for (const std::int64_t by_us : {2 * ms, -2 * ms, 40 * ms, -40 * ms, 5 * second, -5 * second}) {
    Bench bench;
    bench.settle(1'000 * second, 2);
    std::int64_t last_us = bench.clock.server_us();
    for (int i = 0; i < 300'000; i += 10) {
      if (i % 1'000 == 0) bench.follow(1'000 * second + by_us);
      bench.local.advance_us(10 * ms);
      const std::int64_t now_us = bench.clock.server_us();
      const std::int64_t gained_us = now_us - last_us - 10 * ms;
      cr_assert_leq(std::abs(gained_us), 201, "2 %% at most");
      last_us = now_us;
    }
    cr_assert_leq(std::abs(bench.offset_us() - 1'000 * second - by_us), 1);
  }
}

Test(store_clock, a_small_difference_is_gone_within_seconds) {
  Bench bench;
  bench.settle(1'000 * second, 2);
  bench.settle(1'000 * second + 5 * ms, 5);
  cr_assert_leq(std::abs(bench.offset_us() - 1'000 * second - 5 * ms), ms);
}

Test(store_clock, the_error_grows_with_age_and_counts_what_is_still_to_slew) {
  Bench bench;
  bench.settle(1'000 * second, 1);
  cr_assert_eq(bench.clock.error_bound_us(), 200, "100 ppm of a second more");
  bench.follow(1'000 * second + 30 * ms, 50);
  cr_assert_eq(bench.clock.error_bound_us(), 30 * ms + 50);
  bench.local.advance_us(10 * second);
  cr_assert_eq(bench.clock.error_bound_us(), 50 + 1'000);
}

// Readers of the old segment and of the new one agree on every instant, so one who is late does not
// see time run back; however fast estimates come.
Test(store_clock, many_estimates_at_once_leave_no_gap) {
  std::mt19937 random(7);
  const auto between = [&](std::int64_t least, std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>(least, most)(random);
  };
  Bench bench;
  bench.settle(1'000 * second, 2);
  std::int64_t last_us = bench.clock.server_us();
  for (int i = 0; i < 100'000; ++i) {
    if (between(0, 3) == 0) bench.follow(1'000 * second + between(-50 * ms, 50 * ms));
    const std::int64_t passed_us = between(1, 2 * ms);
    bench.local.advance_us(passed_us);
    const std::int64_t now_us = bench.clock.server_us();
    cr_assert_leq(std::abs(now_us - last_us - passed_us), passed_us / 50 + 2);
    last_us = now_us;
  }
}
