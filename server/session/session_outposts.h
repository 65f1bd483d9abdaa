// SessionOutposts: sessions with members on this node whose home is another one.
//
// Exactly one node is a session's home: there its machine lives (SessionHome). Where members are
// connected to another node, that node keeps an outpost: what they do goes to the home by the
// store's channels, what the home says comes back the same way and fans out here. A session is
// opened here, too: the store's record names the home, and where that is nobody, or a node that is
// gone, this one takes the session over by compare-and-set, in a new epoch. See
// docs/ARCHITECTURE.md.
//
// One a worker, beside SessionHome and for the same keys; its thread only. Without a shared store
// (Service::nodes) nothing comes here.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/base/shared_buffer.h"
#include "core/base/uuid.h"
#include "core/reactor/timer_wheel.h"
#include "proto/wire/node_messages.h"
#include "server/session/outbox.h"
#include "server/session/outpost_asks.h"
#include "server/session/session_home.h"
#include "storage/session_store.h"

namespace videosync {

class Worker;

class SessionOutposts {
 public:
  using LocalMember = SessionHome::LocalMember;
  using LocalMembers = SessionHome::LocalMembers;

  explicit SessionOutposts(Worker& worker) noexcept;
  ~SessionOutposts();
  SessionOutposts(const SessionOutposts&) = delete;
  SessionOutposts& operator=(const SessionOutposts&) = delete;

  // What local clients want of a session that is not at home here.
  void join(const SessionHome::JoinOrder& order) noexcept;
  void info(const Uuid& key, std::uint32_t from_worker, SlotHandle from_peer) noexcept;
  void end(const Uuid& key, const std::optional<Token>& host_token, std::uint32_t from_worker,
           SlotHandle from_peer) noexcept;
  void said(const Uuid& key, MemberId member, const ClientMessage& message) noexcept;
  void left(const Uuid& key, MemberId member, ConnectionNumber connection) noexcept;
  // The video that the session shows, as far as this node has heard; null: no outpost.
  const std::string* video_of(const Uuid& key) const noexcept;
  // Members here are in it, and its end has not been heard of.
  bool has_members(const Uuid& key) const noexcept;

  // From other nodes: on this node's channel, on a session's.
  void on_envelope(NodeEnvelope envelope) noexcept;
  void on_event(const Uuid& key, const BufferRef& event) noexcept;
  void on_node_lost(const Uuid& node) noexcept;
  void on_node_alive(const Uuid& node) noexcept { dead_.erase(node); }

  void on_store_ready() noexcept;
  void on_store_lost() noexcept { is_store_ready_ = false; }
  bool is_store_ready() const noexcept { return is_store_ready_; }

  // For SessionHome: the session's home is `home` now (nil: nobody yet), `members` stay here.
  // `known` is the session as they know it.
  void open_for(const Uuid& key, const Uuid& home, LocalMembers members,
                const SessionMachine& known, std::uint64_t epoch) noexcept;
  // The other way: the session stays at home here after all. What was kept for it; what waited for
  // a home is given to it by deliver().
  struct Closed {
    LocalMembers members;
    std::optional<MemberId> host_told;
    OutpostAsks asks;
    std::vector<NodeEnvelope> messages;
  };
  Closed close(const Uuid& key) noexcept;
  void deliver(const Uuid& key, Closed& closed) noexcept;
  // Something happened to the store's record that this node did not do: see who is home.
  void look_again(const Uuid& key) noexcept;
  void send(const Uuid& node, const Uuid& key, NodeMessage message) noexcept;

 private:
  struct Outpost;
  using Ask = OutpostAsks::Ask;

  Outpost& open(const Uuid& key) noexcept;
  Outpost* find(const Uuid& key) noexcept;
  void drop_if_idle(Outpost& outpost) noexcept;
  void add_ask(const Uuid& key, Ask ask) noexcept;
  void refuse_ask(const Ask& ask, const HttpFault& fault) noexcept;
  void refuse_asks(Outpost& outpost, const HttpFault& fault) noexcept;

  void look(Outpost& outpost) noexcept;
  void look_later(Outpost& outpost) noexcept;
  void try_later(Outpost& outpost) noexcept;
  void on_looked(const Uuid& key, const Result<StoredValue>& value) noexcept;
  void on_unknown(Outpost& outpost) noexcept;
  void on_ended(Outpost& outpost) noexcept;
  void return_foreign(Outpost& outpost) noexcept;
  void answer_infos(Outpost& outpost, std::string_view bytes) noexcept;
  void settle_on(Outpost& outpost, const Uuid& home) noexcept;
  void speak(Outpost& outpost) noexcept;
  void send_home(Outpost& outpost, NodeMessage message) noexcept;
  void on_sent_home(const Uuid& key, const Uuid& node, std::uint64_t said,
                    const Result<std::uint32_t>& receivers) noexcept;
  void send_unsent(Outpost& outpost) noexcept;
  void enroll(Outpost& outpost) noexcept;
  void take_over(Outpost& outpost, const StoredValue& value, std::string_view bytes) noexcept;
  void on_taken(const Uuid& key, std::unique_ptr<SessionMachine> machine, StoreVersion version,
                const Uuid& from, const Result<>& result) noexcept;
  bool is_absent(const Uuid& home) const noexcept;

  void on_home_message(NodeEnvelope envelope) noexcept;
  void apply(Outpost& outpost, const JoinAnswer& answer) noexcept;
  void apply(Outpost& outpost, const Tell& tell) noexcept;
  void apply(Outpost& outpost, const Close& close) noexcept;
  void apply(Outpost& outpost, const Cast& cast) noexcept;
  void apply(Outpost& outpost, const Answer& answer) noexcept;
  void on_moved(const Uuid& key, const Uuid& home, std::uint64_t epoch) noexcept;
  void on_returned(const Uuid& key, const Returned& returned) noexcept;
  void remember(Outpost& outpost, const MemberInfo& member) noexcept;
  // sent_us: when the home sent it, to be measured; 0: not to be.
  void deliver(const Outpost& outpost, const BufferRef& frame, SendClass send_class,
               std::int64_t sent_us) noexcept;
  void tell_host(Outpost& outpost, const HostNews& news) noexcept;
  void tell_who_is_there(Outpost& outpost, const Cast& cast) noexcept;
  void close_all(Outpost& outpost, std::uint16_t code) noexcept;
  void refuse_saying(const Outpost& outpost, const Outbox::Saying& saying) noexcept;
  void refuse_sayings(const Outpost& outpost, const std::vector<Outbox::Saying>& sayings) noexcept;
  Closed take_apart(const Uuid& key) noexcept;
  void refuse_late() noexcept;
  void on_tick() noexcept;

  Worker& worker_;
  std::unordered_map<Uuid, std::unique_ptr<Outpost>> outposts_;
  std::unordered_set<Uuid> waiting_;  // sessions of which somebody may await an answer
  std::uint64_t last_number_ = 0;     // of asks and sayings
  std::unordered_set<Uuid> dead_;     // nodes that are gone
  std::vector<Uuid> look_later_;
  TimerEntry timer_;
  bool is_store_ready_ = false;
  bool was_ready_ = false;
  std::int64_t returned_us_ = 0;  // when the store was last back; 0: it was never away
};

}  // namespace videosync
