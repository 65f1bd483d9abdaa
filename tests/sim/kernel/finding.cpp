#include "tests/sim/kernel/finding.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>

namespace videosync::sim {

char* finding_note = nullptr;

void report_finding(std::string_view check, const std::string& words) noexcept {
  const std::string line = fmt::format("{}: {}", check, words);
  if (finding_note != nullptr) {
    finding_note[line.copy(finding_note, finding_bytes - 1)] = '\0';
  } else {
    fmt::print("{}\n", line);
    std::fflush(stdout);
  }
  ::_exit(finding_status);
}

}  // namespace videosync::sim
