// Census: what nodes, members and commands cost a Redis, counted in a world in which nothing
// breaks.
//
// Plain values. What goes by the clock is counted while nobody does anything; what an act costs, in
// the time until it is long over: so that has some of what goes by the clock in it, each by its
// name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/sim/plan.h"

namespace videosync::sim {

struct CensusOrder {
  std::size_t nodes = 3;
  std::size_t members = 12;  // of one session, spread evenly
  std::uint32_t times = 10;  // each act
};

struct Told {
  std::uint64_t published = 0;
  std::uint64_t messages = 0;  // one for each node that hears it
  std::uint64_t bytes = 0;     // of these
};

struct Counted {
  std::uint64_t scripts = 0;
  std::map<std::string, Told> told{};  // by what it is; "pulse": to itself
};

struct CensusLine {
  std::string act;
  std::uint64_t times = 0;
  std::int64_t lasted_us = 0;
  Counted counted{};
};

// The calm world of such an order.
Plan census_plan(const CensusOrder& order);
// Takes it, and prints it as JSON; the process' exit status.
int print_census(const CensusOrder& order);

}  // namespace videosync::sim
