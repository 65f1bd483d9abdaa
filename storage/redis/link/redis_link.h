// RedisLink: one connection to Redis for commands, on the reactor, by hiredis' asynchronous
// interface (0.14, and 1.2 with its TLS). Channels are heard by a RedisSubscriber.
//
// Connects, over TLS where the address says so, authenticates, selects the database, and when the
// connection is lost connects again, backing off with jitter. Commands that a turn queues leave in
// one write. Every command ends in exactly one call of its callback: with Redis' answer, or with
// `unavailable` (no connection) or `timed_out` (no answer within the time: then the connection is
// given up, for all that waited behind it is late, too).
//
// A host's name is resolved by the system's resolver, which blocks: where that may be slow, give an
// address. One thread, its reactor's. Answers come from the loop, refusals from within command().
// The owner outlives the link; stop() and turn until is_idle() before destroying it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "storage/redis/link/redis_address.h"
#include "storage/redis/link/redis_reply.h"

namespace videosync {

class Reactor;
class RedisTls;

class RedisLinkOwner {
 public:
  // Authenticated: commands may go.
  virtual void on_redis_ready() noexcept = 0;
  // The connection, or an attempt at one, has failed. The link goes on trying.
  virtual void on_redis_lost(const Error& why) noexcept = 0;

 protected:
  ~RedisLinkOwner() = default;
};

class RedisLink {
 public:
  struct Options {
    std::int64_t connect_timeout_ms = 2'000;
    std::int64_t command_timeout_ms = 2'000;
    std::int64_t backoff_min_ms = 50;  // doubled with every failure
    std::int64_t backoff_max_ms = 500;
    // In flight; more are refused as unavailable.
    std::size_t commands_max = 10'000;
    std::size_t bytes_max = 32 << 20;  // of their arguments
    RedisTls* tls = nullptr;           // outlives the link; null only where no address is for TLS
  };
  using OnReply = std::move_only_function<void(Result<RedisReply>) noexcept>;

  RedisLink(Reactor& reactor, RedisLinkOwner& owner, RedisAddress address, const Options& options);
  ~RedisLink();
  RedisLink(const RedisLink&) = delete;
  RedisLink& operator=(const RedisLink&) = delete;

  void start() noexcept;
  // For good. Commands in flight end as unavailable.
  void stop() noexcept;
  bool is_idle() const noexcept;
  bool is_ready() const noexcept;
  // No command waits for its answer.
  bool is_settled() const noexcept;
  // How long the oldest of those has waited; 0: there are none.
  std::int64_t waited_ms() const noexcept;

  // The server of the next attempt; the present connection stays.
  void set_address(RedisAddress address) noexcept;
  // Another server from now on (a failover): the present connection is given up.
  void move_to(RedisAddress address) noexcept;
  // Gives the present connection up, if there is one, and tries again after `pause_ms`.
  void reconnect(const Error& why, std::int64_t pause_ms) noexcept;

  // Answered with unavailable, before this returns, where the link is not ready.
  void command(std::span<const std::string_view> arguments, OnReply done);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace videosync
