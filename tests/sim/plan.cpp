#include "tests/sim/plan.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/assert.h"
#include "tests/sim/random.h"

namespace videosync::sim {

namespace {

struct Weight {
  Act act;
  std::uint32_t weight;
};

constexpr std::array viewer_acts{
    Weight{Act::seek, 30},        Weight{Act::play, 12},    Weight{Act::pause, 12},
    Weight{Act::rate, 6},         Weight{Act::load, 2},     Weight{Act::chat, 12},
    Weight{Act::reaction, 6},     Weight{Act::name, 5},     Weight{Act::report, 6},
    Weight{Act::settings, 2},     Weight{Act::give, 4},     Weight{Act::claim, 4},
    Weight{Act::kick, 1},         Weight{Act::burst, 6},    Weight{Act::leave, 4},
    Weight{Act::come, 8},         Weight{Act::lose, 6},     Weight{Act::vanish, 2},
    Weight{Act::stop_reading, 1}, Weight{Act::ask_info, 3}, Weight{Act::ask_valid, 3}};

constexpr std::array faults{
    Weight{Act::crash, 4},       Weight{Act::power_off, 2},    Weight{Act::start, 4},
    Weight{Act::stand_still, 4}, Weight{Act::drain, 2},        Weight{Act::drift, 1},
    Weight{Act::err, 1},         Weight{Act::cut, 6},          Weight{Act::cut_off, 6},
    Weight{Act::hold, 5},        Weight{Act::drop, 3},         Weight{Act::redis_kill, 2},
    Weight{Act::redis_hang, 2},  Weight{Act::redis_refuse, 2}, Weight{Act::redis_promote, 2}};

constexpr std::array<std::string_view, static_cast<std::size_t>(Act::count_)> names{
    "seek",         "play",         "pause",       "rate",      "load",       "chat",
    "reaction",     "name",         "report",      "settings",  "give",       "claim",
    "kick",         "end",          "burst",       "leave",     "come",       "lose",
    "vanish",       "stop_reading", "ask_info",    "ask_valid", "remove",     "crash",
    "power_off",    "start",        "stand_still", "drain",     "drift",      "err",
    "cut",          "cut_off",      "hold",        "drop",      "redis_kill", "redis_hang",
    "redis_refuse", "redis_promote"};

Act draw(const std::vector<Weight>& weights, Random& random) {
  std::uint64_t total = 0;
  for (const Weight& each : weights)
    total += each.weight;
  std::uint64_t left = random.below(total);
  for (const Weight& each : weights) {
    if (left < each.weight) return each.act;
    left -= each.weight;
  }
  return weights.back().act;
}

// A part of them: about half, at least one.
template <std::size_t Count>
std::vector<Weight> draw_kinds(const std::array<Weight, Count>& all, double kept, Random& random) {
  std::vector<Weight> some;
  for (const Weight& each : all) {
    if (random.chance(kept)) some.push_back(each);
  }
  if (some.empty()) some.push_back(all[random.below(Count)]);
  return some;
}

void add_nodes(Plan& plan, Random& random) {
  const std::int64_t count = random.chance(0.1) ? 1 : random.between(2, random.chance(0.2) ? 5 : 3);
  const bool is_slow = random.chance(0.2);
  for (std::int64_t i = 0; i < count; ++i) {
    NodePlan node;
    node.workers = static_cast<std::size_t>(random.between(1, 3));
    if (is_slow) {
      node.turn = {0, 2'000, 0.02, 15'000};
      node.mailbox = {1, 500, 0.02, 3'000};
    }
    node.drift_ppm = random.between(-100, 100);
    node.clock_error_us = random.between(-2'500, 2'500);
    plan.nodes.push_back(node);
  }
}

void add_actions(Plan& plan, Random& random) {
  // Without `seek` and `come` there is hardly anything to see.
  std::vector<Weight> acts = draw_kinds(viewer_acts, 0.7, random);
  acts.push_back({Act::seek, 20});
  acts.push_back({Act::come, 4});
  for (std::uint64_t i = 0; i < plan.viewers; ++i)
    plan.actions.push_back({0, random.between(0, 1'500'000), Act::come, i});
  const bool is_calm = random.chance(0.08);
  const std::vector<Weight> breaks = draw_kinds(faults, random.chance(0.5) ? 0.15 : 0.5, random);
  const std::int64_t pause_us = random.between(15'000, 300'000);
  const std::int64_t fault_pause_us = random.between(300'000, 6'000'000);
  for (std::uint32_t round = 0; round < plan.rounds_us.size(); ++round) {
    for (std::int64_t at_us = 0;; at_us += random.between(0, 2 * pause_us)) {
      if (at_us >= plan.rounds_us[round]) break;
      plan.actions.push_back({round, at_us, draw(acts, random), random.next()});
    }
    for (std::int64_t at_us = random.between(0, fault_pause_us); !is_calm;
         at_us += random.between(0, 2 * fault_pause_us)) {
      if (at_us >= plan.rounds_us[round]) break;
      plan.actions.push_back({round, at_us, draw(breaks, random), random.next()});
    }
  }
  // An end ends what there is to see: late, and not always.
  const auto last = static_cast<std::uint32_t>(plan.rounds_us.size() - 1);
  if (random.chance(0.3)) {
    const std::int64_t at_us = random.between(0, plan.rounds_us[last] - 1);
    plan.actions.push_back(
        {last, at_us, random.chance(0.5) ? Act::end : Act::remove, random.next()});
  }
  std::stable_sort(plan.actions.begin(), plan.actions.end(), [](const Action& a, const Action& b) {
    return a.round != b.round ? a.round < b.round : a.at_us < b.at_us;
  });
}

// Seeds below mean what they meant when there was always one server.
constexpr std::uint64_t first_with_shards = 1'796'000'000'000'000;

bool is_fault(Act act) {
  return std::ranges::any_of(faults, [act](const Weight& each) { return each.act == act; });
}

void add_shards(Plan& plan) {
  constexpr std::array of_redis{Act::redis_kill, Act::redis_hang, Act::redis_refuse,
                                Act::redis_promote};
  if (Random::mix(plan.seed ^ 0x5107) % 3 != 0) return;
  plan.shards = 3;
  const std::uint64_t drawn = Random::mix(plan.seed ^ 0xa9a7);
  if (drawn % 3 != 0) return;
  plan.only_shard = 1 + drawn / 3 % 2;
  for (Action& action : plan.actions) {
    if (is_fault(action.act)) action.act = of_redis[action.salt / 7 % of_redis.size()];
  }
}

}  // namespace

std::string_view act_name(Act act) noexcept {
  return names[static_cast<std::size_t>(act)];
}

Plan make_plan(std::uint64_t seed) {
  Random random = Random(seed).fork(1);
  Plan plan;
  plan.seed = seed;
  add_nodes(plan, random);
  plan.sessions = static_cast<std::size_t>(random.between(1, random.chance(0.3) ? 4 : 2));
  plan.viewers = plan.sessions + static_cast<std::size_t>(random.between(1, 8));
  const std::int64_t rounds = random.between(1, 4);
  for (std::int64_t i = 0; i < rounds; ++i)
    plan.rounds_us.push_back(random.between(1'000'000, 15'000'000));
  plan.redis =
      random.chance(0.7) ? Latency{30, 400, 0.01, 5'000} : Latency{200, 20'000, 0.02, 400'000};
  plan.client = random.chance(0.7) ? Latency{100, 5'000, 0.01, 50'000}
                                   : Latency{5'000, 60'000, 0.02, 500'000};
  plan.everyone = random.chance(0.5) ? 1 : 0.3;
  // Drawn apart, so that all else is as without; by a number that moves few seeds that are kept for
  // what they found.
  plan.has_doors = Random::mix(seed ^ 0xfc29) % 6 == 0;
  plan.has_cookies = Random::mix(seed ^ 0x3cc1e) % 6 == 0;
  add_actions(plan, random);
  if (seed >= first_with_shards) add_shards(plan);
  return plan;
}

}  // namespace videosync::sim
