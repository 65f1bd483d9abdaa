// RedisCluster: RedisServers that are the primaries of a Redis Cluster.
//
// Each primary has a pair of connections of its own (a Shard). A command goes to whoever has the
// slot of its name, by the latest answer to CLUSTER SLOTS; a server that does not have it any more
// says who has (MOVED), or that this key has left it already (ASK), and then the command follows.
// While a slot's commands are on such a detour later ones wait behind them, so their order stays:
// none is sent before those of the slot that are on their way have been answered. Nor is any while
// a server that has just got the slot is being connected to. A command keeps its arguments until
// then, which is one copy of them.
//
// Sessions' channels are sharded (SPUBLISH) where the slot's server has that, from 7.0 on, so that
// what one says goes to nobody else; else the cluster hands it on to all its servers. A server ends
// the subscriptions to a slot that it gives away: they are made anew where it has gone. While a
// slot is half moved (ASK) a script runs where nobody listens yet, so what it published is said
// once more at the slot's owner.
//
// A part is the slots of a primary that cannot be used. What is followed in it is heard again once
// the slot has somebody. Channels of nodes are followed at every primary and taken from one of
// them, the lead; its loss is the next one's turn, and so is its silence where another primary
// answers; what was said meanwhile may be missed. What is said to one node goes to the sharded
// channel of its slot, as long as that has somebody and the node hears it there: it goes to nobody
// else, and that nobody hears it is known for certain. Else it is published by the lead, the
// cluster hands it on to all its servers, and the number of those who hear is that at this lead: so
// a server that has given away its last slot is no lead any more, and yet followed until no other
// node takes it for one.
//
// Source: the Redis Cluster specification. One thread, its reactor's.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/reactor/timer_wheel.h"
#include "storage/redis/cluster/cluster_map.h"
#include "storage/redis/link/redis_asker.h"
#include "storage/redis/redis_servers.h"
#include "storage/session_store.h"

namespace videosync {

class RedisCluster final : public RedisServers {
 public:
  RedisCluster(Reactor& reactor, RedisServersOwner& owner, RedisLocation location,
               const RedisLink::Options& options);
  ~RedisCluster() override;

  void start() noexcept override;
  void stop() noexcept override;
  bool is_idle() const noexcept override;
  bool is_settled() const noexcept override;
  RedisCounters counters() const noexcept override;

  void command(std::string_view name, std::span<const std::string_view> arguments,
               OnReply done) override;
  void script(std::string_view name, std::span<const std::string_view> arguments,
              Publication publication, OnReply done) override;
  void follow(const std::string& channel, Channel::Reach reach, OnDone done) override;
  void unfollow(const std::string& channel) override;
  void publish(const std::string& channel, Channel::Reach reach, std::string_view payload,
               OnReply done) override;
  std::string_view script_publish(std::string_view channel) const noexcept override;
  bool is_cluster() const noexcept override { return true; }

 private:
  static constexpr unsigned redirections_max = 16;
  static constexpr std::size_t waiting_max = 10'000;  // commands of one slot
  static constexpr std::int64_t tick_ms = 20;
  static constexpr std::int64_t look_again_ms = 100;  // for whoever has a channel's slot now
  static constexpr std::int64_t patience_ms = 1'000;  // with primaries that are being connected to
  // Without an answer of the lead, where another primary answers: nodes that are to hear each other
  // every second, and count who does not for 3.5 s as gone, cannot wait for a command's time-out.
  static constexpr std::int64_t lead_silence_ms = 500;
  // A server that hears of a failover from the old primary first says for a moment that its slots
  // are nobody's: who had them is asked, for it says who has.
  static constexpr std::int64_t gaps_max_ms = 3'000;
  // That a server without slots is kept: until all nodes know, and publish there no more. More than
  // two of the scout's intervals.
  static constexpr std::int64_t linger_ms = 12'000;

