// RedisStore: the SessionStore that several nodes share, on a Redis or a Redis Cluster.
//
// Keys: the hashes `videosync:{<key>}:session` and `videosync:{<code>}:code` (redis_scripts.h),
// each with an expiry; channels: `videosync:{<uuid>}:events`; for both, `videosync:clock` is
// RedisClock's. Every operation is one command, a change and its event one script. Operations that
// a turn asks for leave in one write. Nothing is tried again on its own: while the store is away
// every operation ends as unavailable at once, and what was on its way as unavailable or timed_out,
// done or not.
//
// A script that the server has forgotten (NOSCRIPT) is sent in full; until the answers of those of
// its slot that are on their way have come, later operations of that slot wait, so that the order
// of changes stays. It may be lost only if another node brings the script back between two changes
// that are under way: then the older one is a conflict. Other slots do not wait: their server may
// be one that does not answer.
//
// In a cluster a code's record is mostly on another server than its session: it is taken before the
// session is made, given back where that fails, and else follows the session with commands of its
// own, whose answers nobody waits for: at most one for all changes of a second.
//
// Drives a StoreClock by the time that all nodes of the Redis share, if it is given one; then it is
// ready only when that time is known.
//
// One thread, its reactor's: operations, callbacks and the listener. Callbacks come before the
// operation returns where the store is away. The owner outlives it; stop() and turn until is_idle()
// before destroying it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/reactor/timer_wheel.h"
#include "storage/key_slots.h"
#include "storage/redis/redis_clock.h"
#include "storage/redis/redis_servers.h"
#include "storage/session_store.h"

namespace videosync {

class StoreClock;

class RedisStore final : public SessionStore, RedisServersOwner, RedisClockOwner {
 public:
  // `clock` may be null and outlives the store.
  RedisStore(Reactor& reactor, RedisLocation location, const RedisLink::Options& options = {},
             StoreClock* clock = nullptr);
  ~RedisStore() override;

  void start() noexcept;
  void stop() noexcept;
  bool is_idle() const noexcept { return servers_->is_idle(); }
  // Nothing waits for an answer.
  bool is_settled() const noexcept { return servers_->is_settled() && held_.empty(); }
  // The latest failure's words; "" before any.
  const std::string& last_failure() const noexcept { return last_failure_; }
  RedisCounters counters() const noexcept { return servers_->counters(); }

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
  static constexpr std::size_t scripts = 4;
  static constexpr std::size_t held_max = 10'000;
  static constexpr std::int64_t keep_codes_every_ms = 1'000;

  enum class Operation : std::uint8_t { create, change, touch, remove };
  struct Call;

  void on_servers_connected(RedisPair& server) noexcept override;
  void on_servers_ready() noexcept override;
  void on_servers_lost(const Error& why) noexcept override;
  void on_part_ready(const SlotSet& slots) noexcept override;
  void on_part_lost(const SlotSet& slots, const Error& why) noexcept override;
  void on_servers_message(std::string_view channel, std::string_view payload) noexcept override;
  void on_servers_round_trip(std::int64_t took_us) noexcept override;
  void on_clock_ready() noexcept override;
  void on_clock_failed(const Error& why) noexcept override;

  void run(std::unique_ptr<Call> call);
  void send(std::unique_ptr<Call> call, bool in_full);
  void on_answer(std::unique_ptr<Call> call, bool in_full, Result<RedisReply> reply) noexcept;
  void finish(std::unique_ptr<Call> call, Result<> result) noexcept;
  void hold(std::unique_ptr<Call> call);
  void send_held(std::uint16_t slot) noexcept;
  void become_ready() noexcept;
  void tell_lost(const Error& why) noexcept;

  // Of a cluster.
  void take_code(std::unique_ptr<Call> call);
  void keep_codes() noexcept;
  void release_code(const Call& call);

  Reactor& reactor_;
  const std::unique_ptr<RedisServers> servers_;
  SessionListener* listener_ = nullptr;
  std::array<std::string, scripts> digests_;  // by Operation; "" until a server has told
  std::map<std::string, Uuid, std::less<>> followed_;
  std::array<std::uint32_t, key_slots> short_calls_{};  // by digest, on their way, of each slot
  // Of slots with a NOSCRIPT, by their numbers: until the short calls on their way are answered.
  std::map<std::uint16_t, std::map<std::uint64_t, std::unique_ptr<Call>>> held_;
  std::size_t held_calls_ = 0;         // in all of them
  std::uint64_t last_number_ = 0;      // of calls, in the order in which they were asked for
  std::unique_ptr<RedisClock> clock_;  // null: nobody's is driven
  std::string last_failure_;
  bool is_ready_ = false;  // as the listener was told
  SlotSet away_;           // of the cluster, while it can be used
  std::string why_away_;
  // Whose sessions were changed since codes were kept last.
  struct KeptCode {
    std::string session;  // its key's name
    std::int64_t ttl_us;
  };
  std::map<ShortCode, KeptCode> codes_to_keep_;
  TimerEntry keep_timer_;  // while there are any
};

}  // namespace videosync
