#include "core/base/token_bucket.h"

#include <criterion/criterion.h>

using videosync::BucketRate;
using videosync::TokenBucket;

namespace {

constexpr std::int64_t second_us = 1'000'000;

int taken(TokenBucket& bucket, BucketRate rate, std::int64_t now_us, int asked) {
  int count = 0;
  for (int i = 0; i < asked; ++i)
    count += bucket.take(rate, now_us);
  return count;
}

}  // namespace

Test(token_bucket, a_burst_then_the_rate) {
  constexpr BucketRate rate{.events = 20, .burst = 40};
  TokenBucket bucket;
  cr_assert_eq(taken(bucket, rate, 0, 100), 40);
  cr_assert_eq(taken(bucket, rate, second_us, 100), 20);
  cr_assert_eq(taken(bucket, rate, second_us + 49'999, 100), 0);
  cr_assert_eq(taken(bucket, rate, second_us + 50'000, 100), 1);
}

Test(token_bucket, rest_does_not_add_up_beyond_a_burst) {
  constexpr BucketRate rate{.events = 20, .burst = 40};
  TokenBucket bucket;
  cr_assert_eq(taken(bucket, rate, 0, 100), 40);
  cr_assert_eq(taken(bucket, rate, 3'600 * second_us, 100), 40);
}

Test(token_bucket, what_is_given_back_can_be_taken_again) {
  constexpr BucketRate rate{.events = 20, .burst = 40};
  TokenBucket bucket;
  bucket.give_back(rate);
  cr_assert_eq(taken(bucket, rate, 0, 100), 40, "nothing was taken from it");
  bucket.give_back(rate);
  bucket.give_back(rate);
  cr_assert_eq(taken(bucket, rate, 0, 100), 2);
}

Test(token_bucket, no_rate_is_no_limit) {
  TokenBucket bucket;
  cr_assert_eq(taken(bucket, {.events = 0}, 0, 1'000), 1'000);
}

Test(token_bucket, tells_how_long_to_wait) {
  constexpr BucketRate rate{.events = 10, .burst = 3, .period_us = 60 * second_us};
  TokenBucket bucket;
  cr_assert_eq(bucket.wait_us(rate, 0), 0);
  cr_assert_eq(taken(bucket, rate, 0, 10), 3);
  cr_assert_eq(bucket.wait_us(rate, 0), 6 * second_us);
  cr_assert_eq(bucket.full_at_us(), 18 * second_us);
  cr_assert_eq(bucket.wait_us(rate, 5 * second_us), second_us);
  cr_assert_not(bucket.take(rate, 6 * second_us - 1));
  cr_assert(bucket.take(rate, 6 * second_us), "waiting as told is enough");
}
