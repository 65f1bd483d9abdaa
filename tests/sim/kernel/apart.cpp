#include "tests/sim/kernel/apart.h"

#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "core/base/assert.h"
#include "tests/sim/kernel/finding.h"

namespace videosync::sim {

namespace {

using Time = std::chrono::steady_clock;

constexpr unsigned seed_seconds_max = 60;

// Shared with the child: where it was when it ended.
struct Progress {
  std::uint64_t seed;
  std::uint64_t done;
  KernelTotals totals;
  char finding[finding_bytes];
};

double seconds_since(Time::time_point start) {
  return std::chrono::duration<double>(Time::now() - start).count();
}

void run_all(const SeedRange& range, const KernelTrial& trial, Progress& progress) {
  const Time::time_point start = Time::now();
  for (std::uint64_t i = 0; i < range.seeds && seconds_since(start) < range.seconds; ++i) {
    progress.seed = range.from + i;
    ::alarm(seed_seconds_max);
    progress.totals += trial(progress.seed);
    ++progress.done;
  }
}

std::string name_of(int status, const Progress& progress) {
  if (progress.finding[0] != '\0') return progress.finding;
  if (!WIFSIGNALED(status)) return fmt::format("exit: status {}", WEXITSTATUS(status));
  if (WTERMSIG(status) == SIGABRT) return "assertion: one has failed (it is on stderr)";
  if (WTERMSIG(status) == SIGALRM) return "endless: a seed does not come to an end";
  return fmt::format("signal: {}", WTERMSIG(status));
}

}  // namespace

KernelTotals& KernelTotals::operator+=(const KernelTotals& more) noexcept {
  turns += more.turns;
  operations += more.operations;
  faults += more.faults;
  bytes += more.bytes;
  trace = trace * 31 + more.trace;
  return *this;
}

Outcome run_apart(const SeedRange& range, const KernelTrial& trial) {
  void* memory =
      ::mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  VS_ASSERT(memory != MAP_FAILED);
  auto* progress = new (memory) Progress{};
  const Time::time_point start = Time::now();
  std::fflush(stdout);
  const pid_t child = ::fork();
  VS_ASSERT(child >= 0);
  if (child == 0) {
    finding_note = progress->finding;
    run_all(range, trial, *progress);
    std::fflush(stdout);
    ::_exit(0);
  }
  int status = 0;
  VS_ASSERT(::waitpid(child, &status, 0) == child);
  Outcome outcome{progress->done, progress->totals, seconds_since(start), std::nullopt,
                  progress->seed};
  if (status != 0) outcome.finding = name_of(status, *progress);
  ::munmap(memory, sizeof(Progress));
  return outcome;
}

void fix_addresses(char** argv) {
  const int now = ::personality(0xffffffff);
  if (now < 0 || (now & ADDR_NO_RANDOMIZE) != 0) return;
  if (::personality(static_cast<unsigned long>(now) | ADDR_NO_RANDOMIZE) < 0) return;
  ::execv("/proc/self/exe", argv);
}

}  // namespace videosync::sim
