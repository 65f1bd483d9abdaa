// RedisSentinel: asks Redis' Sentinels, one at a time, which server is the master.
//
// Asks once a second for as long as it runs, so a failover is noticed at the latest a second after
// the Sentinel asked has agreed to it. While the owner is not content with what it was told (the
// named master cannot be used) the next Sentinel is asked after three fruitless answers; one that
// cannot be reached or does not know the name is left at once. One thread, its reactor's; the owner
// outlives it; stop() and turn until is_idle() before destroying it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/reactor/timer_wheel.h"
#include "storage/redis/redis_link.h"

namespace videosync {

class RedisSentinel final : RedisLinkOwner {
 public:
  // `host` and `port` of the argument count. Told with every answer, also the same again.
  using OnMaster = std::move_only_function<void(const RedisAddress& master) noexcept>;
  // What kept it from an answer.
  using OnFailure = std::move_only_function<void(const Error& why) noexcept>;

  // At least one Sentinel. tls: see RedisLink::Options.
  RedisSentinel(Reactor& reactor, std::vector<RedisAddress> sentinels, std::string master_name,
                RedisTls* tls, OnMaster on_master, OnFailure on_failure);

  void start() noexcept;
  void stop() noexcept;
  bool is_idle() const noexcept { return link_.is_idle(); }

  // Asks now rather than within the second.
  void ask() noexcept;
  // Whether the master that was named is in use.
  void set_content(bool is_content) noexcept;

 private:
  static constexpr std::int64_t ask_interval_ms = 1'000;
  static constexpr unsigned fruitless_max = 3;

  void on_redis_ready() noexcept override { ask(); }
  void on_redis_lost(const Error& why) noexcept override;
  void on_answer(const Result<RedisReply>& reply) noexcept;
  void on_timer() noexcept;
  const RedisAddress& next() noexcept;

  Reactor& reactor_;
  const std::vector<RedisAddress> sentinels_;
  const std::string master_name_;
  OnMaster on_master_;
  OnFailure on_failure_;
  std::size_t present_ = 0;  // of sentinels_
  unsigned fruitless_ = 0;   // answers in a row that the owner was not content with
  bool is_content_ = false;
  bool is_asking_ = false;  // from the question to its answer
  RedisLink link_;
  TimerEntry timer_;
};

}  // namespace videosync
