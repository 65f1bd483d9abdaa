// SessionDirectory: one worker's share of the sessions, wherever their homes are.
//
// A session's key decides its worker (worker_of), so all that concerns it passes through one thread
// and has one order. Of each key that anybody here has to do with there is one Residence, which is
// exactly one of: at home here (its machine lives here), an outpost (its members here follow a home
// on another node), or moving (it has been handed over and the store has not answered yet). Who
// is home is in the store's record; who finds the home gone takes the session over, with a higher
// fence: see docs/NODES.md for what is promised.
//
// An event is taken as a whole: what the store answers within a call of ours waits until the event
// at hand is through, so no callback finds a half-made state, whether it comes inside the call,
// later, or never.
//
// One thread, the worker's; entered by tasks (Surroundings::post), never from within itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proto/session/session_machine.h"
#include "proto/wire/node_messages.h"
#include "server/session/ports.h"

namespace videosync {

struct SessionSurvey;

// What the store does not have of a session, and goes with it from one process to the next.
struct SessionCompany {
  std::optional<std::vector<SessionMachine::KnownMember>>
      members{};  // nothing: it is not known who they were
  std::vector<ChatLine> chat{};
};

class SessionDirectory {
 public:
  struct CreateOrder {
    std::optional<std::string> video;  // none: the default one
    SessionSettings settings;
  };

  explicit SessionDirectory(const SessionPorts& ports);
  ~SessionDirectory();
  SessionDirectory(const SessionDirectory&) = delete;
  SessionDirectory& operator=(const SessionDirectory&) = delete;

  // --- From one process to the next, where nobody shares the store -------------------------------
  // Before any request: a session that another process had goes on here. corrupt: it cannot be
  // read.
  Result<> restore(const Uuid& key, const StoredValue& value, SessionCompany company) noexcept;
  // Any thread's, while this one's stands still.
  SessionCompany company_of(const Uuid& key) const;
  // All sessions are another process's from now on. Requests are refused as unavailable, the rest
  // concerns nobody here any more.
  void hand_away() noexcept;

  // --- Requests; each is answered exactly once, by Delivery --------------------------------------
  void on_create(const Uuid& key, const CreateOrder& order, ConnectionRef from) noexcept;
  // Answered by Delivery::begin, by a fault, or by Delivery::knock.
  void on_join(const Uuid& key, const SessionMachine::JoinRequest& request,
               ConnectionRef from) noexcept;
  void on_info(const Uuid& key, ConnectionRef from, const SessionProof& proof = {}) noexcept;
  // Whether there is such a session: as this node knows it, else as the store does.
  void on_validate(const Uuid& key, ConnectionRef from) noexcept;
  // The same of whichever has that code. Of any worker.
  void on_validate_code(ShortCode code, ConnectionRef from) noexcept;
  void on_video(const Uuid& key, ConnectionRef from) noexcept;
  void on_delete(const Uuid& key, const std::optional<Token>& host_token,
                 ConnectionRef from) noexcept;

  // How far a film is that its host brings, of that name: to all members. No percentage: it is
  // given up.
  void on_upload(const Uuid& key, const std::string& name,
                 std::optional<std::uint8_t> percent) noexcept;

  // One that was told to wait (Delivery::knock) has gone.
  void on_knocker_left(const Uuid& key, ConnectionNumber number) noexcept;

  // --- Members that were begun -------------------------------------------------------------------
  void on_message(const Uuid& key, MemberId member, ConnectionNumber number, ConnectionRef from,
                  const ClientMessage& message) noexcept;
  // Its connection is gone.
  void on_leave(const Uuid& key, MemberId member, ConnectionNumber number) noexcept;

  // --- Of the worker -----------------------------------------------------------------------------
  // At the end of each turn: what is said once a turn (reactions, what was heard). May post.
  void on_turn_end() noexcept;
  // Surroundings::choose_video may answer otherwise from now on: sessions at home here learn how
  // long their films are.
  void on_library_changed() noexcept;
  // Sessions go to other nodes as soon as they have members there.
  void begin_drain() noexcept;
  // No session is on its way to another node.
  bool is_settled() const noexcept;

  // --- From other nodes, and of them -------------------------------------------------------------
  void on_envelope(node::Envelope envelope) noexcept;               // on this node's channel
  void on_event(const Uuid& key, const BufferRef& event) noexcept;  // on the session's channel
  void on_node_lost(const Uuid& node) noexcept;
  void on_node_alive(const Uuid& node) noexcept;
  // For the agreement of two nodes: see DigestExchange.
  void collect_sums(std::uint64_t round) noexcept;
  void list_shared(const Uuid& home, std::int64_t gathered_us, std::size_t bucket) noexcept;
  void compare_list(const Uuid& from, const node::DigestList& list) noexcept;
  void on_store_ready() noexcept;
  void on_store_lost() noexcept;
  // What lies in these slots, while the store as a whole is there.
  void on_part_ready(const SharedSlots& slots) noexcept;
  void on_part_lost(const SharedSlots& slots) noexcept;
  // That key's part of the store is away, though the store is there.
  bool is_apart(const Uuid& key) const noexcept;
  // Whether other nodes may have sessions that the store lacks, though it is there.
  void on_store_judged(bool may_lack) noexcept;

  // Adds what this worker has.
  void survey(SessionSurvey& survey) const;

  // Asserts what must hold between events; O(members): for tests.
  void check_invariants() const;

  class Impl;  // its own sources' affair

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace videosync
