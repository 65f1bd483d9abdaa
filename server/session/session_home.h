// SessionHome: the sessions whose machines live on this worker, and the way in and out of them.
//
// A session's key decides its worker (Service::home_of), so all its events pass through one thread
// and have one order. An event goes to the machine; what is durable of the outcome is given to the
// store, whose answer is not waited for; then the effects are carried out: each broadcast is
// encoded once, and every worker that has members gets the frame by its mailbox. Sessions come into
// memory when somebody joins or asks, from the store if need be, and leave it when the machine says
// that they are over.
//
// With a shared store exactly one node is a session's home. Members that are connected to another
// node have their seat there: see SessionOutposts, which keeps everything that is not at home here.
//
// Every method runs on this worker's thread, from Worker::run_on, never from within another.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/base/slot_pool.h"
#include "core/base/uuid.h"
#include "core/reactor/output_queue.h"
#include "core/reactor/timer_wheel.h"
#include "proto/http/http_request.h"
#include "proto/session/session_machine.h"
#include "proto/wire/node_messages.h"
#include "storage/session_store.h"

namespace videosync {

class Worker;
struct ConnectionRef;

class SessionHome {
 public:
  struct CreateOrder {
    std::uint32_t from_worker;
    SlotHandle from_peer;
    std::optional<std::string> video;  // none: the default one
    SessionSettings settings;
  };
  struct JoinOrder {
    std::uint32_t from_worker;
    SlotHandle from_peer;
    Uuid key;
    SessionMachine::JoinRequest request;
  };
  // Where a member's connection is.
  struct Seat {
    static constexpr std::uint32_t unheard = UINT32_MAX;  // while its node says who is there

    std::uint32_t worker = 0;  // of this node
    SlotHandle peer;
    ConnectionNumber connection;
    std::uint32_t node = 0;  // 0: this one; else one more than the place in Homed::remotes
  };

  explicit SessionHome(Worker& worker) noexcept;
  ~SessionHome();
  SessionHome(const SessionHome&) = delete;
  SessionHome& operator=(const SessionHome&) = delete;

  // Answers the HTTP request that waits at the order's peer.
  void on_create(const Uuid& key, const CreateOrder& order) noexcept;
  void on_join(const JoinOrder& order) noexcept;
  void on_info(const Uuid& key, std::uint32_t from_worker, SlotHandle from_peer) noexcept;
  // Whether there is such a session: as this node knows it, else as the store does.
  void on_validate(const Uuid& key, std::uint32_t from_worker, SlotHandle from_peer) noexcept;
  // The bytes of the session's video.
  void on_video(const Uuid& key, std::uint32_t from_worker, SlotHandle from_peer) noexcept;
  void on_delete(const Uuid& key, const std::optional<Token>& host_token, std::uint32_t from_worker,
                 SlotHandle from_peer) noexcept;

  void on_message(const Uuid& key, MemberId member, const ClientMessage& message) noexcept;
  void on_leave(const Uuid& key, MemberId member, ConnectionNumber connection) noexcept;

  // Ends the turn of sessions that gather what happens in one (reactions). A hook of the worker.
  void on_turn_end() noexcept;

  std::size_t session_count() const noexcept { return sessions_.size(); }

  // --- Several nodes: for SessionOutposts -------------------------------------------------------
  // A connection of this node and the name under which its member is known.
  struct LocalMember {
    Seat seat;
    std::string name;
  };
  using LocalMembers = std::unordered_map<MemberId, LocalMember>;

  bool has(const Uuid& key) const noexcept { return sessions_.contains(key); }
  // What another node's members do, or one wants of a session that is at home here.
  void handle(NodeEnvelope envelope) noexcept;
  // This node has become the home: `machine` is stored as `version`; its members here move in. They
  // take `host_told` for the host; nothing: unknown.
  void move_in(const Uuid& key, std::unique_ptr<SessionMachine> machine, StoreVersion version,
               const LocalMembers& members, std::optional<MemberId> host_told) noexcept;
  // Another node has become the home: the members here go on from an outpost.
  void move_out(const Uuid& key, const Uuid& home, std::uint64_t epoch) noexcept;
  void on_node_lost(const Uuid& node) noexcept;
  void on_store_ready() noexcept;
  // A few times a second, while the store is there.
  void on_tick() noexcept;
  // Sessions go to other nodes as soon as they have members there.
  void begin_drain() noexcept;
  // No session is on its way to another node.
  bool is_settled() const noexcept { return moving_ == 0; }

  void send_to_seat(const Seat& seat, const BufferRef& frame, SendClass send_class) noexcept;
  void close_seat(const Seat& seat, std::uint16_t code) noexcept;
  void begin_websocket(const Uuid& key, const Seat& seat, MemberId member,
                       const BufferRef& welcome) noexcept;
  void answer_error(std::uint32_t to_worker, SlotHandle to_peer, const HttpFault& fault) noexcept;
  void answer_json(std::uint32_t to_worker, SlotHandle to_peer, int status, std::string body,
                   std::string location = {}) noexcept;
  std::string describe(const Uuid& key, const SessionSettings& settings, std::uint32_t members,
                       const PlaybackState& state) const;
  std::int64_t store_ttl_us() const noexcept;

 private:
  struct Homed;
  using OnFound = std::move_only_function<void(Result<Homed*>) noexcept>;

