// The time that nodes share, on a real Redis. Its clock is set by changing the offset that lies
// beside it behind the nodes' backs, which is the same to them.
#include "storage/redis/redis_clock.h"

#include <criterion/criterion.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/store_bench.h"

using namespace videosync;
using namespace videosync::test;

namespace {

constexpr std::int64_t apart_max_us = 5'000;

// Some nodes, all turned by this thread, and another client.
class Nodes {
 public:
  RedisServer server;
  std::vector<std::unique_ptr<RedisBench>> nodes;

  RedisBench& add() {
    nodes.push_back(
        std::make_unique<RedisBench>(RedisBench::at(server), RedisLink::Options{}, true));
    return *nodes.back();
  }
  RedisProbe& probe() {
    // Made anew after a restart of the server.
    if (!probe_) probe_ = std::make_unique<RedisProbe>(RedisBench::at(server).server);
    return *probe_;
  }
  void restart() {
    probe_.reset();
    server.kill();
    server.start();
  }
  void until(const std::function<bool()>& is_met, const char* what) {
    for (int i = 0; i < 1'000; ++i) {
      if (is_met()) return;
      for (const auto& node : nodes)
        node->turn();
    }
    cr_assert_fail("waited in vain for: %s", what);
  }
  // Each node has read what is there now.
  void until_read() {
    const int before = probe().calls("time");
    const int more = static_cast<int>(nodes.size()) * 2;
    until([&] { return probe().calls("time") >= before + more; }, "readings");
  }
  void until_ready() {
    until([&] { return std::ranges::all_of(nodes, is_ready); }, "readiness");
  }
  std::string ask(std::vector<std::string_view> words) {
    words.insert(words.begin() + 1, RedisClock::name);
    return probe().ask(words);
  }
  std::string field(std::string_view name) { return ask({"HGET", name}); }
  std::int64_t offset_us() { return std::stoll(field("offset")); }
  // Redis' clock is set, as far as nodes can tell.
  void step(const char* by_us) {
    before_ = field("version");
    ask({"HINCRBY", "offset", by_us});
  }
  void lose() {
    before_ = none;
    probe().ask({"FLUSHALL"});
  }
  // The record has been changed, and server time is as far from Redis' clock as it has to be. A
  // change by a coarse reading is followed by a closer one, so their number says nothing.
  void until_offset(std::int64_t offset_us) {
    until([&] { return is_changed() && std::abs(this->offset_us() - offset_us) <= apart_max_us; },
          "a change of the record");
  }

 private:
  static bool is_ready(const std::unique_ptr<RedisBench>& node) { return node->ready > 0; }
  bool is_changed() {
    const std::string version = field("version");
    return version != before_ && version != none;
  }

  static constexpr std::string_view none{};  // of what is not there
  std::string before_;
  std::unique_ptr<RedisProbe> probe_;
};

// Read one right after the other.
std::int64_t apart_us(const RedisBench& one, const RedisBench& other) {
  return std::abs(one.clock.server_us() - other.clock.server_us());
}

std::int64_t lead_us(const RedisBench& node) {
  return node.clock.server_us() - node.clock.monotonic_us();
}

}  // namespace

