#include "bench/support/histogram.h"

#include <criterion/criterion.h>

#include <algorithm>
#include <random>
#include <vector>

using videosync::bench::Histogram;

Test(histogram, has_no_quantiles_without_values) {
  const Histogram histogram;
  cr_assert_eq(histogram.count(), 0);
  cr_assert_eq(histogram.quantile(0.5), 0);
}

Test(histogram, tells_small_values_exactly) {
  Histogram histogram;
  for (std::int64_t value = 0; value < 200; ++value)
    histogram.add(value);
  cr_assert_eq(histogram.quantile(0.5), 99);
  cr_assert_eq(histogram.quantile(0.005), 0);
  cr_assert_eq(histogram.quantile(1), 199);
}

Test(histogram, is_within_one_percent_of_the_sorted_values) {
  std::mt19937_64 random(1);
  Histogram histogram;
  std::vector<std::int64_t> values;
  for (int i = 0; i < 20'000; ++i) {
    const auto value = static_cast<std::int64_t>(random() >> (random() % 60 + 4));
    values.push_back(value);
    histogram.add(value);
  }
  std::sort(values.begin(), values.end());
  for (const double q : {0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto place = static_cast<std::size_t>(q * static_cast<double>(values.size())) - 1;
    const auto exact = static_cast<double>(values[place]);
    const auto told = static_cast<double>(histogram.quantile(q));
    cr_assert(told >= exact && told <= exact * 1.01, "q %f: %f instead of %f", q, told, exact);
  }
}
