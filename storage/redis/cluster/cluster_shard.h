// What RedisCluster keeps of a primary, and of a command on its way. For its own files alone.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/redis/cluster/redis_cluster.h"

namespace videosync {

struct RedisCluster::Shard final : RedisPairOwner {
  Shard(RedisCluster& owner, Reactor& reactor, const RedisAddress& address,
        const RedisLink::Options& options)
      : cluster(owner),
        pair(reactor, *this, RedisLocation{address, {}, {}}, options,
             RedisPair::Place::in_cluster) {}

  void on_pair_connected() noexcept override { cluster.on_shard_connected(*this); }
  void on_pair_ready() noexcept override { cluster.on_shard_ready(*this); }
  void on_pair_lost(const Error& why) noexcept override { cluster.on_shard_lost(*this, why); }
  void on_pair_message(std::string_view channel, std::string_view payload) noexcept override {
    cluster.on_shard_message(*this, channel, payload);
  }
  void on_pair_moved(std::string_view channel) noexcept override {
    cluster.on_shard_moved(*this, channel);
  }
  void on_pair_round_trip(std::int64_t took_us) noexcept override {
    cluster.owner_.on_servers_round_trip(took_us);
  }

  RedisCluster& cluster;
  bool is_retired = false;
  bool is_fresh = true;    // neither ready nor lost yet
  bool has_slots = false;  // by the latest answer
  std::int64_t unused_since_ms = 0;
  std::optional<RedisChannelKind> kind{};  // of sessions' channels; nullopt: not known yet
  RedisPair pair;
};

struct RedisCluster::Call {
  std::uint16_t slot = 0;
  std::uint64_t number = 0;
  std::string bytes{};  // of all arguments, one behind the other
  std::vector<std::uint32_t> lengths{};
  OnReply done{};

  std::vector<std::string_view> arguments() const;

  Publication publication{};
  unsigned redirections = 0;
  RedisAddress asked{};  // where it is to go this time
  bool is_ask = false;   // ... which holds for this time alone
};

inline void add(RedisCounters& sum, const RedisCounters& one) noexcept {
  sum.reconnects += one.reconnects;
  sum.commands += one.commands;
  sum.errors += one.errors;
  sum.timeouts += one.timeouts;
  sum.messages += one.messages;
  if (one.round_trip_us > 0) sum.round_trip_us = one.round_trip_us;
  const bool is_less =
      sum.round_trip_least_us == 0 || one.round_trip_least_us < sum.round_trip_least_us;
  if (one.round_trip_least_us > 0 && is_less) sum.round_trip_least_us = one.round_trip_least_us;
}

// The channel of a node as it is at every primary: a connection hears a name in one way.
inline constexpr std::string_view wide_end = ":wide";
inline std::string wide_name(std::string_view channel) {
  return std::string(channel) + std::string(wide_end);
}

// A name in that slot, for questions that are about no session.
inline std::string name_in_slot(std::uint16_t slot) {
  for (unsigned i = 0;; ++i) {
    std::string name = "videosync:{" + std::to_string(i) + "}:probe";
    if (slot_of_name(name) == slot) return name;
  }
}

}  // namespace videosync
