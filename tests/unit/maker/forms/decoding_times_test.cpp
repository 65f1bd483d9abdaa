#include "maker/forms/decoding_times.h"

#include <criterion/criterion.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

using namespace videosync;

namespace {

constexpr std::int64_t picture = 3'600;  // of 25 a second, in ticks of 1/90000 s

std::vector<std::int64_t> in_pictures(std::vector<std::int64_t> times) {
  for (std::int64_t& time : times)
    time *= picture;
  return times;
}

// One more than `shown`, rising, the first one shown at its time.
void expect_sound(const std::vector<std::int64_t>& shown, const std::vector<std::int64_t>& times) {
  cr_assert_eq(times.size(), shown.size() + 1);
  cr_expect_eq(times.front(), shown.front());
  for (std::size_t i = 1; i < times.size(); ++i)
    cr_expect_gt(times[i], times[i - 1], "%zu", i);
}

}  // namespace

TestSuite(decoding_times, .timeout = 60);

Test(decoding_times, without_b_frames_are_those_of_showing) {
  const auto shown = in_pictures({5, 6, 7, 8});
  cr_expect(decoding_times(shown, 9 * picture) == in_pictures({5, 6, 7, 8, 9}));
}

Test(decoding_times, are_close_where_pictures_wait_and_even_behind) {
  const auto shown = in_pictures({0, 3, 1, 2, 6, 4, 5});
  const std::int64_t half = picture / 2;
  const std::vector<std::int64_t> expected{0,           half,        picture,     2 * picture,
                                           3 * picture, 4 * picture, 5 * picture, 7 * picture};
  cr_expect(decoding_times(shown, 7 * picture) == expected);
}

Test(decoding_times, of_a_single_picture_last_until_the_next_segment) {
  const std::vector<std::int64_t> shown{picture};
  cr_expect(decoding_times(shown, 4 * picture) == in_pictures({1, 4}));
}

// Pictures before the film's start are there to be decoded, and shown for a tick each.
Test(decoding_times, rise_also_where_ticks_do_not_suffice) {
  const std::vector<std::int64_t> shown{2, 3, 0, 1, 3'604};
  const auto times = decoding_times(shown, 7'200);
  expect_sound(shown, times);
  cr_expect_leq(times[3], shown[3] + 4);
  cr_expect_eq(times.back(), 7'200);
}

// Random films: groups of up to 8 pictures in which the last is decoded first, of uneven length.
Test(decoding_times, are_never_after_what_is_shown) {
  std::mt19937_64 random(20'261'128);
  const auto below = [&](std::uint64_t n) { return static_cast<std::int64_t>(random() % n); };
  for (int film = 0; film < 2'000; ++film) {
    std::vector<std::int64_t> shown{below(1'000'000)};
    std::int64_t last = shown[0];
    for (int group = 0; group < 12; ++group) {
      std::vector<std::int64_t> waiting;
      for (std::int64_t left = 1 + below(8); left > 0; --left)
        waiting.push_back(last += 20 + below(7'200));
      std::shuffle(waiting.begin(), waiting.end() - 1, random);
      shown.push_back(waiting.back());
      shown.insert(shown.end(), waiting.begin(), waiting.end() - 1);
    }
    const std::int64_t end = last + 1 + below(7'200);
    const auto times = decoding_times(shown, end);
    expect_sound(shown, times);
    cr_expect_eq(times.back(), end);
    for (std::size_t i = 0; i < shown.size(); ++i)
      cr_assert_leq(times[i], shown[i], "film %d, picture %zu", film, i);
  }
}