  void find_or_load(const Uuid& key, OnFound found);
  Homed& adopt(const Uuid& key, std::unique_ptr<SessionMachine> machine, StoreVersion version);
  void join_found(Homed& homed, const JoinOrder& order) noexcept;
  std::expected<SessionMachine::JoinOutcome, SessionMachine::JoinRefusal> let_in(
      Homed& homed, const SessionMachine::JoinRequest& request, Seat seat) noexcept;
  void take_seat_away(Homed& homed, MemberId member) noexcept;
  void end_found(Homed& homed, const std::optional<Token>& host_token, std::uint32_t from_worker,
                 SlotHandle from_peer) noexcept;
  // After every call of the machine: carries out effects_, stores, publishes, arms the timer; may
  // forget the session or move it out, after which `homed` is gone.
  void settle(Homed& homed) noexcept;
  // The session has something to say then, all at once.
  void await_turn_end(Homed& homed) noexcept;
  void commit(Homed& homed) noexcept;
  void store(Homed& homed, const Uuid& home) noexcept;
  void on_stored(const Uuid& key, const BufferRef& cast, const Result<>& result) noexcept;
  void store_again(Homed& homed) noexcept;
  void retry_unsaved() noexcept;
  void set_unsaved(const Uuid& key, std::string why) noexcept;
  void carry_out(Homed& homed) noexcept;
  void arm_timer(Homed& homed) noexcept;
  void on_timer(Homed& homed) noexcept;
  void forget(Homed& homed) noexcept;
  struct Removal {
    Uuid key;
    StoreVersion last;
    BufferRef event;
  };
  void remove(const Removal& removal) noexcept;

  void carry(Homed& homed, const WelcomeEffect& effect) noexcept;
  void carry(Homed& homed, const ErrorEffect& effect) noexcept;
  void carry(Homed& homed, const ViewersEffect& effect) noexcept;
  void carry(Homed& homed, const CloseEffect& effect) noexcept;
  void carry(Homed& homed, const StateEffect& effect) noexcept;
  void carry(Homed& homed, const HostEffect& effect) noexcept;
  void carry(Homed& homed, const MembersEffect& effect) noexcept;
  void carry(Homed& homed, const WaitingEffect& effect) noexcept;
  void carry(Homed& homed, const ChatEffect& effect) noexcept;
  void carry(Homed& homed, const ReactionsEffect& effect) noexcept;
  void carry(Homed& homed, const SettingsEffect& effect) noexcept;
  void carry(Homed& homed, const EndedEffect& effect) noexcept;

  std::string_view write_welcome(Homed& homed, MemberId to) noexcept;
  void broadcast(Homed& homed, std::string_view text, SendClass send_class) noexcept;
  void broadcast_here(Homed& homed, std::string_view text, SendClass send_class) noexcept;
  void add_host_news(Homed& homed, const HostEffect& effect) noexcept;
  void send_to(Homed& homed, MemberId member, std::string_view text) noexcept;
  void close_connection(Homed& homed, MemberId member, const Seat& seat,
                        std::uint16_t code) noexcept;

  std::uint32_t place_of(Homed& homed, const Uuid& node) noexcept;
  BufferRef take_cast(Homed& homed) noexcept;
  void cast_everything(Homed& homed, bool is_roll_call) noexcept;
  void call_roll(Homed& homed) noexcept;
  void end_roll() noexcept;
  template <class Predicate>
  void leave_all(Homed& homed, Predicate is_gone) noexcept;
  void answer_node(const NodeEnvelope& to, const PeerRef& peer, int status,
                   std::string body) noexcept;
  void on_join_ask(Homed& homed, const NodeEnvelope& envelope, const JoinAsk& ask) noexcept;
  void on_delete_ask(Homed& homed, const NodeEnvelope& envelope, const DeleteAsk& ask) noexcept;
  void on_enroll(Homed& homed, const Uuid& node, const Enroll& enroll) noexcept;
  void enroll_member(Homed& homed, MemberId id, ConnectionNumber connection,
                     const std::string& name) noexcept;
  void on_said(Homed& homed, const Uuid& node, const Said& said) noexcept;
  // Says where the session had better live; nothing: here.
  std::optional<Uuid> better_home(const Homed& homed) const noexcept;
  void flush(Homed& homed) noexcept;
  void hand_over(Homed& homed, const Uuid& heir) noexcept;
  void on_handed_over(const Uuid& key, std::unique_ptr<Homed> homed, const Uuid& heir,
                      const Result<>& result) noexcept;
  void leave_outpost(Homed& homed, const Uuid& home, std::uint64_t epoch) noexcept;
  // What a request is told when the store has no session for it.
  static const HttpFault& fault_of(const Error& error) noexcept;
  std::optional<VideoChoice> choose_video(const std::optional<std::string>& id) const;
  bool is_alone() const noexcept;  // no store is shared: every session is at home here

  Worker& worker_;
  std::unordered_map<Uuid, std::unique_ptr<Homed>> sessions_;
  std::vector<Homed*> talking_;  // sessions with something to flush at the end of the turn
  Effects effects_;
  std::unordered_set<Uuid> unsaved_;  // sessions whose newest change the store does not have
  std::vector<Uuid> write_back_;      // sessions to be stored and told again, a few at a time
  std::vector<Uuid> roll_;            // sessions whose members elsewhere are to be named
  std::int64_t returned_us_ = 0;      // when the store was last there again
  std::vector<Removal> unremoved_;    // ended while the store was away
  std::int64_t retried_us_ = 0;       // when unsaved_ and unremoved_ were last tried
  std::size_t moving_ = 0;            // handed over, and the store has not answered yet
};

}  // namespace videosync
