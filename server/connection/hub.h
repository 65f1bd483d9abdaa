// Hub: one worker's members of every session, and the fan-out to them.
//
// A frame comes encoded; each member gets one more reference to it. What a member does not read in
// time is its own loss: see SendClass and Connection::send_frame. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/shared_buffer.h"
#include "core/base/uuid.h"
#include "core/reactor/output_queue.h"

namespace videosync {

class Connection;
class WorkerMetrics;

// A session's members on this worker, in no order; there is at least one. A dense table: a fan-out
// then fetches the next ones into the cache while it serves one, which a list does not allow.
struct LocalSession {
  Uuid key;
  std::vector<Connection*> members;
  bool is_porch = false;
};

class Hub {
 public:
  explicit Hub(WorkerMetrics& metrics) noexcept : metrics_(metrics) {}
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  // The connection stays, at `place` in its session's table, until leave(); the session is there
  // while it has members.
  LocalSession& enter(const Uuid& key, Connection& connection);
  // The same for one that waits before the session's door: nothing is delivered to it.
  LocalSession& enter_porch(const Uuid& key, Connection& connection);
  void leave(LocalSession& session, Connection& connection) noexcept;

  void deliver(const Uuid& key, const BufferRef& frame, SendClass send_class) noexcept;
  // Closes all members' WebSockets with this code.
  void close_all(const Uuid& key, std::uint16_t code, std::string_view reason) noexcept;

 private:
  template <class Visitor>
  void visit_members(const Uuid& key, Visitor&& visit) noexcept;

  WorkerMetrics& metrics_;
  LocalSession* visited_ = nullptr;  // not to be erased by leave() now
  using LocalSessions = std::unordered_map<Uuid, std::unique_ptr<LocalSession>>;
  static LocalSession& enter(LocalSessions& sessions, const Uuid& key, Connection& connection);
  LocalSessions sessions_;
  LocalSessions porches_;  // of whom waits
};

}  // namespace videosync
