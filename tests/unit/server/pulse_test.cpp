#include "server/pulse.h"

#include <criterion/criterion.h>

using videosync::Pulse;

Test(pulse, whoever_has_not_beaten_yet_is_counted_from_the_start) {
  const Pulse pulse(3, 1'000);
  cr_assert_eq(pulse.longest(1'000).us, 0);
  cr_assert_eq(pulse.longest(4'000).us, 3'000);
}

Test(pulse, the_one_that_stands_still_is_named) {
  Pulse pulse(3, 0);
  constexpr std::int64_t second_us = 1'000'000;
  for (std::int64_t s = 1; s <= 5; ++s) {
    pulse.beat(0, s * second_us);
    pulse.beat(2, s * second_us);
    cr_assert_not(pulse.longest(s * second_us).is_still(), "after %d s", static_cast<int>(s));
  }
  const Pulse::Silence silence = pulse.longest(5 * second_us + 1);
  cr_assert(silence.is_still());
  cr_assert_eq(silence.worker, 1U);
  cr_assert_eq(silence.us, 5 * second_us + 1);
  pulse.beat(1, 5 * second_us + 1);
  cr_assert_not(pulse.longest(5 * second_us + 2).is_still());
}
