#include "server/connection/date_cache.h"

#include <criterion/criterion.h>

using videosync::DateCache;

Test(date_cache, formats_once_a_second) {
  constexpr std::int64_t start_us = 784'111'777'000'000;
  DateCache cache;
  const std::string_view first = cache.at(start_us);
  cr_assert_eq(first, "Sun, 06 Nov 1994 08:49:37 GMT");
  cr_assert_eq(cache.at(start_us + 999'999).data(), first.data());
  cr_assert_eq(cache.at(start_us + 999'999), "Sun, 06 Nov 1994 08:49:37 GMT");
  cr_assert_eq(cache.at(start_us + 1'000'000), "Sun, 06 Nov 1994 08:49:38 GMT");
}

Test(date_cache, the_epoch_itself_is_a_time) {
  DateCache cache;
  cr_assert_eq(cache.at(0), "Thu, 01 Jan 1970 00:00:00 GMT");
}
