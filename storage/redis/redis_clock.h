// RedisClock: drives a StoreClock by the time that the nodes of one Redis share (common_time.h).
//
// Reads Redis' TIME and the hash `videosync:clock` once a second; every 50 ms after a connection
// was made and while this node is in doubt. Both commands leave in one write, so nothing of another
// client comes between them but where the network cuts a segment of a hundred bytes in two; a
// reading that is torn so is a doubt that the next one ends. Not a script, for that is what a user
// of few rights or a Redis that is full may refuse; only a change is one, and there are few. In a
// cluster it is one, for there the two might meet different servers.
//
// One thread, the servers'. The owner, the servers and the clock outlive it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/reactor/timer_wheel.h"
#include "storage/redis/common_time.h"
#include "storage/redis/redis_servers.h"

namespace videosync {

class StoreClock;

class RedisClockOwner {
 public:
  // Once a connection: it has been read, and the StoreClock tells the shared time.
  virtual void on_clock_ready() noexcept = 0;
  // Before that: it could not be read.
  virtual void on_clock_failed(const Error& why) noexcept = 0;

 protected:
  ~RedisClockOwner() = default;
};

class RedisClock {
 public:
  // Key and channel.
  static constexpr std::string_view name = "videosync:clock";

  RedisClock(Reactor& reactor, RedisServers& servers, StoreClock& clock, RedisClockOwner& owner);
  RedisClock(const RedisClock&) = delete;
  RedisClock& operator=(const RedisClock&) = delete;

  void on_server_ready() noexcept;
  void on_server_lost() noexcept;
  void on_message(std::string_view payload) noexcept;
  void stop() noexcept { on_server_lost(); }
  // The StoreClock tells the shared time, by this connection or an earlier one.
  bool has_time() const noexcept { return has_time_; }

 private:
  static constexpr std::int64_t interval_ms = 1'000;
  static constexpr std::int64_t quick_interval_ms = 50;
  static constexpr unsigned quick_count = 8;

  std::int64_t now_us() const noexcept;
  void set_timer() noexcept;
  void on_timer() noexcept;
  void read() noexcept;
  void on_both(Result<RedisReply> reply) noexcept;
  void on_time(const Result<RedisReply>& reply) noexcept;
  void on_record(const Result<RedisReply>& reply) noexcept;
  void on_reading(const CommonTime::Record& stored) noexcept;
  void say(std::string_view word) noexcept;
  void write(const CommonTime::Record& stored, const CommonTime::Record& next) noexcept;
  void on_written(const Result<RedisReply>& reply, const CommonTime::Record& stored,
                  const CommonTime::Record& next) noexcept;
  void end_reading() noexcept;
  void report_write(const CommonTime::Record& stored,
                    const CommonTime::Record& next) const noexcept;

  Reactor& reactor_;
  RedisServers& servers_;
  StoreClock& clock_;
  RedisClockOwner& owner_;
  CommonTime time_;
  TimerEntry timer_;
  bool is_connected_ = false;
  bool is_ready_ = false;
  bool has_time_ = false;
  bool is_reading_ = false;  // from TIME to the answer of what follows from it
  bool reads_again_ = false;
  bool is_refused_ = false;   // the latest write: the next attempt has time
  unsigned quick_reads_ = 0;  // of this connection, up to quick_count
  std::string version_;       // as it stands in Redis
  TimeSample sample_{};       // of the reading
  Result<> read_;             // what it failed for
};

}  // namespace videosync
