// TimeWorld: a simulated Redis and machines around it, for the time that all nodes tell: every
// clock and every delay is the test's.
//
// What a TimeNode does with its CommonTime is what RedisClock does; RedisClock itself is tested on
// a real Redis (redis_clock_test.cpp). Events happen in the order of true time, in microseconds
// from 0. What breaks the promise is written down, once. One thread.
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "storage/redis/common_time.h"
#include "storage/redis/store_clock.h"

namespace videosync::sim {

constexpr std::int64_t ms = 1'000;
constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t epoch_us = 1'700'000'000 * second;

// Runs ahead of true time by ppm, and by what it was set.
class SimulatedClock {
 public:
  SimulatedClock(std::int64_t start_us, std::int64_t ppm) : at_us_(start_us), ppm_(ppm) {}

  std::int64_t at(std::int64_t true_us) const {
    const std::int64_t passed_us = true_us - since_us_;
    return at_us_ + passed_us + passed_us * ppm_ / 1'000'000;
  }
  void step(std::int64_t by_us) { at_us_ += by_us; }
  void run_at(std::int64_t true_us, std::int64_t ppm) {
    at_us_ = at(true_us);
    since_us_ = true_us;
    ppm_ = ppm;
  }

 private:
  std::int64_t at_us_;
  std::int64_t since_us_ = 0;
  std::int64_t ppm_;
};

struct Delays {
  std::int64_t up_us = 100;
  std::int64_t down_us = 100;
  std::int64_t jitter_us = 50;  // more, at most, of each way
};

class TimeWorld;

class TimeNode final : public Clock {
 public:
  TimeNode(TimeWorld& world, std::int64_t ppm, Delays delays);

  std::int64_t monotonic_us() const noexcept override;
  std::int64_t server_us() const noexcept override { return monotonic_us() + wall_us; }

  void connect();
  void disconnect();
  void read();
  void hear_ask(CommonTime::Question question);
  void hear_told(std::int64_t within_us, CommonTime::Question question);

  bool tells() const { return time.is_running(); }
  std::int64_t told_us() const { return clock.server_us(); }

  static constexpr std::int64_t wall_us = 77 * second;  // nonsense, so that it shows where it leaks
  TimeWorld& world;
  SimulatedClock machine;
  Delays delays;
  StoreClock clock{*this};
  CommonTime time;
  bool is_connected = false;

 private:
  void on_reading(TimeSample sample, const CommonTime::Record& stored);
  void write(const CommonTime::Record& stored, const CommonTime::Record& next);
  void end_reading();
  void set_timer();

  unsigned connection_ = 0;  // what was on its way on an older one is lost
  unsigned timer_ = 0;
  unsigned quick_reads_ = 0;
  bool is_reading_ = false;
  bool reads_again_ = false;
};

class TimeWorld {
 public:
  explicit TimeWorld(unsigned seed = 1) : random_(seed) {}

  std::int64_t now_us() const { return now_us_; }
  std::int64_t redis_us() const { return redis.at(now_us_); }
  std::int64_t between(std::int64_t least, std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>(least, most)(random_);
  }

  void at(std::int64_t delay_us, std::function<void()> act) {
    events_.emplace(now_us_ + delay_us, std::move(act));
  }
  // Looks at every node each ten milliseconds: see look().
  void run(std::int64_t for_us) {
    const std::int64_t end_us = now_us_ + for_us;
    for (; now_us_ < end_us; look()) {
      const std::int64_t next_us = std::min(end_us, now_us_ + 10 * ms);
      while (!events_.empty() && events_.begin()->first <= next_us) {
        now_us_ = events_.begin()->first;
        auto act = std::move(events_.begin()->second);
        events_.erase(events_.begin());
        act();
      }
      now_us_ = next_us;
    }
  }

  TimeNode& add(std::int64_t ppm = 0, Delays delays = {}) {
    nodes.push_back(std::make_unique<TimeNode>(*this, ppm, delays));
    nodes.back()->connect();
    return *nodes.back();
  }
  // The eldest ends. (What is still on its way to it finds it cut off.)
  void remove_eldest() {
    nodes.front()->disconnect();
    gone_.push_back(std::move(nodes.front()));
    nodes.erase(nodes.begin());
  }
  // What it told until now is no measure of what it tells next.
  void forget(const TimeNode& node) { told_.erase(&node); }
  // Of those that tell a time, at this moment.
  std::int64_t spread_us() const {
    std::int64_t least = INT64_MAX;
    std::int64_t most = INT64_MIN;
    for (const auto& node : nodes) {
      if (!node->tells()) continue;
      least = std::min(least, node->told_us());
      most = std::max(most, node->told_us());
    }
    return most < least ? 0 : most - least;
  }
  void publish(const std::function<void(TimeNode&)>& hear) {
    for (const auto& node : nodes) {
      TimeNode* to = node.get();
      if (to->is_connected) at(to->delays.down_us, [=] { hear(*to); });
    }
  }
  void ask(CommonTime::Question question) {
    publish([=](TimeNode& to) { to.hear_ask(question); });
  }
  void tell(std::int64_t within_us, CommonTime::Question question) {
    publish([=](TimeNode& to) { to.hear_told(within_us, question); });
  }
  // As Redis is killed and started again: all are cut off, and come back as RedisLink does.
  void restart_redis() {
    for (const auto& node : nodes) {
      TimeNode* lost = node.get();
      lost->disconnect();
      at(between(5 * ms, 750 * ms), [lost] { lost->connect(); });
    }
  }

