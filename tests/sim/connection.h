// SimConnection: one connection of a client to a node, both of its ends and what is between them.
//
// Each end learns of the other's end by what arrives, if it arrives at all. One thread; connections
// stay as long as the world does, because pipes do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "core/base/slot_pool.h"
#include "core/base/uuid.h"
#include "proto/session/session_machine.h"
#include "server/session/session_directory.h"
#include "server/session/session_reply.h"
#include "tests/sim/frame.h"
#include "tests/sim/pipe.h"

namespace videosync::sim {

class SimWorker;
struct SimConnection;

// Close codes that no server sends.
inline constexpr std::uint16_t code_lost = 1006;  // the connection ended without a word
inline constexpr std::uint16_t code_refused = 1;  // there is nobody to connect to

class ClientEnd {
 public:
  virtual void on_reply(SimConnection& connection, const SessionReply& reply) = 0;
  virtual void on_frame(SimConnection& connection, const FrameRef& frame) = 0;
  virtual void on_closed(SimConnection& connection, std::uint16_t code) = 0;

 protected:
  ~ClientEnd() = default;
};

// What a client asks for as it connects.
struct JoinOrder {
  SessionMachine::JoinRequest request;
};
struct InfoOrder {};
struct ValidateOrder {};
struct VideoOrder {};
struct DeleteOrder {
  std::optional<Token> host_token;
};
using Order = std::variant<JoinOrder, SessionDirectory::CreateOrder, InfoOrder, ValidateOrder,
                           VideoOrder, DeleteOrder>;

struct SimConnection {
  SimConnection(std::size_t of_number, std::size_t to_node, const Uuid& session, ClientEnd& owner,
                Scheduler& scheduler, Random random, const Latency& latency) noexcept
      : number(of_number),
        node(to_node),
        key(session),
        client(&owner),
        up(scheduler, random.fork(0), latency),
        down(scheduler, random.fork(1), latency) {}

  enum class Phase : std::uint8_t { on_its_way, awaiting, waiting, member, gone };

  const std::size_t number;
  const std::size_t node;
  const Uuid key;
  ClientEnd* client;  // null: the client has given it up
  Pipe up;
  Pipe down;

  // The server's end.
  Phase phase = Phase::on_its_way;
  SimWorker* accepted = nullptr;  // the worker to which the kernel has given it
  SimWorker* worker = nullptr;    // while awaiting, waiting at the door or a member
  SlotHandle handle;
  MemberId member;
  ConnectionNumber connection;
  bool is_vanished = false;  // nothing passes any more, and the server has not noticed
};

}  // namespace videosync::sim
