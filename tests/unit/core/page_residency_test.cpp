#include "core/reactor/page_residency.h"

#include <criterion/criterion.h>

#include "tests/unit/core/temporary_file.h"

using namespace videosync;
using namespace videosync::test;

namespace {

constexpr std::int64_t block = PageResidency::block_bytes;
constexpr std::int64_t kib = 1'024;
// More than a block remembers since when it has been there.
constexpr std::int64_t unasked_ms = 10 * PageResidency::trusted_max_ms;

// Four blocks and a bit, in the page cache.
struct Fixture {
  TemporaryFile file{4 * block + 1'000};
  PageResidency residency;
  std::int64_t now_ms = 5'000;

  Fixture() {
    file.identity = 77;
    if (!can_ask_for_residency(file.descriptor)) cr_skip("the kernel does not answer");
  }
  std::int64_t ready(std::int64_t offset, std::int64_t length) {
    return residency.ready_bytes(file.range(offset, length), block, now_ms);
  }
};

}  // namespace

Test(page_residency, ranges_of_a_block_share_one_question) {
  Fixture f;
  cr_assert_eq(f.ready(0, 64 * kib), 64 * kib);
  cr_assert_eq(f.ready(100'001, 64 * kib), 64 * kib);
  f.now_ms += PageResidency::trusted_min_ms;
  cr_assert_eq(f.ready(block - 1, 1), 1);
  cr_assert_eq(f.residency.asked(), 1);
  f.now_ms += 1;
  cr_assert_eq(f.ready(0, 64 * kib), 64 * kib);
  cr_assert_eq(f.residency.asked(), 2);
}

Test(page_residency, a_long_range_asks_for_four_blocks_at_once) {
  Fixture f;
  std::int64_t left = 4 * block;
  while (left > 0)
    left -= f.ready(4 * block - left, left);
  cr_assert_eq(left, 0);
  cr_assert_eq(f.residency.asked(), 1);
}

Test(page_residency, a_range_over_a_border_is_ready_as_a_whole) {
  Fixture f;
  cr_assert_eq(f.ready(block - 1'000, 3'000), 3'000);
  cr_assert_eq(f.ready(block / 2, 2 * block), block, "a quantum at most");
}

Test(page_residency, the_last_block_ends_with_its_file) {
  Fixture f;
  cr_assert_eq(f.ready(4 * block, 1'000), 1'000);
  cr_assert_eq(f.ready(4 * block + 999, 1), 1);
  cr_assert_eq(f.residency.asked(), 1);
}

Test(page_residency, what_stays_is_asked_for_ever_more_rarely) {
  Fixture f;
  for (int i = 0; i < 10'000; ++i) {
    cr_assert_eq(f.ready(0, kib), kib);
    f.now_ms += 1;
  }
  // Every 3 ms for half a second, then more and more rarely, and once a second in the end.
  cr_assert_lt(f.residency.asked(), 200);
  const std::uint64_t asked = f.residency.asked();
  f.now_ms += unasked_ms;
  f.ready(0, kib);
  f.now_ms += PageResidency::trusted_min_ms + 1;
  f.ready(0, kib);
  cr_assert_eq(f.residency.asked(), asked + 2,
               "nobody looked meanwhile, so nothing is known of it");
}

Test(page_residency, what_was_evicted_is_found_cold_and_trusted_little_afterwards) {
  Fixture f;
  for (int i = 0; i < 100; ++i, f.now_ms += 10)
    f.ready(0, kib);
  f.file.drop_from_page_cache();
  f.now_ms += unasked_ms;
  cr_assert_eq(f.ready(0, kib), 0);
  std::string read(f.file.content.size(), '\0');
  cr_assert_eq(::pread(f.file.descriptor, read.data(), read.size(), 0),
               static_cast<ssize_t>(read.size()));
  cr_assert_eq(f.ready(0, kib), kib);
  const std::uint64_t asked = f.residency.asked();
  f.now_ms += PageResidency::trusted_min_ms + 1;
  cr_assert_eq(f.ready(0, kib), kib);
  cr_assert_eq(f.residency.asked(), asked + 1);
}

Test(page_residency, part_of_a_block_is_ready_but_not_remembered) {
  Fixture f;
  f.file.drop_from_page_cache();
  ::posix_fadvise(f.file.descriptor, 0, 0, POSIX_FADV_RANDOM);  // no read-ahead
  char page[4'096];
  cr_assert_eq(::pread(f.file.descriptor, page, sizeof page, 8'192), 4'096);
  cr_assert_eq(f.ready(8'192, 4'096), 4'096);
  cr_assert_eq(f.ready(8'192, 4'097), 0);
  cr_assert_eq(f.ready(0, 1), 0);
}

Test(page_residency, files_do_not_answer_for_each_other) {
  Fixture f;
  f.ready(0, kib);
  f.file.drop_from_page_cache();
  cr_assert_eq(f.ready(0, kib), kib, "still trusted");
  f.file.identity += 4'096;  // wants the same place
  cr_assert_eq(f.ready(0, kib), 0);
  f.file.identity = 0;
  cr_assert_eq(f.ready(0, kib), 0, "nothing is remembered of it");
}
