// kernel_sim: the reactor on a simulated kernel.
//
//   kernel_sim --seeds 1000            fresh ones, from the time: mills on the loop
//   kernel_sim --web --seeds 1000      the whole service: HTTP, WebSocket, sessions, films
//   kernel_sim --seeds 1000 --from 7   these thousand
//   kernel_sim --seed 42               one, twice: it must go the same way
//
// Exit status: 0 nothing was found; 1 something was; 2 the command line.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <optional>

#include "tests/sim/kernel/apart.h"
#include "tests/sim/kernel/mill_trial.h"
#include "tests/sim/kernel/web/asker.h"
#include "tests/sim/kernel/web/web_trial.h"

namespace {

using namespace videosync::sim;

bool run(const SeedRange& range, const KernelTrial& trial, std::string_view flags) {
  const Outcome outcome = run_apart(range, trial);
  if (outcome.finding) {
    fmt::print("seed {} (after {} others): {}\nagain: kernel_sim {}--seed {}\n", outcome.seed,
               outcome.done, *outcome.finding, flags, outcome.seed);
    return false;
  }
  const KernelTotals& totals = outcome.totals;
  fmt::print(
      "{} seeds in {:.1f} s: {} turns ({:.0f} a second), {} operations, {} faults, {} MB looked "
      "at; nothing found\n",
      outcome.done, outcome.seconds, totals.turns,
      static_cast<double>(totals.turns) / outcome.seconds, totals.operations, totals.faults,
      totals.bytes / 1'000'000);
  return true;
}

bool run_twice(std::uint64_t seed, const KernelTrial& trial, std::string_view flags) {
  const SeedRange one{.from = seed};
  if (!run(one, trial, flags)) return false;
  const Outcome first = run_apart(one, trial);
  const Outcome second = run_apart(one, trial);
  if (first.totals.trace == second.totals.trace) return true;
  fmt::print("seed {}: the second time it went another way\n", seed);
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  fix_addresses(argv);
  SeedRange range;
  range.seeds = 0;
  range.from = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                              std::chrono::system_clock::now().time_since_epoch())
                                              .count());
  std::optional<std::uint64_t> seed;
  CLI::App app("A deterministic simulation of the kernel beneath VideoSync's reactor.");
  app.add_option("--seeds", range.seeds, "how many seeds to run");
  app.add_option("--from", range.from, "the first of them (default: from the time)");
  app.add_option("--seed", seed, "run only this one, twice");
  bool is_web = false;
  app.add_flag("--web", is_web, "the whole service, not the loop alone");
  bool shows_answers = false;
  app.add_flag("--answers", shows_answers,
               "only show the requests of --web, and what they deserve");
  app.add_option("--seconds", range.seconds, "start no further seed after this time");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (is_web || shows_answers) prepare_web();
  if (shows_answers) {
    for (const WebExchange& one : web_exchanges()) {
      fmt::print("{:70} {} ({} bytes{})\n",
                 one.request.substr(0, one.request.find('\r')).substr(0, 70),
                 one.answer.substr(0, one.answer.find('\r')), one.answer.size(),
                 one.ends ? ", then the end" : "");
    }
    return 0;
  }
  const KernelTrial trial = is_web ? run_web : run_mill;
  const std::string_view flags = is_web ? "--web " : "";
  return (seed ? run_twice(*seed, trial, flags) : run(range, trial, flags)) ? 0 : 1;
}
