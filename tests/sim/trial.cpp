#include "tests/sim/trial.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "tests/sim/time_walk.h"

namespace videosync::sim {

namespace {

constexpr int run_max_s = 20;  // of processor time

// What the child tells its parent, in memory that both see.
struct Report {
  std::uint64_t runs;
  std::uint64_t seed;
  RunTotals totals;
  bool has_finding;
  std::array<char, 64> check;
  std::array<char, 1'024> words;
};

template <std::size_t Size>
void put(std::array<char, Size>& to, std::string_view text) noexcept {
  const std::size_t length = text.copy(to.data(), Size - 1);
  to[length] = '\0';
}

void limit_run() noexcept {
  const itimerval limit{{0, 0}, {run_max_s, 0}};
  ::setitimer(ITIMER_PROF, &limit, nullptr);
}

void add(RunTotals& to, const RunTotals& more) noexcept {
  to.steps += more.steps;
  to.faults += more.faults;
  to.commands += more.commands;
  to.checks += more.checks;
  to.redis_commands += more.redis_commands;
  to.wrong_doubts += more.wrong_doubts;
  to.gone += more.gone;
  to.silences += more.silences;
  to.slow_times += more.slow_times;
}

std::optional<Finding> run(const Plan& plan, RunTotals& totals, std::FILE* story) {
  if (auto finding = walk_time(plan.seed)) return finding;
  if (plan.nodes.empty()) return std::nullopt;  // only the time was asked for
  World world(plan, story);
  world.run();
  add(totals, world.totals());
  return world.finding();
}

void run_child(Report& report, const std::function<std::optional<Plan>()>& next, std::FILE* story) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  log_settings.descriptor = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  while (const auto plan = next()) {
    report.seed = plan->seed;
    ++report.runs;
    limit_run();
    if (const auto finding = run(*plan, report.totals, story)) {
      report.has_finding = true;
      put(report.check, finding->check);
      put(report.words, finding->words);
      return;
    }
  }
}

// An assertion's expression names it; its line may move.
Finding finding_of(int status, std::string_view last_words) {
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF) {
    return {"endless", "the run did not end: something goes round and round"};
  }
  constexpr std::string_view summary = "SUMMARY: ";  // of a sanitizer
  if (const std::size_t at = last_words.rfind(summary); at != last_words.npos) {
    const std::string_view words = last_words.substr(at + summary.size());
    const std::string line(words.substr(0, words.find('\n')));
    return {line.substr(0, line.find(' ', line.find(' ') + 1)), line};
  }
  constexpr std::string_view mark = "assertion failed: ";
  const std::size_t at = last_words.rfind(mark);
  if (at != last_words.npos) {
    const std::size_t line = last_words.rfind('\n', at);
    const std::string_view words = last_words.substr(line == last_words.npos ? 0 : line + 1);
    std::string name(last_words.substr(at + mark.size(), 60));
    return {name.substr(0, name.find('\n')), std::string(words.substr(0, words.find('\n')))};
  }
  return {"signal " + std::to_string(WIFSIGNALED(status) ? WTERMSIG(status) : 0),
          std::string(last_words.substr(0, 500))};
}

std::string read_all(int descriptor) {
  std::string all;
  std::array<char, 4'096> some;
  ::lseek(descriptor, 0, SEEK_SET);
  for (ssize_t n = 0; (n = ::read(descriptor, some.data(), some.size())) > 0;)
    all.append(some.data(), static_cast<std::size_t>(n));
  return all;
}

TrialOutcome run_in_child(const std::function<std::optional<Plan>()>& next, std::FILE* story) {
  void* memory =
      ::mmap(nullptr, sizeof(Report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  VS_ASSERT(memory != MAP_FAILED);
  auto& report = *new (memory) Report{};
  const int last_words = ::memfd_create("last words", MFD_CLOEXEC);
  std::fflush(stdout);
  const pid_t child = ::fork();
  VS_ASSERT(child >= 0 && last_words >= 0);
  if (child == 0) {
    ::dup2(last_words, STDERR_FILENO);
    run_child(report, next, story);
    std::fflush(stdout);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  TrialOutcome outcome{report.runs, std::nullopt, report.seed, report.totals};
  if (report.has_finding) outcome.finding = Finding{report.check.data(), report.words.data()};
  if (!outcome.finding && !(WIFEXITED(status) && WEXITSTATUS(status) == 0)) {
    outcome.finding = finding_of(status, read_all(last_words));
  }
  ::close(last_words);
  ::munmap(memory, sizeof(Report));
  return outcome;
}

}  // namespace

TrialOutcome run_plans(const std::function<std::optional<Plan>()>& next) {
  return run_in_child(next, nullptr);
}

TrialOutcome run_plan(const Plan& plan) {
  return run_in_child(
      [&plan, is_done = false]() mutable {
        return std::exchange(is_done, true) ? std::nullopt : std::optional(plan);
      },
      nullptr);
}

TrialOutcome tell_plan(const Plan& plan) {
  return run_in_child(
      [&plan, is_done = false]() mutable {
        return std::exchange(is_done, true) ? std::nullopt : std::optional(plan);
      },
      stdout);
}

}  // namespace videosync::sim
