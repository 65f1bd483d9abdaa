// SimRedis: the Redis servers of a simulated world, and every node's way to them.
//
// A server takes commands in the order in which they arrive, answers, and passes what is published
// to the connections that are subscribed at that moment. It can be killed and come back with all
// its data, with none or with an older copy; hang; refuse changes; and be left for another one that
// has an older copy, while some nodes still write to the first. A node's way can be cut, which ends
// connections, or held in either direction, which delays what is sent: TCP keeps it, also where the
// node has given up since, so that a command may take effect long after it was called lost.
//
// Several servers may have a share of the slots each, and go and come for themselves. They pass on
// to each other what is published for all nodes, and answer with the nodes that it reaches.
//
// One thread. Connections stay as long as the world does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/shared_buffer.h"
#include "core/base/uuid.h"
#include "storage/session_store.h"
#include "tests/sim/pipe.h"
#include "tests/sim/random.h"
#include "tests/sim/redis_data.h"
#include "tests/sim/scheduler.h"

namespace videosync::sim {

struct RedisCommand {
  enum class Kind : std::uint8_t {
    hello,  // the connection itself
    role,
    create,
    load,
    exists,
    find,
    change,
    touch,
    remove,
    publish,
    subscribe,
    unsubscribe,
    close,
  };

  Kind kind = Kind::hello;
  Uuid key{};
  ShortCode code{};
  StoreVersion expected{};
  StoreVersion next{};
  BufferRef bytes{};
  BufferRef queue{};
  BufferRef event{};
  std::int64_t ttl_us = 0;
  bool is_for_all = false;  // published: for who has subscribed at any server
};

struct RedisAnswer {
  enum class Kind : std::uint8_t {
    done,
    conflict,
    missing,
    refused,   // an error in words
    unusable,  // an error after which the connection is of no use
    message,   // on a channel
    subscribed,
    unsubscribed,
    closed,  // the connection has ended
  };

  Kind kind = Kind::done;
  std::uint32_t number = 0;
  Uuid channel{};  // to `find`: the key
  StoreVersion version{};
  BufferRef bytes{};
  BufferRef queue{};
  const char* words = "";
};

// A node's end of a connection.
class RedisEnd {
 public:
  virtual void on_redis_answer(RedisAnswer answer) noexcept = 0;

 protected:
  ~RedisEnd() = default;
};

// Sees what a server has done with a command that may change something.
class RedisWitness {
 public:
  // `before`: null where there was nothing.
  virtual void on_redis_write(std::size_t node, std::size_t server, const RedisCommand& command,
                              RedisData::Outcome outcome, const RedisData::Entry* before) = 0;
  virtual void on_redis_refused(std::size_t node, const RedisCommand& command) = 0;
  // Within a write, too.
  virtual void on_redis_publish(const BufferRef& event, std::size_t followers) = 0;

 protected:
  ~RedisWitness() = default;
};

struct RedisServer {
  enum class Refusal : std::uint8_t { none, out_of_memory, disk_error, is_replica };

  RedisData data;
  bool is_up = true;
  bool is_hung = false;
  Refusal refusal = Refusal::none;
  std::size_t shard = 0;  // whose slots it has
};

// The share of one of so many servers, and where a key lies.
SlotSet slots_of(std::size_t shard, std::size_t shards) noexcept;
std::size_t shard_of(const Uuid& key, std::size_t shards) noexcept;

class SimRedis;

struct RedisConnection {
  RedisConnection(SimRedis& owner, std::size_t of_node, std::size_t to_server, RedisEnd& to_end,
                  Pipe& up_pipe, Pipe& down_pipe) noexcept
      : redis(owner),
        node(of_node),
        server(to_server),
        end(&to_end),
        up(up_pipe),
        down(down_pipe) {}

  SimRedis& redis;
  const std::size_t node;
  const std::size_t server;
  RedisEnd* end;  // null: the node has given it up
  Pipe& up;
  Pipe& down;
  bool is_open = false;  // at the server
  std::vector<Uuid> channels{};
};

class SimRedis {
 public:
  SimRedis(Scheduler& scheduler, Random random, const Latency& latency, std::size_t nodes,
           std::size_t shards = 1);

