// SimStore: a node's RedisStore of one server, with everything that one does but the sockets.
//
// Two connections, for commands and for subscriptions; ready while both stand, the server is a
// master and every followed channel is confirmed. What waits for an answer when a connection ends
// is unavailable or timed_out, done or not; without a connection an operation is unavailable before
// the call returns. Connects again with the same pauses, counted by the node's own timers, so a
// node that stood still wakes to its time-outs first. See storage/redis/link/redis_pair.h,
// redis_link.h and redis_subscriber.h.
//
// One thread, the first worker's of its node. What arrives waits for a turn of that worker.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/base/inline_task.h"
#include "core/reactor/timer_wheel.h"
#include "storage/redis/link/redis_channels.h"
#include "storage/session_store.h"
#include "tests/sim/random.h"
#include "tests/sim/redis.h"

namespace videosync::sim {

// The worker that has the store.
class StoreTurns {
 public:
  // Runs the task in a turn of the worker: soon, in order.
  virtual void arrive(InlineTask task) noexcept = 0;
  virtual std::int64_t now_ms() noexcept = 0;  // of its timers
  // That event is on its way, or would be if the store were not away.
  virtual void on_said(const Uuid& channel, const BufferRef& event) noexcept = 0;

 protected:
  ~StoreTurns() = default;
};

class SimStore final : public SessionStore {
 public:
  SimStore(SimRedis& redis, std::size_t node, StoreTurns& turns, TimerWheel& timers,
           Random random) noexcept;
  ~SimStore() override;

  void start() noexcept;
  // The process is gone at once. `is_silent`: and Redis does not notice.
  void abandon(bool is_silent) noexcept;
  // Another server is the master.
  void move_to(std::size_t server) noexcept;
  std::size_t server() const noexcept { return server_; }
  bool is_ready() const noexcept { return is_ready_; }
  std::size_t unanswered() const noexcept { return commands_.pending.size(); }

  void listen(SessionListener& listener) noexcept override;
  void create(const SessionName& name, StoreVersion version, BufferRef bytes, std::int64_t ttl_us,
              OnDone done) override;
  void load(const Uuid& key, OnValue done) override;
  void exists(const Uuid& key, OnExists done) override;
  void find(ShortCode code, OnKey done) override;
  void change(const SessionName& name, StoreVersion expected, StoreVersion next, SessionBytes bytes,
              std::int64_t ttl_us, BufferRef event, OnDone done) override;
  void touch(const SessionName& name, std::int64_t ttl_us, OnDone done) override;
  void remove(const SessionName& name, StoreVersion version, BufferRef event, OnDone done) override;
  void publish(const Channel& channel, BufferRef event, OnReceivers done) override;
  void follow(const Channel& channel, OnDone done) override;
  void unfollow(const Channel& channel) override;

 private:
  enum class State : std::uint8_t { resting, connecting, ready, stopped };
  struct Role {};   // of the server
  struct Pulse {};  // to ourselves
  using OnReply = std::variant<Role, Pulse, OnDone, OnValue, OnExists, OnKey, OnReceivers>;
  struct Pending {
    OnReply done;
    std::int64_t since_ms;
    std::int64_t asked_ms;
  };

  struct Link final : RedisEnd {
    Link(SimStore& owner, bool is_for_commands) noexcept
        : store(owner),
          for_commands(is_for_commands),
          timer([](void* self) noexcept { static_cast<Link*>(self)->on_timer(); }, this) {}
    void on_redis_answer(RedisAnswer answer) noexcept override;
    void on_timer() noexcept;

    SimStore& store;
    const bool for_commands;
    State state = State::resting;
    RedisConnection* connection = nullptr;
    TimerEntry timer;  // resting: until the next attempt; else: the time-out
    std::int64_t backoff_ms = 0;
    std::deque<Pending> pending{};
  };

  std::int64_t now_ms() noexcept { return turns_.now_ms(); }
  void set_timer(Link& link, std::int64_t delay_ms) noexcept;
  void connect(Link& link) noexcept;
  void on_answer(Link& link, RedisAnswer& answer) noexcept;
  void on_connected(Link& link) noexcept;
  void on_reply(Pending pending, RedisAnswer& answer) noexcept;
  void reconnect(Link& link, const Error& why, std::int64_t pause_ms) noexcept;
  void give_up(Link& link, const Error& why) noexcept;
  void on_lost(Link& link, const Error& why) noexcept;
  void on_subscribed(const Uuid& channel) noexcept;
  void become_ready_if_so() noexcept;
  void command(RedisCommand command, OnReply done);
  void subscribe(const Uuid& channel) noexcept;
  void answer_followers(std::vector<OnDone> followers, const Result<>& result) noexcept;
  void on_pulse() noexcept;

  SimRedis& redis_;
  const std::size_t node_;
  StoreTurns& turns_;
  TimerWheel& timers_;
  Random random_;
  SessionListener* listener_ = nullptr;
  std::size_t server_ = 0;
  Uuid pulse_channel_;
  Link commands_{*this, true};
  Link subscriber_{*this, false};
  RedisChannels channels_;
  std::map<std::string, Uuid, std::less<>> names_;  // of the channels that are followed
  std::map<Uuid, std::vector<OnDone>> followers_;
  TimerEntry pulse_timer_;
  std::int64_t pulse_heard_ms_ = 0;
  bool is_master_ = false;
  bool is_ready_ = false;
};

}  // namespace videosync::sim
