#include "proto/http/http_range.h"

#include <criterion/criterion.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

using namespace videosync;

namespace {

constexpr auto whole = RangeOutcome::whole;
constexpr auto partial = RangeOutcome::partial;
constexpr auto unsatisfiable = RangeOutcome::unsatisfiable;

struct RangeRow {
  std::string field;
  std::uint64_t size;
  RangeOutcome outcome;
  std::vector<ByteRange> ranges = {};
};

void check(const std::vector<RangeRow>& table) {
  RangeSet set;
  for (const RangeRow& row : table) {
    const RangeOutcome outcome = parse_range(row.field, row.size, set);
    cr_assert(outcome == row.outcome, "%s: outcome %d", row.field.c_str(),
              static_cast<int>(outcome));
    cr_assert(std::ranges::equal(set.list(), row.ranges), "%s", row.field.c_str());
  }
}

}  // namespace

Test(http_range, single_ranges) {
  check({{"bytes=0-0", 10, partial, {{0, 1}}},
         {"bytes=0-9", 10, partial, {{0, 10}}},
         {"bytes=2-4", 10, partial, {{2, 3}}},
         {"bytes=2-", 10, partial, {{2, 8}}},
         {"bytes=9-", 10, partial, {{9, 1}}},
         {"bytes=5-100", 10, partial, {{5, 5}}},
         {"bytes=-3", 10, partial, {{7, 3}}},
         {"bytes=-10", 10, partial, {{0, 10}}},
         {"bytes=-11", 10, partial, {{0, 10}}},
         {"BYTES=0-0", 10, partial, {{0, 1}}},
         {"bytes=007-0008", 10, partial, {{7, 2}}}});
}

Test(http_range, unsatisfiable_ranges) {
  check({{"bytes=10-", 10, unsatisfiable},
         {"bytes=10-20", 10, unsatisfiable},
         {"bytes=-0", 10, unsatisfiable},
         {"bytes=10-,11-12,-0", 10, unsatisfiable},
         {"bytes=0-", 0, unsatisfiable},
         {"bytes=-5", 0, unsatisfiable}});
}

Test(http_range, malformed_fields_are_ignored) {
  for (const char* field : {"",
                            "bytes",
                            "bytes=",
                            "bytes=,",
                            "bytes=-",
                            "bytes=--1",
                            "bytes=a-b",
                            "bytes=1",
                            "bytes=1-2-3",
                            "bytes=4-2",
                            "bytes=0x1-2",
                            "bytes=+1-2",
                            "bytes=1 -2",
                            "bytes =0-1",
                            "byte=0-1",
                            "items=0-1",
                            "bytes:0-1",
                            "bytes=0-1;2-3",
                            "bytes=0-1,x",
                            "bytes=99-,4-2",
                            "=0-1",
                            "bytes==0-1"}) {
    check({{field, 10, whole}});
  }
}

Test(http_range, several_ranges_keep_their_order) {
  check({{"bytes=8-9,0-1", 10, partial, {{8, 2}, {0, 2}}},
         {"bytes=0-1 ,\t3-3 , ,-1", 10, partial, {{0, 2}, {3, 1}, {9, 1}}},
         {"bytes=0-1,50-60", 10, partial, {{0, 2}}},
         {"bytes=0-4,5-9", 10, partial, {{0, 5}, {5, 5}}}});
}

Test(http_range, asking_for_more_than_the_file_gets_the_file) {
  check({{"bytes=0-9,0-0", 10, whole},
         {"bytes=0-,0-,0-", 10, whole},
         {"bytes=0-5,4-9", 10, whole},
         {"bytes=-10,-1", 10, whole}});
}

Test(http_range, more_than_sixteen_parts_get_the_file) {
  std::string field = "bytes=0-0";
  for (int i = 1; i < 16; ++i)
    field += "," + std::to_string(i) + "-" + std::to_string(i);
  RangeSet set;
  cr_assert(parse_range(field, 1000, set) == partial);
  cr_assert_eq(set.list().size(), 16u);
  cr_assert(parse_range(field + ",16-16", 1000, set) == whole);
  cr_assert(set.list().empty());
  cr_assert(parse_range(field + ",5000-", 1000, set) == partial, "what selects nothing is no part");
}

Test(http_range, numbers_beyond_64_bits_do_not_wrap) {
  const std::uint64_t large = std::uint64_t{5} << 30;  // 5 GiB
  check({{"bytes=4294967296-4294967297", large, partial, {{4294967296, 2}}},
         {"bytes=18446744073709551616-18446744073709551617", 10, unsatisfiable},
         {"bytes=18446744073709551615-", 10, unsatisfiable},
         {"bytes=0-18446744073709551616", 10, partial, {{0, 10}}},
         {"bytes=0-99999999999999999999999999999999", 10, partial, {{0, 10}}},
         {"bytes=-18446744073709551617", 10, partial, {{0, 10}}},
         {"bytes=-99999999999999999999999999999999", large, partial, {{0, large}}},
         {"bytes=18446744073709551619-18446744073709551618", 10, whole},
         {"bytes=36893488147419103233-1", 10, whole},
         {"bytes=00000000000000000000000000000001-2", 10, partial, {{1, 2}}},
         {"bytes=0-", std::uint64_t{1} << 63, partial, {{0, std::uint64_t{1} << 63}}}});
}

Test(http_range, no_set_costs_more_than_the_file) {
  const unsigned seed = 77;
  std::mt19937 random(seed);
  constexpr std::string_view alphabet = "0123456789-,-, ";
  RangeSet set;
  for (int round = 0; round < 20'000; ++round) {
    std::string field = "bytes=";
    const std::size_t length = random() % 30;
    for (std::size_t i = 0; i < length; ++i)
      field += alphabet[random() % alphabet.size()];
    const std::uint64_t size = random() % 50;
    const RangeOutcome outcome = parse_range(field, size, set);
    std::uint64_t total = 0;
    for (const ByteRange& range : set.list()) {
      cr_assert(range.length > 0 && range.offset < size && range.length <= size - range.offset,
                "seed %u: %s", seed, field.c_str());
      total += range.length;
    }
    cr_assert(total <= size, "seed %u: %s", seed, field.c_str());
    cr_assert_eq(outcome == partial, total > 0, "seed %u: %s", seed, field.c_str());
  }
}
