// What the session layer needs of the world, as narrow interfaces: it includes no ring, no stream
// and no HTTP text, so a simulator can turn it as well as a worker does.
//
// All of it belongs to one worker's thread and outlives the SessionDirectory that is given it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/connection_ref.h"
#include "core/base/inline_task.h"
#include "core/base/send_class.h"
#include "core/base/shared_buffer.h"
#include "core/base/uuid.h"
#include "core/reactor/timer_wheel.h"
#include "proto/session/session_machine.h"
#include "server/session/session_reply.h"
#include "server/session/shared_sums.h"
#include "storage/session_store.h"

namespace videosync {

class SessionDirectory;
class WorkerMetrics;

// The worker, of so many, whose thread has the session of this key.
inline std::size_t worker_of(const Uuid& key, std::size_t workers) noexcept {
  return std::hash<Uuid>{}(key) % workers;
}

// To connections of this process. Calls take effect in their order for each connection, never
// within the call itself; a connection that is gone takes nothing.
class Delivery {
 public:
  // A request's one answer.
  virtual void answer(ConnectionRef to, SessionReply reply) noexcept = 0;
  // The join has been granted: upgrade, then `welcome`, then whatever follows. Where the connection
  // is gone, SessionDirectory::on_leave(key, member, number) follows.
  virtual void begin(ConnectionRef to, const Uuid& key, MemberId member, ConnectionNumber number,
                     const BufferRef& welcome) noexcept = 0;
  // It is to wait: upgrade, then `frame`. `begin` may follow, or `close`; where the connection is
  // gone, SessionDirectory::on_knocker_left(key, number) follows.
  virtual void knock(ConnectionRef to, const Uuid& key, ConnectionNumber number,
                     const BufferRef& frame) noexcept = 0;
  virtual void send(ConnectionRef to, const BufferRef& frame, SendClass send_class) noexcept = 0;
  virtual void close(ConnectionRef to, std::uint16_t code) noexcept = 0;
  // To every member of the session that is connected through that worker. sent_us: when a home on
  // another node sent it, by server time; 0: the home is here.
  virtual void broadcast(std::size_t worker, const Uuid& key, const BufferRef& frame,
                         SendClass send_class, std::int64_t sent_us) noexcept = 0;
  virtual void close_all(std::size_t worker, const Uuid& key, std::uint16_t code) noexcept = 0;

 protected:
  ~Delivery() = default;
};

// What else a worker has.
class Surroundings {
 public:
  // Runs `task` on that worker's thread: soon, in order, never within this call.
  virtual void post(std::size_t worker, InlineTask task) noexcept = 0;
  virtual SessionDirectory& directory_of(std::size_t worker) noexcept = 0;
  // Nothing: the library has no such video. Without an id: the default one, if there is any.
  virtual std::optional<VideoChoice> choose_video(
      const std::optional<std::string>& id) noexcept = 0;
  // Whether members may watch what is at that address; the origins of such as they may.
  virtual bool allows_film_url(const std::string&) noexcept { return false; }
  virtual std::span<const std::string> film_sources() noexcept { return {}; }
  // What comes after this one of the library's videos by itself: its show's next episode. Nothing:
  // none does.
  virtual std::optional<VideoChoice> next_episode(const std::string& id) noexcept = 0;
  // What a person would call the library's video of that id; the id itself where it has none.
  virtual std::string title_of(const std::string& id) noexcept = 0;
  // Keys and tokens are made of it.
  virtual void fill_random(std::span<std::uint8_t> bytes) noexcept = 0;
  virtual bool is_draining() const noexcept = 0;
  // A session that was at home here is over, for good.
  virtual void on_session_ended(const Uuid&) noexcept {}

 protected:
  ~Surroundings() = default;
};

// The other nodes, where a store is shared with any. Of the first worker's thread: others post
// there.
class NodePort {
 public:
  virtual const Uuid& self() const noexcept = 0;  // any thread
  // This node matters from now on: tell when it is lost, even if it was never heard of.
  virtual void watch(const Uuid& node) noexcept = 0;
  // A message for it reached nobody. It may be subscribing again; if it stays so, it is lost.
  virtual void report_deaf(const Uuid& node) noexcept = 0;
  // A message has reached it again.
  virtual void report_hearing(const Uuid& node) noexcept = 0;
  // That worker has changes that the store refuses though it is there, as one in that slot; why: ""
  // no longer.
  virtual void report_unsaved(std::size_t worker, std::string why, std::uint16_t slot) noexcept = 0;
  // That worker has told the store, since its return, what it has.
  virtual void report_written_back(std::size_t worker) noexcept = 0;
  // What a worker shares with other nodes, for this round.
  virtual void add_sums(std::uint64_t round, std::vector<SharedSums> sums) noexcept = 0;
  // What differed may have been on its way only.
  virtual void compare_again(const Uuid& node) noexcept = 0;

 protected:
  ~NodePort() = default;
};

struct SessionPorts {
  std::size_t worker = 0;   // this one
  std::size_t workers = 1;  // of this process
  const Clock& clock;
  TimerWheel& timers;  // in milliseconds of clock.monotonic_us()
  SessionStore& store;
  Delivery& delivery;
  Surroundings& around;
  WorkerMetrics& metrics;
  const SessionMachine::Limits& limits;
  std::int64_t session_ttl_us = 86'400'000'000;
  NodePort* nodes = nullptr;  // null: no store is shared, every session is at home here
};

}  // namespace videosync
