#include "proto/session/round_trips.h"

#include <criterion/criterion.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

using videosync::RoundTrips;

Test(round_trips, nothing_is_known_of_nobody) {
  RoundTrips trips;
  cr_assert(!trips.p95_ms());
  trips.add(0);
  cr_assert(!trips.p95_ms(), "0 is not a measurement");
  trips.remove(0);
  trips.add(7);
  cr_assert_float_eq(*trips.p95_ms(), 7, 1e-9);
  trips.remove(7);
  cr_assert(!trips.p95_ms());
}

Test(round_trips, one_in_twenty_may_be_slower) {
  RoundTrips trips;
  for (int i = 0; i < 95; ++i)
    trips.add(10);
  for (int i = 0; i < 5; ++i)
    trips.add(300);
  cr_assert_float_eq(*trips.p95_ms(), 10, 1e-9);
  trips.add(300);
  cr_assert_float_eq(*trips.p95_ms(), 300, 1e-9);
}

Test(round_trips, the_slowest_share_a_bucket) {
  RoundTrips trips;
  trips.add(1e9F);
  trips.add(60'000);
  cr_assert_float_eq(*trips.p95_ms(), 384, 1e-9);
  trips.remove(1e9F);
  trips.remove(60'000);
  cr_assert_eq(trips.count(), 0u);
}

Test(round_trips, the_percentile_is_within_its_bucket) {
  constexpr unsigned seed = 11;
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> value(0.1F, 383);
  RoundTrips trips;
  std::vector<float> values;
  for (int step = 0; step < 2'000; ++step) {
    if (values.size() > 40) {
      const std::size_t at = random() % values.size();
      trips.remove(values[at]);
      values.erase(values.begin() + static_cast<std::ptrdiff_t>(at));
    }
    values.push_back(value(random));
    trips.add(values.back());
    std::vector<float> sorted = values;
    std::sort(sorted.begin(), sorted.end());
    const std::size_t rank = (sorted.size() * 95 + 99) / 100;
    cr_assert_float_eq(*trips.p95_ms(), sorted[rank - 1], 16.1, "seed %u, step %d", seed, step);
  }
}
