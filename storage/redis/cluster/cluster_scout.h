// ClusterScout: asks the servers of a Redis Cluster, one at a time, who has which slots.
//
// Asks every few seconds, once a second while the owner is not content, and at once when it is told
// to. One that cannot be reached or does not know is left for the next, and so is one whose answers
// have not helped three times in a row: first the seeds, then servers that were named. One thread,
// its reactor's; the owner outlives it; stop() and turn until is_idle() before destroying it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/reactor/timer_wheel.h"
#include "storage/redis/cluster/cluster_map.h"
#include "storage/redis/redis_link.h"

namespace videosync {

class ClusterScout final : RedisLinkOwner {
 public:
  // Told with every answer, also the same again.
  using OnMap = std::move_only_function<void(const ClusterMap& map) noexcept>;
  // What kept it from an answer.
  using OnFailure = std::move_only_function<void(const Error& why) noexcept>;

  // At least one seed.
  ClusterScout(Reactor& reactor, std::vector<RedisAddress> seeds, RedisTls* tls, OnMap on_map,
               OnFailure on_failure);

  void start() noexcept;
  void stop() noexcept;
  bool is_idle() const noexcept { return link_.is_idle(); }

  // Asks now or soon, or behind the answer that is awaited.
  void ask() noexcept;
  // Whether all that was named is in use.
  void set_content(bool is_content) noexcept {
    is_content_ = is_content;
    if (is_content) fruitless_ = 0;
  }

 private:
  static constexpr std::int64_t restless_interval_ms = 500;
  static constexpr std::int64_t interval_ms = 5'000;
  static constexpr std::int64_t pause_ms = 20;  // between two questions, whoever wants them
  static constexpr unsigned fruitless_max = 3;

  void on_redis_ready() noexcept override;
  void on_redis_lost(const Error& why) noexcept override;
  void on_answer(const Result<RedisReply>& reply) noexcept;
  void on_timer() noexcept;
  void remember(const ClusterMap& map);

  Reactor& reactor_;
  const std::vector<RedisAddress> seeds_;
  OnMap on_map_;
  OnFailure on_failure_;
  std::vector<RedisAddress> servers_;  // the seeds, then those that the latest answer named
  std::size_t present_ = 0;            // of servers_
  bool is_content_ = false;
  unsigned fruitless_ = 0;  // answers in a row that the owner was not content with
  std::int64_t asked_ms_ = 0;
  bool is_asking_ = false;  // from the question to its answer
  bool asks_again_ = false;
  RedisLink link_;
  TimerEntry timer_;
};

}  // namespace videosync
