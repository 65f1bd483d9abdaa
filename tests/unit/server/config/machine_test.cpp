#include "server/config/machine.h"

#include <criterion/criterion.h>

#include <algorithm>
#include <fstream>
#include <string>

using namespace videosync;

namespace {

// The slots of this process's table of descriptors.
std::uint64_t table_size() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::uint64_t size = 0;
    if (word == "FDSize:" && status >> size) return size;
  }
  return 0;
}

}  // namespace

Test(machine, the_table_of_descriptors_grows_before_it_is_needed) {
  const std::uint64_t limit = prepare_machine().descriptors_max;
  const std::uint64_t wanted = std::min<std::uint64_t>(3'000, limit);
  reserve_descriptors(wanted);
  cr_assert_geq(table_size(), wanted);
  reserve_descriptors(wanted / 2);
  cr_assert_geq(table_size(), wanted);
}

Test(machine, no_more_descriptors_are_reserved_than_the_limit_allows) {
  const std::uint64_t limit = prepare_machine().descriptors_max;
  if (limit > 100'000) cr_skip_test("the limit of this machine needs a table of many megabytes");
  reserve_descriptors(UINT64_MAX);
  cr_assert_geq(table_size(), limit);
}
