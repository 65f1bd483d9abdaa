// The simulator's store, the embedded one and a real Redis: the same answers to the same calls.
#include <criterion/criterion.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

#include "tests/sim/random.h"
#include "tests/sim/redis.h"
#include "tests/sim/sim_store.h"
#include "tests/support/store_bench.h"

using namespace videosync;
using namespace videosync::test;
using videosync::sim::Random;

namespace {

constexpr std::size_t calls_per_sequence = 250;
constexpr std::int64_t short_life_us = 3'000;
constexpr std::int64_t pause_us = 8'000;

class SimBench final : public StoreBench, sim::StoreTurns {
 public:
  SimBench() : store_(redis_, 0, *this, timers_, Random(1'000'002)) {
    store_.listen(listener());
    store_.start();
    until([&] { return ready == 1; }, "a store that is ready");
  }
  ~SimBench() override { store_.abandon(false); }

  SessionStore& store() override { return store_; }
  void turn() override { pass(1'000); }
  void pass(std::int64_t us) {
    scheduler_.run_until(scheduler_.now_us() + us);
    timers_.expire(now_ms());
  }

 private:
  void arrive(InlineTask task) noexcept override { task(); }
  std::int64_t now_ms() noexcept override { return scheduler_.now_us() / 1'000; }
  void on_said(const Uuid&, const BufferRef&) noexcept override {}

  sim::Scheduler scheduler_;
  sim::SimRedis redis_{scheduler_, Random(1'000'001), {}, 1};
  TimerWheel timers_{0};
  sim::SimStore store_;
};

std::string words_of(const Error& error) {
  return "error " + std::to_string(static_cast<int>(error.code));
}
std::string words_of(const Result<>& result) {
  return result ? "done" : words_of(result.error());
}
std::string words_of(const Result<StoredValue>& result) {
  if (!result) return words_of(result.error());
  return std::to_string(result->version.fence) + "." + std::to_string(result->version.revision) +
         " " + text_of(result->bytes) + (result->queue ? " " + text_of(result->queue) : "");
}
std::string words_of(const Result<Uuid>& result) {
  return result ? result->to_string() : words_of(result.error());
}
std::string words_of(const Result<std::uint32_t>& result) {
  return result ? std::to_string(*result) : words_of(result.error());
}

// One random call, made the same way of whichever store by the same stream of chance.
class Caller {
 public:
  Caller(StoreBench& bench, std::uint64_t seed) : bench_(bench), random_(seed) {
    for (Uuid& key : keys_) {
      random_.fill(key.bytes);
      key.bytes[6] = 0x40;
      key.bytes[8] = 0x80;
    }
    for (ShortCode& code : codes_)
      code.value = 1 + random_.below(ShortCode::value_max);
    codes_.back() = {};  // it has none
  }

  bool is_short_lived = false;  // what the latest call made, if anything

  std::string call() {
    const std::size_t which = random_.below(keys_.size());
    const Uuid& key = keys_[which];
    const SessionName name{key, codes_[which]};
    is_short_lived = random_.chance(0.05);
    const std::int64_t life_us = is_short_lived ? short_life_us : StoreBench::ttl_us;
    const StoreVersion known{random_.below(3), random_.below(4)};
    const StoreVersion next = random_.chance(0.7) ? StoreVersion{known.fence, known.revision + 1}
                                                  : StoreVersion{known.fence + 1, random_.below(3)};
    const std::string text = "v" + std::to_string(random_.below(1'000));
    const std::string event = random_.chance(0.5) ? "e" + text : "";
    switch (random_.below(20)) {
      case 0:
      case 1:
        return "create " + words_of(bench_.create(name, known, text, life_us));
      case 2:
      case 3:
        return "load " + words_of(bench_.load(key));
      case 4:
        if (name.code && random_.chance(0.5)) return "find " + words_of(bench_.find(name.code));
        return "exists " + std::to_string(bench_.exists(key));
      case 5:
        return "touch " + words_of(bench_.touch(name, life_us));
      case 6:
        return "remove " + words_of(bench_.remove(name, known, event));
      case 7:
      case 8:
      case 9:
        return "publish " + words_of(bench_.publish(key, text));
      case 10:
      case 11:
        return "follow " + words_of(bench_.follow(key));
      case 12:
        return leave(key);
      default:
        return "change " +
               words_of(bench_.change(name, known, next, text, event, life_us,
                                      random_.chance(0.3) ? "q" + text : std::string()));
    }
  }

 private:
  // A real Redis hears of it by another connection than it hears the next PUBLISH.
  std::string leave(const Uuid& channel) {
    bench_.store().unfollow(channel);
    bench_.until([&] { return bench_.publish(channel, "left").value() == 0; }, "silence");
    return "unfollow";
  }

  StoreBench& bench_;
  Random random_;
  std::array<Uuid, 3> keys_;
  std::array<ShortCode, 3> codes_;
};

}  // namespace

Test(store_differential, three_stores_give_the_same_answers) {
  test::RedisServer server;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    MemoryBench memory;
    RedisBench redis(server);
    SimBench simulated;
    Caller asks_memory(memory, seed);
    Caller asks_redis(redis, seed);
    Caller asks_simulated(simulated, seed);
    for (std::size_t i = 0; i < calls_per_sequence; ++i) {
      const std::string expected = asks_memory.call();
      const std::string real = asks_redis.call();
      const std::string sim = asks_simulated.call();
      const int shown = static_cast<int>(seed);
      cr_assert_eq(real, expected, "seed %d, call %zu: Redis says \"%s\", not \"%s\"", shown, i,
                   real.c_str(), expected.c_str());
      cr_assert_eq(sim, expected, "seed %d, call %zu: the simulated one says \"%s\", not \"%s\"",
                   shown, i, sim.c_str(), expected.c_str());
      // What is under way when a channel is left may be heard or not.
      redis.until_events(memory.events.size());
      simulated.until_events(memory.events.size());
      if (asks_memory.is_short_lived) {
        ::usleep(pause_us);
        simulated.pass(pause_us);
      }
    }
    cr_assert(redis.events == memory.events, "seed %llu", static_cast<unsigned long long>(seed));
    cr_assert(simulated.events == memory.events);
    cr_assert_gt(memory.events.size(), 0);
  }
}
