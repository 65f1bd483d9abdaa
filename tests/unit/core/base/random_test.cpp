#include "core/base/random.h"

#include <criterion/criterion.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <thread>
#include <vector>

namespace {

using videosync::fill_random;
using Bytes = std::vector<std::uint8_t>;

Bytes random_bytes(std::size_t size) {
  Bytes bytes(size);
  fill_random(bytes);
  return bytes;
}

}  // namespace

// Of all sizes, so that they end before, at and after the end of what a thread keeps.
Test(random, nothing_is_given_twice) {
  std::set<Bytes> seen;
  std::size_t count = 0;
  for (std::size_t size = 8; size <= 1100; size += 7, ++count)
    seen.insert(random_bytes(size));
  for (int i = 0; i < 5000; ++i, ++count)
    seen.insert(random_bytes(8));
  cr_assert_eq(seen.size(), count);
}

Test(random, threads_are_given_others) {
  Bytes here = random_bytes(512);
  Bytes there;
  std::thread([&] { there = random_bytes(512); }).join();
  cr_assert_neq(here, there);
}

// All of it is filled: no place stays as it was, over many tries.
Test(random, each_byte_is_filled) {
  for (const std::size_t size : {1U, 2U, 63U, 512U, 513U, 1025U}) {
    Bytes touched(size);
    for (int i = 0; i < 64; ++i) {
      const Bytes bytes = random_bytes(size);
      for (std::size_t at = 0; at < size; ++at)
        touched[at] |= bytes[at];
    }
    cr_assert(std::ranges::all_of(touched, [](auto byte) { return byte != 0; }), "%zu", size);
  }
  fill_random({});
}
