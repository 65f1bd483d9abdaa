// The nodes of one Redis tell one time, whatever happens to Redis' clock and to theirs.
#include "storage/redis/common_time.h"

#include <criterion/criterion.h>

#include "tests/sim/time_world.h"

using namespace videosync;
using Delays = videosync::sim::Delays;
using TimeNode = videosync::sim::TimeNode;

namespace {

// Whatever else a test is about, the promise holds in it.
class TimeWorld : public sim::TimeWorld {
 public:
  using sim::TimeWorld::TimeWorld;

  void run(std::int64_t for_us) {
    sim::TimeWorld::run(for_us);
    cr_assert_not(finding, "%s", finding ? finding->c_str() : "");
  }
};

constexpr std::int64_t steps_us[] = {5 * sim::second,      -5 * sim::second, 3'600 * sim::second,
                                     -3'600 * sim::second, 200 * sim::ms,    -30 * sim::ms,
                                     8 * sim::ms,          4 * sim::ms,      -1 * sim::ms};

// A world where some nodes have told a time for a while, by clocks of their own.
void settle(TimeWorld& world, int nodes = 3) {
  constexpr std::int64_t ppms[] = {40, -60, 15, -5};
  for (int i = 0; i < nodes; ++i) {
    world.add(ppms[i % 4]);
    world.run(world.between(0, sim::second));
  }
  world.run(5 * sim::second);
  for (const auto& node : world.nodes)
    cr_assert(node->tells());
}

// What a node tells, beyond true time.
std::int64_t lead_us(const TimeWorld& world, const TimeNode& node) {
  return node.told_us() - world.now_us();
}

void assert_near(std::int64_t value, std::int64_t expected, std::int64_t bound, const char* what) {
  cr_assert(std::abs(value - expected) <= bound, "%s: %ld us, not %ld", what,
            static_cast<long>(value), static_cast<long>(expected));
}

}  // namespace

Test(common_time, the_first_node_begins_with_redis_own_time_after_it_has_waited) {
  TimeWorld world;
  const TimeNode& node = world.add();
  world.run(CommonTime::start_us - 50 * sim::ms);
  cr_assert_not(node.tells());
  cr_assert_eq(world.writes, 0);
  world.run(200 * sim::ms);
  cr_assert(node.tells());
  assert_near(node.told_us(), world.redis_us(), sim::ms, "time");
  cr_assert_eq(world.writes, 1);
  cr_assert_eq(world.stored.offset_us, 0);
}

Test(common_time, two_that_start_at_the_same_instant_begin_one_line) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    TimeWorld world(seed);
    world.add();
    world.add();
    world.run(3 * sim::second);
    cr_assert(world.nodes[0]->tells() && world.nodes[1]->tells());
    cr_assert_eq(world.writes, 1);
  }
}

Test(common_time, who_starts_beside_others_need_not_wait) {
  TimeWorld world;
  settle(world);
  const TimeNode& late = world.add();
  world.run(20 * sim::ms);
  cr_assert(late.tells());
}

Test(common_time, redis_clock_is_set_and_server_time_goes_on) {
  for (const std::int64_t step_us : steps_us) {
    TimeWorld world;
    settle(world);
    const std::int64_t before_us = lead_us(world, *world.nodes[0]);
    world.redis.step(step_us);
    world.run(10 * sim::second);
    assert_near(lead_us(world, *world.nodes[0]), before_us, 3 * sim::ms, "server time");
    world.add(90);
    world.run(5 * sim::second);
    cr_assert(world.nodes.back()->tells());
    assert_near(lead_us(world, *world.nodes.back()), before_us, 5 * sim::ms, "of who starts later");
  }
}