Test(redis_clock, a_store_is_ready_only_when_its_time_is_known) {
  Nodes world;
  RedisBench& node = world.add();
  world.until([&] { return node.ready > 0 || node.clock.error_bound_us() != INT64_MAX; }, "time");
  cr_assert_neq(node.clock.error_bound_us(), INT64_MAX, "before the listener hears of it");
  world.until_ready();
  cr_assert_lt(node.clock.error_bound_us(), 100'000);
  cr_assert_eq(world.field("version"), "1");
  cr_assert_eq(world.offset_us(), 0);
  cr_assert_eq(world.ask({"PTTL"}), "-1");
}

Test(redis_clock, who_starts_beside_another_has_its_time_at_once) {
  Nodes world;
  const RedisBench& first = world.add();
  world.until_ready();
  const std::int64_t since_us = first.clock.monotonic_us();
  const RedisBench& second = world.add();
  world.until_ready();
  cr_assert_lt(second.clock.monotonic_us() - since_us, CommonTime::start_us);
  cr_assert_leq(apart_us(first, second), apart_max_us);
  cr_assert_eq(world.field("version"), "1");
}

Test(redis_clock, redis_clock_is_set_and_nobody_moves) {
  Nodes world;
  const RedisBench& first = world.add();
  const RedisBench& second = world.add();
  world.until_ready();
  const std::int64_t before_us[] = {lead_us(first), lead_us(second)};
  const std::string born = world.field("born");
  world.step("5000000");
  world.until_offset(0);
  cr_assert_eq(world.field("born"), born);
  world.until_read();
  world.step("-3600000000");
  const RedisBench& late = world.add();
  world.until_ready();
  world.until_offset(0);
  cr_assert_leq(std::abs(lead_us(first) - before_us[0]), apart_max_us);
  cr_assert_leq(std::abs(lead_us(second) - before_us[1]), apart_max_us);
  cr_assert_leq(apart_us(first, late), apart_max_us);
}

Test(redis_clock, what_is_there_is_kept_by_whoever_starts_alone) {
  Nodes world;
  world.ask({"HSET", "version", "7", "offset", "5000000", "born", "1"});
  const RedisBench& node = world.add();
  world.until_ready();
  cr_assert_eq(world.field("version"), "8");
  cr_assert_eq(world.offset_us(), 5'000'000);
  cr_assert_neq(world.field("born"), "1", "nobody knows what happened since");
  SystemClock wall;
  cr_assert_leq(std::abs(node.clock.server_us() - wall.server_us() - 5'000'000), apart_max_us);
}

Test(redis_clock, what_redis_loses_comes_back) {
  Nodes world;
  world.ask({"HSET", "version", "7", "offset", "5000000", "born", "1"});
  const RedisBench& first = world.add();
  const RedisBench& second = world.add();
  world.until_ready();
  const std::string born = world.field("born");
  world.lose();
  world.until_offset(5'000'000);
  world.restart();
  world.until([&] { return first.ready == 2 && second.ready == 2; }, "the return");
  world.until_offset(5'000'000);
  cr_assert_eq(world.field("born"), born);
  cr_assert_leq(apart_us(first, second), apart_max_us);
}

Test(redis_clock, what_is_not_ours_is_written_over) {
  using Words = std::vector<std::string_view>;
  for (const Words& odd :
       {Words{"HSET", "version", "one", "other", "field"},
        Words{"HSET", "version", "5", "offset", "9223372036854775807", "born", "1"},
        Words{"HSET", "version", "5", "offset", "1"}}) {
    Nodes world;
    world.ask(odd);
    world.add();
    world.until_ready();
    cr_assert_eq(world.field("version"), "1");
    cr_assert_eq(world.offset_us(), 0);
  }
}

Test(redis_clock, a_key_that_cannot_be_read_is_said) {
  Nodes world;
  world.ask({"SET", "x"});
  const RedisBench& node = world.add();
  const auto is_said = [](const std::string& why) { return why.starts_with("WRONGTYPE"); };
  world.until([&] { return std::ranges::any_of(node.losses, is_said); }, "the reason");
  cr_assert_eq(node.ready, 0);
  world.ask({"DEL"});
  world.until_ready();
}

Test(redis_clock, who_may_not_change_it_follows_it_all_the_same) {
  Nodes world;
  world.probe().ask({"ACL", "SETUSER", "default", "-eval", "-evalsha"});
  const RedisBench& node = world.add();
  world.until_ready();
  SystemClock wall;
  cr_assert_leq(std::abs(node.clock.server_us() - wall.server_us()), apart_max_us);
  cr_assert_eq(world.ask({"EXISTS"}), "0");
  world.probe().ask({"ACL", "SETUSER", "default", "+eval"});
  world.until_offset(0);
}
