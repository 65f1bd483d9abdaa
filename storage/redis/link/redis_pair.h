// RedisPair: the two connections to one Redis, one for commands and one for subscriptions, kept on
// the same server: the one that was configured or the one that the Sentinels name.
//
// It is ready while both are connected, the server has said that it is a master, and all channels
// that are followed have been confirmed. An answer that says that this server cannot be used
// (READONLY, LOADING, MASTERDOWN, CLUSTERDOWN) is the loss of the connection. Once a second the
// pair publishes to itself: a hung server is noticed without traffic, and so is a connection for
// subscriptions that hears nothing.
//
// One thread, its reactor's. The owner outlives it; stop() and turn until is_idle() before
// destroying it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/reactor/timer_wheel.h"
#include "storage/redis/link/redis_asker.h"
#include "storage/redis/link/redis_link.h"
#include "storage/redis/link/redis_subscriber.h"

namespace videosync {

// Since the start; written on the pair's thread only.
struct RedisCounters {
  bool is_up = false;
  std::uint64_t reconnects = 0;    // times it became ready again
  std::int64_t round_trip_us = 0;  // of the latest command; 0: none yet
  std::int64_t round_trip_least_us = 0;
  std::uint64_t commands = 0;  // answered or not
  std::uint64_t errors = 0;    // not answered, or with an error of Redis; time-outs included
  std::uint64_t timeouts = 0;
  std::uint64_t messages = 0;  // received on followed channels
};

class RedisPairOwner {
 public:
  // The connection for commands is new: what the server needs to be told first.
  virtual void on_pair_connected() noexcept = 0;
  virtual void on_pair_ready() noexcept = 0;
  // With every failure until it is ready again.
  virtual void on_pair_lost(const Error& why) noexcept = 0;
  virtual void on_pair_message(std::string_view channel, std::string_view payload) noexcept = 0;
  // The slot of that channel is not, or no more, at this server: nothing is heard of it. Until it
  // is unfollowed the pair does not become ready.
  virtual void on_pair_moved(std::string_view channel) noexcept { static_cast<void>(channel); }
  // A command was answered this long after it was asked.
  virtual void on_pair_round_trip(std::int64_t took_us) noexcept = 0;

 protected:
  ~RedisPairOwner() = default;
};

class RedisPair {
 public:
  using OnReply = RedisLink::OnReply;
  using OnDone = std::move_only_function<void(Result<>) noexcept>;

  // In a cluster a redirection is an answer as others; else it means that the wrong kind of URL was
  // given.
  enum class Place : std::uint8_t { alone, in_cluster };

  RedisPair(Reactor& reactor, RedisPairOwner& owner, RedisLocation location,
            const RedisLink::Options& options, Place place = Place::alone);
  ~RedisPair();
  RedisPair(const RedisPair&) = delete;
  RedisPair& operator=(const RedisPair&) = delete;

  void start() noexcept;
  // For good. What waits for an answer ends as unavailable.
  void stop() noexcept;
  bool is_idle() const noexcept;
  bool is_ready() const noexcept { return counters_.is_up; }
  // No command waits for its answer.
  bool is_settled() const noexcept { return commands_.is_settled(); }
  std::int64_t waited_ms() const noexcept { return commands_.waited_ms(); }
  // The latest failure's words; "" before any.
  const std::string& last_failure() const noexcept { return last_failure_; }
  // Where the server is, or was last; without meaning before a Sentinel has answered.
  const RedisAddress& address() const noexcept { return address_; }
  const RedisCounters& counters() const noexcept { return counters_; }

  // Goes out whenever the connection for commands stands. Errors: unavailable, timed_out; an error
  // of Redis is unavailable with its words.
  void command(std::span<const std::string_view> arguments, OnReply done);

  // See SessionStore::follow. Errors also: unavailable, the channel's slot is elsewhere.
  void follow(const std::string& channel, OnDone done,
              RedisChannelKind kind = RedisChannelKind::plain);
  void unfollow(const std::string& channel);

 private:
  static constexpr std::int64_t pulse_interval_ms = 1'000;
  static constexpr std::int64_t refused_pause_ms = 250;

  struct CommandSide final : RedisLinkOwner {
    explicit CommandSide(RedisPair& owner) noexcept : pair(owner) {}
    void on_redis_ready() noexcept override { pair.on_commands_ready(); }
    void on_redis_lost(const Error& why) noexcept override { pair.on_commands_lost(why); }
    RedisPair& pair;
  };
  struct SubscriberSide final : RedisSubscriberOwner {
    explicit SubscriberSide(RedisPair& owner) noexcept : pair(owner) {}
    void on_redis_ready() noexcept override { pair.pulse_heard_ms_ = pair.now_ms(); }
    void on_redis_lost(const Error& why) noexcept override { pair.on_subscriber_lost(why); }
    void on_redis_message(std::string_view channel, std::string_view payload) noexcept override {
      pair.on_message(channel, payload);
    }
    void on_redis_subscribed(std::string_view channel) noexcept override {
      pair.on_subscribed(channel);
    }
    void on_redis_moved(std::string_view channel) noexcept override { pair.on_moved(channel); }
    RedisPair& pair;
  };

  std::int64_t now_ms() const noexcept;
  void connect() noexcept;
  std::unique_ptr<RedisAsker> asker_of(RedisLocation location);
  Result<std::vector<RedisAddress>> on_sentinel(const RedisReply& reply,
                                                const std::string& name) noexcept;
  void use(const RedisAddress& master) noexcept;
  void on_commands_ready() noexcept;
  void on_hello(const Result<RedisReply>& reply) noexcept;
  void on_role(const Result<RedisReply>& reply) noexcept;
  void on_commands_lost(const Error& why) noexcept;
  void on_subscriber_lost(const Error& why) noexcept;
  void on_subscribed(std::string_view channel) noexcept;
  void on_moved(std::string_view channel) noexcept;
  void on_message(std::string_view channel, std::string_view payload) noexcept;
  void on_timer() noexcept;
  void pulse() noexcept;
  std::vector<OnDone> take_followers(std::string_view channel) noexcept;
  void answer_followers(std::vector<OnDone> followers, const Result<>& result) noexcept;
  void become_ready_if_so() noexcept;
  void become_lost(const Error& why) noexcept;
  void count(const Result<RedisReply>& reply, std::int64_t asked_us) noexcept;

  Reactor& reactor_;
  RedisPairOwner& owner_;
  const RedisLink::Options options_;
  const Place place_;
  RedisAddress address_;
  const std::string pulse_channel_;
  CommandSide command_side_{*this};
  SubscriberSide subscriber_side_{*this};
  RedisLink commands_;
  RedisSubscriber subscriber_;
  std::unique_ptr<RedisAsker> sentinels_;  // null: the server was configured
  TimerEntry timer_;
  // Follows whose confirmation is to come on the present connection.
  std::map<std::string, std::vector<OnDone>, std::less<>> followers_;
  RedisCounters counters_;
  std::string last_failure_;
  std::int64_t pulse_heard_ms_ = 0;  // or when the subscriber last got on
  bool is_connecting_ = false;       // the links have been started
  bool is_master_ = false;           // said by the present connection for commands
  bool was_ready_ = false;
  bool is_stopped_ = false;
};

}  // namespace videosync