  SimulatedClock redis{epoch_us, 0};
  CommonTime::Record stored;
  unsigned writes = 0;
  bool refuses_writes = false;
  std::vector<std::unique_ptr<TimeNode>> nodes;

  std::int64_t worst_spread_us = 0;
  std::int64_t spread_max_us = 5 * ms;  // what is promised
  std::optional<std::string> finding;

 private:
  // Server time runs on, by 2 % too fast or slow at most, and all agree.
  void look() {
    for (const auto& node : nodes) {
      if (!node->tells()) continue;
      const std::int64_t told_us = node->told_us();
      const auto [before, is_new] = told_.try_emplace(node.get(), told_us, now_us_);
      const std::int64_t moved_us = told_us - before->second.first;
      const std::int64_t passed_us = now_us_ - before->second.second;
      const std::int64_t most_us = passed_us * 21 / 1'000 + 1;
      if (std::abs(moved_us - passed_us) > most_us) {
        find(fmt::format("server time moved by {} us in {} us", moved_us, passed_us));
      }
      before->second = {told_us, now_us_};
    }
    worst_spread_us = std::max(worst_spread_us, spread_us());
    if (spread_us() > spread_max_us) find(fmt::format("nodes are {} us apart", spread_us()));
  }
  void find(std::string words) {
    if (!finding) finding = fmt::format("{} at {} us", words, now_us_);
  }

  std::mt19937 random_;
  std::int64_t now_us_ = 0;
  std::vector<std::unique_ptr<TimeNode>> gone_;
  std::multimap<std::int64_t, std::function<void()>> events_;
  std::map<const TimeNode*, std::pair<std::int64_t, std::int64_t>> told_;  // by node: what, when
};

inline TimeNode::TimeNode(TimeWorld& in, std::int64_t ppm, Delays with)
    : world(in), machine(in.between(1, 1'000 * second), ppm), delays(with) {
  machine.run_at(0, ppm);
}

inline std::int64_t TimeNode::monotonic_us() const noexcept {
  return machine.at(world.now_us());
}

inline void TimeNode::connect() {
  if (is_connected) return;
  ++connection_;
  is_connected = true;
  is_reading_ = reads_again_ = false;
  quick_reads_ = 0;
  time.on_connected();
  read();
  set_timer();
}

inline void TimeNode::disconnect() {
  ++connection_;
  ++timer_;
  is_connected = false;
}

inline void TimeNode::hear_ask(CommonTime::Question question) {
  if (is_connected && time.on_asked(monotonic_us(), question)) read();
}

inline void TimeNode::hear_told(std::int64_t within_us, CommonTime::Question question) {
  if (is_connected && time.on_told(monotonic_us(), within_us, question)) read();
}

inline void TimeNode::set_timer() {
  const bool is_quick = quick_reads_ < 8 || time.is_in_doubt();
  world.at(is_quick ? 50 * ms : second, [this, mine = ++timer_] {
    if (mine != timer_) return;
    if (quick_reads_ < 8) ++quick_reads_;
    if (!is_reading_) read();
    set_timer();
  });
}

inline void TimeNode::read() {
  reads_again_ = is_reading_;
  if (is_reading_) return;
  is_reading_ = true;
  const std::int64_t asked_us = monotonic_us();
  const std::int64_t up_us = delays.up_us + world.between(0, delays.jitter_us);
  const std::int64_t down_us = delays.down_us + world.between(0, delays.jitter_us);
  world.at(up_us, [this, asked_us, down_us, mine = connection_] {
    if (mine != connection_) return;
    const TimeSample sample{asked_us, 0, world.redis_us()};
    world.at(down_us, [this, mine, sample, stored = world.stored] {
      if (mine != connection_) return;
      on_reading({sample.asked_us, monotonic_us(), sample.remote_us}, stored);
    });
  });
}

inline void TimeNode::on_reading(TimeSample sample, const CommonTime::Record& stored) {
  const CommonTime::Decision decision = time.on_reading(sample, stored);
  if (time.is_running() && !time.is_in_doubt()) clock.follow(time.at(monotonic_us()));
  if (decision.act == CommonTime::Act::write) return write(stored, decision.record);
  for (const CommonTime::Question question : decision.questions) {
    if (decision.act == CommonTime::Act::ask) world.ask(question);
    if (decision.act == CommonTime::Act::tell) world.tell(decision.within_us, question);
  }
  end_reading();
}

inline void TimeNode::write(const CommonTime::Record& stored, const CommonTime::Record& next) {
  world.at(delays.up_us, [this, stored, next, mine = connection_] {
    if (mine != connection_) return;
    const bool is_done = !world.refuses_writes && world.stored.version == stored.version;
    const bool is_refused = world.refuses_writes;
    if (is_done) {
      world.stored = next;
      ++world.writes;
      world.tell(0, CommonTime::changed);
    }
    world.at(delays.down_us, [this, is_done, is_refused, mine] {
      if (mine != connection_) return;
      if (is_done) time.on_written();
      if (is_refused) time.on_write_refused();
      reads_again_ = !is_refused;
      end_reading();
    });
  });
}

inline void TimeNode::end_reading() {
  is_reading_ = false;
  set_timer();
  if (reads_again_) read();
}

}  // namespace videosync::sim
