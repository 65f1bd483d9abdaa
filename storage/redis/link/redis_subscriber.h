// RedisSubscriber: one connection to Redis that hears channels, on the reactor.
//
// Connects as a RedisLink does (over TLS where the address says so, backing off with jitter), and
// subscribes anew each time to all that is wanted. Channels are plain or sharded (Redis Cluster,
// 7.0 and later), both on one connection, by RESP2. What a turn asks for leaves in one write. Of a
// sharded channel whose slot is not, or no more, at this server the owner is told; the connection
// stays. Any other error of Redis is the connection's end.
//
// Whether a connection that is silent still stands is not asked: RedisPair's pulse shows that.
//
// A host's name is resolved by the system's resolver, which blocks: where that may be slow, give an
// address. One thread, its reactor's. The owner is called from the loop, on_redis_lost also from
// within move_to() and reconnect(). It outlives the subscriber; stop() and turn until is_idle()
// before destroying that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/reactor/timer_wheel.h"
#include "storage/redis/link/redis_address.h"
#include "storage/redis/link/redis_backoff.h"
#include "storage/redis/link/redis_channels.h"
#include "storage/redis/link/redis_wire.h"

namespace videosync {

class Reactor;
class RedisTls;

class RedisSubscriberOwner {
 public:
  // Authenticated: subscriptions are on their way.
  virtual void on_redis_ready() noexcept = 0;
  // The connection, or an attempt at one, has failed. The subscriber goes on trying.
  virtual void on_redis_lost(const Error& why) noexcept = 0;
  // A few may still come after unsubscribe().
  virtual void on_redis_message(std::string_view channel, std::string_view payload) noexcept = 0;
  // The channel is heard from here on: once a connection, and again where it was left in between.
  virtual void on_redis_subscribed(std::string_view channel) noexcept = 0;
  // The channel's slot is not, or no more, at this server: nothing is heard of it. It is asked for
  // again when subscribe() is called again, and on the next connection.
  virtual void on_redis_moved(std::string_view channel) noexcept { static_cast<void>(channel); }

 protected:
  ~RedisSubscriberOwner() = default;
};

class RedisSubscriber final : RedisWireOwner {
 public:
  using Kind = RedisChannelKind;

  struct Options {
    std::int64_t connect_timeout_ms = 2'000;
    std::int64_t backoff_min_ms = 50;  // doubled with every failure
    std::int64_t backoff_max_ms = 500;
    // A longer message ends the connection, give or take 16 KiB. One takes twice its length while
    // it is read.
    std::size_t message_bytes_max = 64 << 20;
    RedisTls* tls = nullptr;  // outlives the subscriber; null only where no address is for TLS
  };

  RedisSubscriber(Reactor& reactor, RedisSubscriberOwner& owner, RedisAddress address,
                  const Options& options);
  ~RedisSubscriber();
  RedisSubscriber(const RedisSubscriber&) = delete;
  RedisSubscriber& operator=(const RedisSubscriber&) = delete;

  void start() noexcept;
  // For good.
  void stop() noexcept;
  bool is_idle() const noexcept { return wire_.is_idle(); }
  bool is_ready() const noexcept { return state_ == State::ready; }

  // The server of the next attempt; the present connection stays. Its database does not count:
  // channels are the server's.
  void set_address(RedisAddress address) noexcept;
  // Another server from now on (a failover): the present connection is given up.
  void move_to(RedisAddress address) noexcept;
  // Gives the present connection up, if there is one, and tries again after `pause_ms`.
  void reconnect(const Error& why, std::int64_t pause_ms) noexcept;

  // Takes effect now or with the next connection, and lasts until unsubscribe. A channel is of one
  // kind at a time.
  void subscribe(const std::string& channel, Kind kind = Kind::plain);
  void unsubscribe(const std::string& channel);
  // Redis has confirmed this channel, or all, on the present connection.
  bool is_subscribed(std::string_view channel) const noexcept;
  bool is_subscribed() const noexcept;

 private:
  enum class State : std::uint8_t { resting, connecting, greeting, ready, stopped };
  enum class Step : std::uint8_t { greet, subscribe, unsubscribe };

  // A command on its way. Answers come in the order of commands, messages between them.
  struct Awaited {
    Step step;
    Kind kind = Kind::plain;
    std::string channel = {};  // "" of a greeting
  };

  void on_wire_open() noexcept override;
  void on_wire_reply(const RedisReply& reply) noexcept override;
  void on_wire_broken(const Error& why) noexcept override { give_up(why); }

  void become_ready() noexcept;
  void give_up(const Error& why) noexcept;
  void on_timer() noexcept;
  void set_timer(std::int64_t delay_ms) noexcept;
  void send(std::span<const std::string_view> words, Awaited next) noexcept;
  void send_subscribe(std::string_view channel, Kind kind) noexcept;
  void send_unsubscribe(std::string_view channel, Kind kind) noexcept;
  void on_error(std::string_view text) noexcept;
  void on_pong() noexcept;
  void on_push(const RedisReply& push) noexcept;
  void on_unasked() noexcept;
  bool take_awaited(Step step, Kind kind, std::string_view channel) noexcept;
  bool awaits(Step step, Kind kind) const noexcept;

  Reactor& reactor_;
  RedisSubscriberOwner& owner_;
  RedisAddress address_;
  const Options options_;
  RedisBackoff backoff_;
  TimerEntry timer_;  // resting: until the next attempt; connecting, greeting: their time-out
  State state_ = State::resting;
  std::deque<Awaited> awaited_;
  RedisChannels channels_;
  RedisWire wire_;
};

}  // namespace videosync
