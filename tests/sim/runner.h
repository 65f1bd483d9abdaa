// Runner: seeds in, findings out.
//
// A seed runs in a child process, many to a child, so that an assertion of the product, or a run
// that does not end, is a finding like any other. A run that failed is made short: actions of its
// plan are left out as long as the same promise is still broken, bounded in time; what is left is
// told. The parent is one thread; children are ended by their own process ids.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace videosync::sim {

struct RunnerOptions {
  std::uint64_t seeds = 0;
  std::uint64_t from = 1;
  std::optional<std::uint64_t> seed{};
  std::string list{};
  double seconds = 1e9;
  double shrink_seconds = 20;
  bool keeps_going = false;
  bool tells = false;
  bool only_time = false;  // the walk of the time that nodes tell, and no world
};

// The process' exit status.
int run_seeds(const RunnerOptions& options);

}  // namespace videosync::sim