  void set_witness(RedisWitness* witness) noexcept { witness_ = witness; }

  // --- For nodes
  // ----------------------------------------------------------------------------------- Begins a
  // connection; what comes of it reaches `end`.
  RedisConnection& connect(std::size_t node, std::size_t server, RedisEnd& end);
  void send(RedisConnection& connection, RedisCommand command);
  // The node has no more to do with it; what it sent before is under way. `is_silent`: the server
  // does not notice, as when a machine dies.
  void give_up(RedisConnection& connection, bool is_silent = false);

  // --- Faults
  // --------------------------------------------------------------------------------------
  enum class Loss : std::uint8_t { nothing, commands, answers, both };  // of what is under way
  // Ends the node's connections, those that carry subscriptions or the others or all.
  // Of all servers, or of one share.
  using Shard = std::optional<std::size_t>;
  void cut(std::size_t node, bool commands, bool subscriptions, Loss loss, Shard shard = {});
  // New connections fail until then.
  void set_reachable(std::size_t node, bool is_reachable) {
    paths_[node].is_reachable = is_reachable;
  }
  void set_reachable(std::size_t node, std::size_t shard, bool is_reachable);
  bool may_pass(std::size_t node) const noexcept {
    return paths_[node].is_reachable && !paths_[node].is_up_held;
  }
  void hold(std::size_t node, bool up, bool down);
  void release(std::size_t node);
  // The next messages for that node vanish.
  void drop_messages(std::size_t node, std::uint32_t count) { paths_[node].to_drop = count; }
  // How many have, and when the last one did.
  std::uint64_t dropped() const noexcept { return dropped_; }
  std::int64_t dropped_us() const noexcept { return dropped_us_; }
  void kill_server(std::size_t server);
  void start_server(std::size_t server) { servers_[server].is_up = true; }
  void set_hung(std::size_t server, bool is_hung);
  // Another server with a copy of what that one had then.
  std::size_t promote(std::size_t server, std::int64_t as_of_us);

  RedisServer& server(std::size_t index) noexcept { return servers_[index]; }
  std::size_t servers() const noexcept { return servers_.size(); }
  std::uint64_t commands() const noexcept { return commands_; }
  std::size_t connections() const noexcept { return connections_.size(); }

 private:
  struct Path {
    bool is_reachable = true;
    bool is_up_held = false;
    bool is_down_held = false;
    std::uint32_t to_drop = 0;
    std::set<std::size_t> away{};  // shares that it does not reach
  };
  struct Waiting {
    RedisConnection* connection;  // null: another server passes it on
    RedisCommand command;
  };

  void take(RedisConnection& connection, RedisCommand& command);
  void carry_out(RedisConnection& connection, RedisCommand& command);
  RedisAnswer write(RedisConnection& connection, RedisCommand& command);
  RedisAnswer read(RedisConnection& connection, const RedisCommand& command);
  void answer(RedisConnection& connection, RedisAnswer answer);
  void end_connection(RedisConnection& connection, Loss loss);
  std::uint32_t publish(std::size_t server, const RedisCommand& command);
  void pass_on(std::size_t server, const RedisCommand& command);
  void deliver(std::size_t server, const Uuid& channel, const BufferRef& event);
  std::set<std::size_t> followers_at(std::size_t server, const Uuid& channel) const;
  void subscribe(RedisConnection& connection, const Uuid& channel);
  bool unsubscribe(RedisConnection& connection, const Uuid& channel);
  void leave(RedisConnection& connection);

  Scheduler& scheduler_;
  Random random_;
  Latency latency_;
  RedisWitness* witness_ = nullptr;
  std::vector<Path> paths_;
  std::deque<RedisServer> servers_;
  std::vector<std::unordered_map<Uuid, std::vector<RedisConnection*>>> channels_;  // by server
  std::vector<std::deque<Waiting>> backlogs_;  // of hung servers
  std::deque<Pipe> pipes_;
  std::deque<RedisConnection> connections_;
  std::uint64_t commands_ = 0;
  std::uint64_t dropped_ = 0;
  std::int64_t dropped_us_ = 0;
};

}  // namespace videosync::sim
