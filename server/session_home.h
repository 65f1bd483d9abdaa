// SessionHome: the sessions whose machines live on this worker, and the way in and out of them.
//
// A session's key decides its worker (Service::home_of), so all its events pass through one thread
// and have one order. An event goes to the machine; what is durable of the outcome is given to the
// store, whose answer is not waited for; then the effects are carried out: each broadcast is
// encoded once, and every worker that has members gets the frame by its mailbox. Sessions come into
// memory when somebody joins or asks, from the store if need be, and leave it when the machine says
// that they are over.
//
// Every method runs on this worker's thread, from Worker::run_on, never from within another.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/slot_pool.h"
#include "core/base/uuid.h"
#include "core/reactor/output_queue.h"
#include "core/reactor/timer_wheel.h"
#include "proto/http_request.h"
#include "proto/session_machine.h"
#include "storage/session_store.h"

namespace videosync {

class Worker;
struct PeerAddress;

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

  explicit SessionHome(Worker& worker) noexcept;
  ~SessionHome();
  SessionHome(const SessionHome&) = delete;
  SessionHome& operator=(const SessionHome&) = delete;

  // Answers the HTTP request that waits at the order's peer.
  void on_create(const Uuid& key, const CreateOrder& order) noexcept;
  void on_join(const JoinOrder& order) noexcept;
  void on_info(const Uuid& key, std::uint32_t from_worker, SlotHandle from_peer) noexcept;
  // The bytes of the session's video.
  void on_video(const Uuid& key, std::uint32_t from_worker, SlotHandle from_peer) noexcept;
  void on_delete(const Uuid& key, const std::optional<Token>& host_token, std::uint32_t from_worker,
                 SlotHandle from_peer) noexcept;

  void on_message(const Uuid& key, MemberId member, const ClientMessage& message) noexcept;
  void on_leave(const Uuid& key, MemberId member, ConnectionNumber connection) noexcept;

  // Ends the turn of sessions that gather what happens in one (reactions). A hook of the worker.
  void on_turn_end() noexcept;

  std::size_t session_count() const noexcept { return sessions_.size(); }

 private:
  struct Seat {
    std::uint32_t worker = 0;
    SlotHandle peer;
    ConnectionNumber connection;
  };
  struct Homed;
  using OnFound = std::move_only_function<void(Result<Homed*>) noexcept>;

  void find_or_load(const Uuid& key, OnFound found);
  Homed& adopt(const Uuid& key, std::unique_ptr<SessionMachine> machine, StoreVersion version);
  void join_found(Homed& homed, const JoinOrder& order) noexcept;
  void end_found(Homed& homed, const std::optional<Token>& host_token, std::uint32_t from_worker,
                 SlotHandle from_peer) noexcept;
  // After every call of the machine: stores, carries out effects_, arms the timer; may forget the
  // session, after which `homed` is gone.
  void settle(Homed& homed) noexcept;
  void store_changes(Homed& homed) noexcept;
  void on_stored(const Uuid& key, const Result<StoreVersion>& version) noexcept;
  void carry_out(Homed& homed) noexcept;
  void arm_timer(Homed& homed) noexcept;
  void on_timer(Homed& homed) noexcept;
  void forget(Homed& homed) noexcept;

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

  BufferRef make_welcome(Homed& homed, MemberId to) noexcept;
  void broadcast(Homed& homed, std::string_view text, SendClass send_class) noexcept;
  void send_to(Homed& homed, MemberId member, std::string_view text) noexcept;
  void close_connection(const Seat& seat, std::uint16_t code) noexcept;
  // What a request is told when the store has no session for it.
  static const HttpFault& fault_of(const Error& error) noexcept;
  void answer_error(std::uint32_t to_worker, SlotHandle to_peer, const HttpFault& fault) noexcept;
  void answer_json(std::uint32_t to_worker, SlotHandle to_peer, int status, std::string body,
                   std::string location = {}) noexcept;
  std::optional<VideoChoice> choose_video(const std::optional<std::string>& id) const;
  std::int64_t store_ttl_us() const noexcept;

  Worker& worker_;
  std::unordered_map<Uuid, std::unique_ptr<Homed>> sessions_;
  std::vector<Homed*> talking_;  // sessions with something to flush at the end of the turn
  Effects effects_;
};

}  // namespace videosync