  struct Shard;
  struct Call;
  struct Followed {
    std::uint16_t slot;
    Channel::Reach reach;
    Shard* at = nullptr;  // of reach `part`, where it is or will be heard; null: it is looked for
  };
  // Commands about one slot that wait, by their numbers.
  struct Detour {
    std::map<std::uint64_t, std::unique_ptr<Call>> calls;
    std::int64_t since_ms = 0;
  };

  // --- Who has what ---
  Result<std::vector<RedisAddress>> on_slots(const RedisReply& reply,
                                             const RedisAddress& from) noexcept;
  void adopt(const ClusterMap& map);
  Shard& shard_at(const RedisAddress& address);
  Shard* owner_of(std::uint16_t slot) const noexcept;
  void retire_unused() noexcept;
  void move_channels();
  template <class IsIt>
  std::vector<std::string> channels_of_parts(IsIt is_it) const;
  void follow_at(Shard& shard, const std::string& channel, OnDone done = [](Result<>) noexcept {});

  // --- What can be used ---
  void on_shard_connected(Shard& shard) noexcept;
  void on_shard_kind(Shard& shard, const Result<RedisReply>& probed) noexcept;
  void on_shard_ready(Shard& shard) noexcept;
  void on_shard_moved(Shard& shard, std::string_view channel) noexcept;
  void look_for_channels() noexcept;
  void on_shard_lost(Shard& shard, const Error& why) noexcept;
  void on_shard_message(const Shard& shard, std::string_view channel,
                        std::string_view payload) noexcept;
  void choose_lead() noexcept;
  bool is_being_handed_over(std::uint16_t slot) const noexcept;
  SlotSet slots_away() const noexcept;
  SlotSet slots_of(const Shard& shard) const noexcept;
  void judge(const Error& why, const SlotSet& of = {}) noexcept;
  void tick_soon() noexcept;
  void on_timer() noexcept;

  // --- Commands on their way ---
  void send(std::unique_ptr<Call> call) noexcept;
  void send_to(Shard& shard, std::unique_ptr<Call> call) noexcept;
  void on_reply(std::unique_ptr<Call> call, const Shard& shard, Result<RedisReply> reply) noexcept;
  void publish_widely(const std::string& channel, std::string_view payload, OnReply done);
  void say_again(const Call& call);
  bool follows_redirection(std::unique_ptr<Call>& call, const Shard& shard, const Error& error);
  void hold_back(std::uint16_t slot) noexcept;
  void wait_behind(std::unique_ptr<Call> call) noexcept;
  void go_on(std::uint16_t slot) noexcept;
  void try_detours() noexcept;

  Reactor& reactor_;
  RedisServersOwner& owner_;
  const RedisLink::Options options_;
  RedisAsker scout_;
  TimerEntry timer_;                                  // while detours wait, or the first primaries
  std::vector<std::unique_ptr<Shard>> shards_;        // retired ones included, until they are idle
  std::array<Shard*, key_slots> owners_{};            // null: nobody
  std::array<std::uint32_t, key_slots> in_flight_{};  // commands, by slot
  Shard* lead_ = nullptr;                             // null: no primary can be used
  std::int64_t lead_since_ms_ = 0;
  std::map<std::string, Followed, std::less<>> followed_;
  std::map<std::uint16_t, Detour> detours_;
  std::uint64_t last_number_ = 0;  // of commands
  // For what is to be said at a server that is still being connected to.
  RedisChannelKind latest_kind_ = RedisChannelKind::plain;
  std::int64_t gaps_since_ms_ = 0;  // in the map, of slots that somebody had; 0: there are none
  bool has_lost_channels_ = false;  // whose servers are to be found
  std::int64_t looked_ms_ = 0;
  SlotSet told_away_;
  bool is_ready_ = false;  // as the owner was told
  bool is_stopped_ = false;
  RedisCounters gone_;  // of shards that were retired
};

}  // namespace videosync
