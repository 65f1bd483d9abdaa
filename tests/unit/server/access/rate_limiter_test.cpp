#include "server/access/rate_limiter.h"

#include <criterion/criterion.h>

#include <thread>

using videosync::AddressGroup;
using videosync::ConnectionCounter;
using videosync::IpAddress;
using videosync::RateLimiter;

namespace {

constexpr std::int64_t second_us = 1'000'000;
const AddressGroup someone = IpAddress::parse("192.0.2.1")->group();
const AddressGroup other = IpAddress::parse("192.0.2.2")->group();

}  // namespace

Test(rate_limiter, a_burst_passes_and_then_the_rate) {
  RateLimiter limiter({.per_minute = 10, .burst = 3, .groups_max = 1'024});
  for (int i = 0; i < 3; ++i)
    cr_assert(limiter.take(someone, 0).allowed);
  const auto refused = limiter.take(someone, 0);
  cr_assert_not(refused.allowed);
  cr_assert_eq(refused.retry_after_s, 6u);
  cr_assert(limiter.take(other, 0).allowed, "others are not concerned");

  cr_assert_eq(limiter.take(someone, 5 * second_us + 1).retry_after_s, 1u);
  cr_assert(limiter.take(someone, 6 * second_us).allowed, "waiting as told is enough");
  cr_assert_not(limiter.take(someone, 6 * second_us).allowed);
}

Test(rate_limiter, a_refusal_costs_nothing) {
  RateLimiter limiter({.per_minute = 60, .burst = 1, .groups_max = 1'024});
  cr_assert(limiter.take(someone, 0).allowed);
  for (int i = 0; i < 100; ++i)
    cr_assert_not(limiter.take(someone, second_us / 2).allowed);
  cr_assert(limiter.take(someone, second_us).allowed);
}

Test(rate_limiter, what_does_not_count_is_given_back) {
  RateLimiter limiter({.per_minute = 1, .burst = 2, .groups_max = 1'024});
  limiter.give_back(someone);  // there is no bucket of theirs
  for (int i = 0; i < 100; ++i) {
    cr_assert(limiter.take(someone, 0).allowed);
    limiter.give_back(someone);
  }
  limiter.give_back(other);
  for (int i = 0; i < 2; ++i)
    cr_assert(limiter.take(someone, 0).allowed);
  cr_assert_not(limiter.take(someone, 0).allowed, "what is another's is no help");
}

Test(rate_limiter, a_long_rest_saves_no_more_than_the_burst) {
  RateLimiter limiter({.per_minute = 60, .burst = 5, .groups_max = 1'024});
  cr_assert(limiter.take(someone, 0).allowed);
  int passed = 0;
  for (int i = 0; i < 20; ++i)
    passed += limiter.take(someone, 3600 * second_us).allowed;
  cr_assert_eq(passed, 5);
}

Test(rate_limiter, zero_means_unlimited) {
  RateLimiter limiter({.per_minute = 0, .burst = 1, .groups_max = 1});
  for (int i = 0; i < 1'000; ++i)
    cr_assert(limiter.take(someone, 0).allowed);
}

Test(rate_limiter, a_flood_of_addresses_evicts_full_buckets_before_empty_ones) {
  // 16 rows of 8. The heavy user's bucket is the emptiest of its row, whoever else comes.
  RateLimiter limiter({.per_minute = 1, .burst = 10, .groups_max = 128});
  for (int i = 0; i < 10; ++i)
    cr_assert(limiter.take(someone, 0).allowed);
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    const AddressGroup group = IpAddress::from_v4(0x0a000000 + i).group();
    cr_assert(limiter.take(group, 0).allowed, "a newcomer finds a place");
  }
  cr_assert_not(limiter.take(someone, 0).allowed, "the heavy user is still known");
}

Test(rate_limiter, workers_share_one_bucket) {
  RateLimiter limiter({.per_minute = 1, .burst = 1'000, .groups_max = 1'024});
  std::array<int, 4> passed{};
  {
    std::vector<std::jthread> workers;
    for (int& mine : passed) {
      workers.emplace_back([&] {
        for (int i = 0; i < 500; ++i)
          mine += limiter.take(someone, 0).allowed;
      });
    }
  }
  cr_assert_eq(passed[0] + passed[1] + passed[2] + passed[3], 1'000);
}

Test(rate_limiter, counts_up_to_the_limit_and_down) {
  ConnectionCounter counter(2);
  cr_assert(counter.try_add(someone));
  cr_assert(counter.try_add(someone));
  cr_assert_not(counter.try_add(someone));
  cr_assert(counter.try_add(other));
  counter.remove(someone);
  cr_assert(counter.try_add(someone));
  cr_assert_not(counter.try_add(someone));
}

Test(rate_limiter, who_is_gone_is_forgotten) {
  ConnectionCounter counter(1);
  for (std::uint32_t i = 0; i < 1'000; ++i)
    cr_assert(counter.try_add(IpAddress::from_v4(i).group()));
  cr_assert_eq(counter.groups(), 1'000u);
  for (std::uint32_t i = 0; i < 1'000; ++i)
    counter.remove(IpAddress::from_v4(i).group());
  cr_assert_eq(counter.groups(), 0u);
}

Test(rate_limiter, zero_connections_means_unlimited) {
  ConnectionCounter counter(0);
  for (int i = 0; i < 10'000; ++i)
    cr_assert(counter.try_add(someone));
}