Test(common_time, a_node_that_starts_in_any_moment_around_a_step_has_the_others_time) {
  for (std::int64_t moment_us = -2 * sim::second; moment_us < 2 * sim::second;
       moment_us += 35 * sim::ms) {
    TimeWorld world(static_cast<unsigned>(moment_us / sim::ms + 5'000));
    settle(world, 2);
    world.at(2 * sim::second, [&] { world.redis.step(5 * sim::second); });
    world.at(2 * sim::second + moment_us, [&] { world.add(-30); });
    world.run(6 * sim::second);
    cr_assert(world.nodes.back()->tells());
    cr_assert_eq(world.nodes.size(), 3);
  }
}

// What the others found right is what they read before the step, and the new node reads after it.
Test(common_time, redis_clock_is_set_between_the_first_readings_of_a_node) {
  constexpr Delays even{100, 100, 0};
  for (const std::int64_t step_us :
       {-15 * sim::second, 15 * sim::second, -10 * sim::ms, 10 * sim::ms}) {
    for (std::int64_t moment_us = 0; moment_us < 2 * sim::ms; moment_us += 25) {
      TimeWorld world;
      world.add(40, even);
      world.add(-60, even);
      world.run(5 * sim::second);
      world.add(0, even);
      world.at(moment_us, [&] { world.redis.step(step_us); });
      world.run(5 * sim::second);
      cr_assert(world.nodes.back()->tells());
    }
  }
}

// One of two that start has asked before the step, and its answer comes when the other has read
// after it.
Test(common_time, what_another_node_was_told_is_no_answer) {
  constexpr Delays even{100, 100, 0};
  constexpr Delays slow_to_hear{100, 900, 0};
  for (const std::int64_t step_us : {-15 * sim::second, 15 * sim::second}) {
    for (std::int64_t moment_us = 0; moment_us < 3 * sim::ms; moment_us += 25) {
      TimeWorld world;
      world.add(40, even);
      world.run(5 * sim::second);
      world.add(0, even);
      world.at(450, [&] { world.redis.step(step_us); });
      world.at(moment_us, [&] { world.add(0, slow_to_hear); });
      world.run(5 * sim::second);
      for (const auto& node : world.nodes)
        cr_assert(node->tells());
    }
  }
}

// The first reading would not show a step of some milliseconds.
Test(common_time, what_is_asked_about_a_coarse_reading_is_asked_again) {
  TimeWorld world;
  settle(world);
  TimeNode& late = world.add(0, {40 * sim::ms, 100, 0});
  world.run(sim::ms);
  late.delays = {};
  world.at(39 * sim::ms + 500, [&] { world.redis.step(20 * sim::ms); });
  world.run(5 * sim::second);
  cr_assert(late.tells());
}

Test(common_time, two_that_notice_at_the_same_instant_make_one_change) {
  for (unsigned seed = 1; seed <= 50; ++seed) {
    TimeWorld world(seed);
    world.add();
    world.add();
    world.run(10 * sim::second);
    const unsigned before = world.writes;
    world.redis.step(-5 * sim::second);
    for (const auto& node : world.nodes)
      node->read();
    world.run(5 * sim::second);
    cr_assert_eq(world.writes, before + 1);
    for (const auto& node : world.nodes)
      cr_assert_not(node->time.is_in_doubt());
  }
}

Test(common_time, steps_follow_each_other) {
  TimeWorld world;
  settle(world);
  const std::int64_t before_us = lead_us(world, *world.nodes[0]);
  for (int i = 0; i < 40; ++i) {
    world.redis.step(world.between(-3 * sim::second, 3 * sim::second));
    world.run(world.between(0, 3 * sim::second));
  }
  world.run(3 * sim::second);
  assert_near(lead_us(world, *world.nodes[0]), before_us, 10 * sim::ms, "server time");
}

Test(common_time, redis_clock_runs_fast_and_all_follow_it) {
  for (const std::int64_t ppm : {500, -500}) {
    TimeWorld world;
    settle(world);
    const unsigned before = world.writes;
    world.redis.run_at(world.now_us(), ppm);
    world.run(120 * sim::second);
    cr_assert_eq(world.writes, before);
    assert_near(world.nodes[0]->told_us(), world.redis_us(), 3 * sim::ms, "time");
    cr_assert_leq(world.worst_spread_us, 3 * sim::ms);
  }
}

// As chrony may do it, by up to 8 %: server time runs as the nodes' own clocks do.
Test(common_time, redis_clock_runs_far_too_fast_and_nobody_follows_it) {
  TimeWorld world;
  settle(world);
  const std::int64_t before_us = lead_us(world, *world.nodes[0]);
  world.redis.run_at(world.now_us(), 80'000);
  world.run(30 * sim::second);
  world.redis.run_at(world.now_us(), 0);
  world.run(5 * sim::second);
  assert_near(lead_us(world, *world.nodes[0]), before_us, 300 * sim::ms, "server time");
}

Test(common_time, redis_forgets_the_offset) {
  TimeWorld world;
  settle(world);
  const std::int64_t before_us = lead_us(world, *world.nodes[0]);
  world.redis.step(5 * sim::second);
  world.run(5 * sim::second);
  world.stored = {};
  world.run(100 * sim::ms);
  world.add();
  world.run(5 * sim::second);
  cr_assert(world.nodes.back()->tells());
  assert_near(world.stored.offset_us, -5 * sim::second, 5 * sim::ms, "the offset");
  assert_near(lead_us(world, *world.nodes.back()), before_us, 5 * sim::ms, "server time");
}

Test(common_time, redis_returns_with_another_clock_and_a_starting_node_finds_it_first) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    TimeWorld world(seed);
    settle(world);
    const std::int64_t before_us = lead_us(world, *world.nodes[0]);
    world.redis.step(world.between(-10 * sim::second, 10 * sim::second));
    if (seed % 2 == 0) world.stored = {};
    world.restart_redis();
    world.add();
    world.run(5 * sim::second);
    for (const auto& node : world.nodes) {
      cr_assert(node->tells());
      assert_near(lead_us(world, *node), before_us, 5 * sim::ms, "server time");
    }
  }
}

Test(common_time, ways_that_differ_there_and_back) {
  constexpr Delays near{100, 100, 50};
  constexpr Delays slow_up{4'000, 200, 300};
  constexpr Delays slow_down{200, 4'000, 300};
  for (const std::int64_t step_us : steps_us) {
    TimeWorld world;
    world.add(10, near);
    world.add(-20, slow_up);
    world.add(30, slow_down);
    world.run(10 * sim::second);
    world.redis.step(step_us);
    world.run(10 * sim::second);
    world.add(0, slow_up);
    world.run(5 * sim::second);
    for (const auto& node : world.nodes) {
      const std::int64_t shared_us = world.redis_us() + world.stored.offset_us;
      assert_near(node->told_us(), shared_us, node->clock.error_bound_us(), "within its own bound");
      cr_assert_leq(node->clock.error_bound_us(), 10 * sim::ms);
    }
  }
}

// The step is within what its round trip leaves open; that the offset was changed tells it.
Test(common_time, a_node_far_away_learns_of_a_small_step_from_the_offset) {
  TimeWorld world;
  world.add();
  world.run(2 * sim::second);
  TimeNode& far = world.add(0, {2'200, 2'200, 50});
  world.run(10 * sim::second);
  world.redis.step(4 * sim::ms);
  world.run(4 * sim::second);
  assert_near(world.stored.offset_us, -4 * sim::ms, sim::ms, "the offset");
  assert_near(far.told_us(), world.nodes[0]->told_us(), sim::ms, "time");
}

// A server that has just started answers late. What was known before is worth more.
Test(common_time, the_first_readings_of_a_connection_are_coarse) {
  for (const bool is_empty : {false, true}) {
    TimeWorld world;
    settle(world, 2);
    world.spread_max_us = sim::ms;
    TimeNode& late = *world.nodes[0];
    const std::int64_t before_us = lead_us(world, late);
    for (const auto& node : world.nodes)
      node->disconnect();
    if (is_empty) world.stored = {};
    const unsigned writes = world.writes;
    late.delays = {40 * sim::ms, 100, 0};
    late.connect();
    world.run(is_empty ? 50 * sim::ms : 600 * sim::ms);
    late.delays = {};
    world.run(600 * sim::ms);
    world.nodes[1]->connect();
    world.run(3 * sim::second);
    assert_near(lead_us(world, late), before_us, sim::ms, "server time");
    cr_assert_eq(world.writes, writes + (is_empty ? 1 : 0));
  }
}

// A busy machine: the best reading of doubt_us is a coarse one, and what is written by it is put
// right by the first that is closer. Whoever counts changes has to count with both.
Test(common_time, what_was_written_by_a_coarse_reading_is_put_right_by_a_closer_one) {
  constexpr Delays even{100, 100, 0};
  TimeWorld world;
  TimeNode& node = world.add(0, even);
  world.run(5 * sim::second);
  const std::int64_t before_us = lead_us(world, node);
  const unsigned writes = world.writes;
  node.delays = {10 * sim::ms, 100, 0};
  world.redis.step(5 * sim::second);
  while (world.writes == writes)
    world.run(50);
  node.delays = even;
  cr_assert_geq(std::abs(world.stored.offset_us + 5 * sim::second), 2 * sim::ms, "a coarse one");
  world.run(sim::second);
  cr_assert_eq(world.writes, writes + 2);
  assert_near(world.stored.offset_us, -5 * sim::second, sim::ms, "the offset");
  assert_near(lead_us(world, node), before_us, sim::ms, "server time");
}

// A guest that is moved to another host, a laptop that sleeps: its clock is late, not Redis'.
Test(common_time, one_machine_stood_still_and_the_others_do_not_care) {
  for (const std::int64_t still_us : {300 * sim::ms, 2 * sim::second}) {
    TimeWorld world;
    settle(world);
    world.spread_max_us = INT64_MAX;
    const std::int64_t before_us = lead_us(world, *world.nodes[1]);
    const unsigned writes = world.writes;
    world.nodes[0]->machine.step(-still_us);
    cr_assert_geq(world.spread_us(), still_us - 5 * sim::ms);
    world.forget(*world.nodes[0]);
    world.run(sim::second + 500 * sim::ms);
    cr_assert_eq(world.writes, writes);
    assert_near(lead_us(world, *world.nodes[1]), before_us, 2 * sim::ms, "who ran on");
    world.run(still_us * 60 + 3 * sim::second);
    cr_assert_leq(world.spread_us(), 5 * sim::ms);
  }
}

Test(common_time, who_was_cut_off_alone_takes_the_time_of_the_others) {
  TimeWorld world;
  settle(world);
  TimeNode& cut = *world.nodes[0];
  cut.disconnect();
  cut.machine.run_at(world.now_us(), 500);  // its own NTP corrects it
  world.spread_max_us = INT64_MAX;
  world.run(120 * sim::second);
  cr_assert_geq(world.spread_us(), 50 * sim::ms);
  const std::int64_t before_us = lead_us(world, *world.nodes[1]);
  const unsigned writes = world.writes;
  cut.connect();
  world.run(5 * sim::second);
  cr_assert_eq(world.writes, writes);
  assert_near(lead_us(world, *world.nodes[1]), before_us, 2 * sim::ms, "who stayed");
  world.run(5 * sim::second);
  cr_assert_leq(world.spread_us(), 5 * sim::ms);
}

// Redis was lost with its offset, and whoever was there first began anew.
Test(common_time, of_two_lines_the_older_one_goes_on) {
  TimeWorld world;
  settle(world, 2);
  world.redis.step(200 * sim::ms);
  world.run(3 * sim::second);
  const std::int64_t before_us = lead_us(world, *world.nodes[0]);
  for (const auto& node : world.nodes)
    node->disconnect();
  world.stored = {};
  world.spread_max_us = INT64_MAX;
  TimeNode& young = world.add();
  world.run(20 * sim::second);
  cr_assert(young.tells());
  assert_near(lead_us(world, young), before_us + 200 * sim::ms, 5 * sim::ms, "a time of its own");
  world.nodes[0]->connect();
  world.nodes[1]->connect();
  world.run(20 * sim::second);
  for (const auto& node : world.nodes)
    assert_near(lead_us(world, *node), before_us, 5 * sim::ms, "server time");
  cr_assert_leq(world.spread_us(), 5 * sim::ms);
}

Test(common_time, redis_refuses_changes_and_every_node_goes_on) {
  TimeWorld world;
  settle(world);
  const std::int64_t before_us = lead_us(world, *world.nodes[0]);
  world.refuses_writes = true;
  const TimeNode& late = world.add();
  world.run(3 * sim::second);
  cr_assert(late.tells());
  world.redis.step(-5 * sim::second);
  world.run(20 * sim::second);
  world.refuses_writes = false;
  world.run(3 * sim::second);
  assert_near(lead_us(world, late), before_us, 5 * sim::ms, "server time");
  assert_near(world.stored.offset_us, 5 * sim::second, 5 * sim::ms, "the offset");
}

Test(common_time, a_redis_that_refuses_changes_from_the_start_is_followed) {
  TimeWorld world;
  world.refuses_writes = true;
  world.add();
  world.run(3 * sim::second);
  cr_assert(world.nodes[0]->tells());
  assert_near(world.nodes[0]->told_us(), world.redis_us(), sim::ms, "time");
}

// Everything at once. Nodes come and go, but not all at a time; Redis' clock does what it wants.
Test(common_time, a_long_random_walk_stays_together) {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    TimeWorld world(seed);
    settle(world);
    const std::int64_t before_us = lead_us(world, *world.nodes[0]);
    for (int i = 0; i < 60; ++i) {
      const std::int64_t choice = world.between(0, 6);
      if (choice == 0) world.redis.step(world.between(-20 * sim::second, 20 * sim::second));
      if (choice == 1) world.redis.step(world.between(-40 * sim::ms, 40 * sim::ms));
      if (choice == 2) world.redis.run_at(world.now_us(), world.between(-500, 500));
      if (choice == 3) world.stored = {};
      if (choice == 4) world.restart_redis();
      if (choice == 5) world.add(world.between(-100, 100));
      if (choice == 6 && world.nodes.size() > 2) world.remove_eldest();
      world.run(world.between(0, 4 * sim::second));
    }
    world.run(5 * sim::second);
    assert_near(lead_us(world, *world.nodes[0]), before_us, 200 * sim::ms, "server time");
    if (seed == 1) cr_log_info("worst spread %ld us", static_cast<long>(world.worst_spread_us));
  }
}
