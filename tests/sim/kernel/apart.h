// Runs seeds in a child process, because a finding ends it, and so does an assertion that fails.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace videosync::sim {

struct KernelTotals {
  std::uint64_t turns = 0;
  std::uint64_t operations = 0;
  std::uint64_t faults = 0;
  std::uint64_t bytes = 0;  // that somebody outside looked at
  std::uint64_t trace = 0;  // the same for the same seed

  KernelTotals& operator+=(const KernelTotals& more) noexcept;
};

using KernelTrial = std::function<KernelTotals(std::uint64_t seed)>;

struct SeedRange {
  std::uint64_t from = 0;
  std::uint64_t seeds = 1;
  double seconds = 1e9;  // begin no further one after this time
};

struct Outcome {
  std::uint64_t done = 0;
  KernelTotals totals{};
  double seconds = 0;
  std::optional<std::string> finding{};  // "check: words"
  std::uint64_t seed = 0;                // of the finding
};

// One child at a time, ended by its own process id where a seed takes more than a minute.
Outcome run_apart(const SeedRange& range, const KernelTrial& trial);

// The same addresses in every run, so that what is derived from them goes the same way: starts this
// program anew, once.
void fix_addresses(char** argv);

}  // namespace videosync::sim
