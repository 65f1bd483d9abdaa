// sim: runs seeds through the simulator of nodes.
//
//   sim --seeds 1000            fresh ones, from the time
//   sim --seeds 1000 --from 7   these thousand
//   sim --seed 42               one; where it fails, its story in the shortest form that still
//   fails sim --list tests/sim/seeds.txt --seconds 30
//   sim --census --nodes 20 --members 100
//                               what that costs a Redis, as JSON; no faults
//
// Exit status: 0 all promises were kept; 1 one was not; 2 the command line.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

#include "tests/sim/census.h"
#include "tests/sim/runner.h"

int main(int argc, char** argv) {
  using namespace videosync::sim;
  RunnerOptions options;
  options.from = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                                std::chrono::system_clock::now().time_since_epoch())
                                                .count());
  CLI::App app("A deterministic simulation of VideoSync's nodes, their sessions and their Redis.");
  app.add_option("--seeds", options.seeds, "how many seeds to run");
  app.add_option("--from", options.from, "the first of them (default: from the time)");
  app.add_option("--seed", options.seed, "run only this one, and tell its story if it fails");
  app.add_option("--list", options.list, "a file of seeds, one a line with a word about it");
  app.add_option("--seconds", options.seconds, "start no further seed after this time");
  app.add_option("--shrink-seconds", options.shrink_seconds, "for making a failing run short");
  app.add_flag("--keep-going", options.keeps_going, "count failures instead of stopping at one");
  app.add_flag("--only-time", options.only_time, "only the walk of the time that nodes tell");
  app.add_flag("--story", options.tells, "tell the story of --seed also if it does not fail");
  CensusOrder census;
  bool counts = false;
  CLI::Option* flag =
      app.add_flag("--census", counts, "count what nodes and commands cost a Redis, as JSON");
  app.add_option("--nodes", census.nodes, "of the census")
      ->check(CLI::Range(1, 1'000))
      ->needs(flag);
  app.add_option("--members", census.members, "of its session")
      ->check(CLI::Range(1, 100'000))
      ->needs(flag);
  app.add_option("--times", census.times, "that each act is performed")->needs(flag);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int status = app.exit(error);
    return status == 0 ? 0 : 2;
  }
  return counts ? print_census(census) : run_seeds(options);
}
