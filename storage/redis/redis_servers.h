// RedisServers: the Redis below a RedisStore, be it one server or a cluster of several. An
// interface.
//
// A command is about one name, a key's or a channel's, which says where it goes. Commands about
// names of one slot are carried out in the order of the calls. Channels are those of
// session_store.h. One thread, the reactor's; the owner outlives it; stop() and turn until
// is_idle() before destroying it.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "storage/redis/link/redis_pair.h"
#include "storage/session_store.h"

namespace videosync {

class RedisServersOwner {
 public:
  // A connection for commands is new: what the server needs to be told first.
  virtual void on_servers_connected(RedisPair& server) noexcept = 0;
  // Commands may go and channels are heard; but for the parts of which on_part_lost tells right
  // behind it.
  virtual void on_servers_ready() noexcept = 0;
  // With every failure until they are ready again.
  virtual void on_servers_lost(const Error& why) noexcept = 0;
  virtual void on_part_ready(const SlotSet& slots) noexcept = 0;
  virtual void on_part_lost(const SlotSet& slots, const Error& why) noexcept = 0;
  virtual void on_servers_message(std::string_view channel, std::string_view payload) noexcept = 0;
  // A command was answered this long after it was asked.
  virtual void on_servers_round_trip(std::int64_t took_us) noexcept = 0;

 protected:
  ~RedisServersOwner() = default;
};

class RedisServers {
 public:
  using OnReply = RedisLink::OnReply;
  using OnDone = std::move_only_function<void(Result<>) noexcept>;

  virtual ~RedisServers() = default;

  virtual void start() noexcept = 0;
  // For good. What waits for an answer ends as unavailable.
  virtual void stop() noexcept = 0;
  virtual bool is_idle() const noexcept = 0;
  // No command waits for its answer.
  virtual bool is_settled() const noexcept = 0;
  virtual RedisCounters counters() const noexcept = 0;

  // Errors: unavailable, timed_out; an error of Redis is unavailable with its words. The arguments
  // are read before this returns.
  virtual void command(std::string_view name, std::span<const std::string_view> arguments,
                       OnReply done) = 0;

  // A script that publishes on the channel of its name's slot: what, and where its arguments say
  // so.
  struct Publication {
    std::size_t channel = 0;  // indices of arguments
    std::size_t event = 0;    // 0: nothing is published
  };
  virtual void script(std::string_view name, std::span<const std::string_view> arguments,
                      Publication publication, OnReply done) = 0;

  // See SessionStore::follow.
  virtual void follow(const std::string& channel, Channel::Reach reach, OnDone done) = 0;
  virtual void unfollow(const std::string& channel) = 0;

  // Answered with the number of those who hear the channel.
  virtual void publish(const std::string& channel, Channel::Reach reach, std::string_view payload,
                       OnReply done) = 0;
  // The command by which a script publishes on a session's channel.
  virtual std::string_view script_publish(std::string_view channel) const noexcept = 0;
  // Names of different slots may not be in one command.
  virtual bool is_cluster() const noexcept = 0;
};

}  // namespace videosync
