// Nodes, and a store of which parts are away: who is told, what is voided, what goes on.
#include "server/nodes/nodes.h"

#include <criterion/criterion.h>

#include <string>
#include <utility>
#include <vector>

#include "core/reactor/timer_wheel.h"
#include "tests/support/manual_clock.h"
#include "tests/unit/server/session/distant_store.h"

using namespace videosync;
using namespace videosync::test;

namespace {

const Error gone{ErrorCode::unavailable, "Connection refused", 0};

SlotSet slots(std::size_t from, std::size_t to) {
  SlotSet some;
  for (std::size_t slot = from; slot < to; ++slot)
    some.set(slot);
  return some;
}

// One worker, whose directory is not asked for: what is posted is dropped.
struct Alone final : NodesOwner, Surroundings, SessionListener {
  struct Told {
    SlotSet slots;
    bool is_degraded;
  };

  ManualClock clock;
  TimerWheel timers{0};
  DistantStore store{clock};
  Nodes nodes{{.clock = clock,
               .timers = timers,
               .store = store,
               .around = *this,
               .workers = 1,
               .self = Uuid::random_v4()},
              *this};
  std::vector<Told> told;
  std::vector<SharedSlots> voided;
  int said = 0;

  Alone() {
    store.listen(*this);
    clock.advance_us(1'000'000);
    timers.expire(clock.monotonic_us() / 1'000);
    nodes.start();
    nodes.on_store_ready();
    nodes.report_written_back(0);
    told.clear();
  }
  void pass(std::int64_t us) {
    for (std::int64_t left_us = us; left_us > 0; left_us -= 50'000) {
      clock.advance_us(50'000);
      timers.expire(clock.monotonic_us() / 1'000);
      said += static_cast<int>(std::exchange(store.answers, {}).size());
    }
  }

  // NodesOwner
  Totals totals() noexcept override { return {}; }
  void on_degraded(const SharedSlots& where, bool is_degraded) noexcept override {
    told.push_back({*where, is_degraded});
  }
  void on_round_trip(std::int64_t) noexcept override {}
  void void_store_calls(const SharedSlots& where) noexcept override { voided.push_back(where); }

  // Surroundings
  void post(std::size_t, InlineTask) noexcept override {}
  // Only its address is taken.
  SessionDirectory& directory_of(std::size_t) noexcept override {
    return *reinterpret_cast<SessionDirectory*>(this);
  }
  std::optional<VideoChoice> choose_video(const std::optional<std::string>&) noexcept override {
    return std::nullopt;
  }
  std::optional<VideoChoice> next_episode(const std::string&) noexcept override {
    return std::nullopt;
  }
  std::string title_of(const std::string& id) noexcept override { return id; }
  void fill_random(std::span<std::uint8_t>) noexcept override {}
  bool is_draining() const noexcept override { return false; }

  // SessionListener
  void on_session_event(const Uuid&, const BufferRef&) noexcept override {}
};

constexpr std::int64_t long_us = Nodes::degraded_after_us + 300'000;

}  // namespace

Test(nodes, who_is_in_a_part_that_stays_away_is_told_and_nobody_else) {
  Alone node;
  const SlotSet part = slots(0, 5'000);
  node.nodes.on_part_lost(part, gone);
  cr_assert(node.told.empty(), "a blip is not worth a word");
  cr_assert_eq(node.voided.size(), 1u);
  cr_assert(*node.voided.front() == part);
  node.pass(long_us);
  cr_assert_eq(node.told.size(), 1u);
  cr_assert(node.told[0].is_degraded && node.told[0].slots == part);
  cr_assert(node.nodes.is_degraded() && node.nodes.problem().empty(), "the rest is there");
  cr_assert(node.nodes.parts_problem() == "redis: 5000 of 16384 slots are away: Connection refused",
            "%s", node.nodes.parts_problem().c_str());
  node.nodes.on_part_ready(part);
  cr_assert_eq(node.told.size(), 2u);
  cr_assert(!node.told[1].is_degraded && node.told[1].slots == part);
  cr_assert(node.nodes.parts_problem().empty() && !node.nodes.is_degraded());
}

Test(nodes, each_part_has_an_outage_of_its_own) {
  Alone node;
  node.nodes.on_part_lost(slots(0, 100), gone);
  node.pass(long_us);
  node.nodes.on_part_lost(slots(0, 200), gone);  // the first is known
  cr_assert(*node.voided.back() == slots(100, 200));
  cr_assert_eq(node.told.size(), 1u);
  node.pass(long_us);
  cr_assert_eq(node.told.size(), 2u);
  cr_assert(node.told[1].slots == slots(100, 200));
  node.nodes.on_part_ready(slots(50, 150));
  cr_assert(!node.told[2].is_degraded && node.told[2].slots == slots(50, 150));
  cr_assert(node.nodes.is_degraded());
}

Test(nodes, a_part_that_is_soon_back_is_not_worth_a_word) {
  Alone node;
  node.nodes.on_part_lost(slots(0, 100), gone);
  node.pass(Nodes::degraded_after_us / 2);
  node.nodes.on_part_ready(slots(0, 100));
  node.pass(long_us);
  cr_assert(node.told.empty());
}

Test(nodes, other_nodes_hear_that_this_one_lives_while_a_part_is_away) {
  Alone node;
  node.nodes.on_part_lost(slots(0, 5'000), gone);
  node.pass(1'000'000);
  node.said = 0;
  node.pass(3'000'000);
  cr_assert_geq(node.said, 3);
}

Test(nodes, the_whole_that_goes_takes_its_parts_along) {
  Alone node;
  const SlotSet part = slots(0, 100);
  node.nodes.on_part_lost(part, gone);
  node.pass(long_us);
  node.nodes.on_store_lost(gone);
  cr_assert(node.voided.back() == nullptr);
  node.pass(long_us);
  cr_assert(node.told.back().is_degraded && node.told.back().slots == ~part, "the others too");
  const std::size_t before = node.told.size();
  node.nodes.on_store_ready();
  node.nodes.on_part_lost(part, gone);
  node.pass(long_us);
  cr_assert_eq(node.told.size(), before + 1, "these are never told that it is back");
  cr_assert(!node.told.back().is_degraded && node.told.back().slots == ~part);
}

Test(nodes, what_a_part_refuses_that_is_away_is_no_refusal) {
  Alone node;
  node.nodes.on_part_lost(slots(0, 100), gone);
  node.nodes.report_unsaved(0, "not connected", 7);
  cr_assert(node.told.empty() && node.nodes.problem().empty());
  node.nodes.report_unsaved(0, "OOM", 100);
  cr_assert(node.told.size() == 1 && node.told[0].slots.all(), "of any session, next time");
  cr_assert(node.nodes.problem() == "redis: OOM");
}
