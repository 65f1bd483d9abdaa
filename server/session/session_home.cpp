// SessionHome: finding sessions, their members' events, and what follows every event. The HTTP
// requests are in session_requests.cpp, the effects in session_effects.cpp.
#include "server/session/session_home.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "proto/websocket/websocket_frames.h"
#include "server/http/digest.h"
#include "server/nodes/nodes.h"
#include "server/session/homed_session.h"
#include "server/session/stored_session.h"
#include "server/worker.h"

namespace videosync {

SessionHome::SessionHome(Worker& worker) noexcept : worker_(worker) {}
SessionHome::~SessionHome() = default;

bool SessionHome::is_alone() const noexcept {
  return worker_.service().nodes == nullptr;
}

std::int64_t SessionHome::store_ttl_us() const noexcept {
  // The machine ends a session of its own accord; the store only cleans up behind a lost process.
  return worker_.config().session_ttl_us + worker_.config().session_ttl_us / 4 + 60'000'000;
}

// --- Finding -------------------------------------------------------------------------------------

SessionHome::Homed& SessionHome::adopt(const Uuid& key, std::unique_ptr<SessionMachine> machine,
                                       StoreVersion version) {
  auto homed = std::make_unique<Homed>(*this, key, std::move(machine), version,
                                       worker_.service().workers.size());
  homed->touched_us = worker_.monotonic_us();
  homed->moved_us = homed->empty_since_us = homed->touched_us;
  Homed& reference = *homed;
  sessions_[key] = std::move(homed);
  worker_.metrics().add(Gauge::sessions, 1);
  return reference;
}

void SessionHome::find_or_load(const Uuid& key, OnFound found) {
  if (const auto known = sessions_.find(key); known != sessions_.end()) {
    found(known->second.get());
    return;
  }
  worker_.store().load(key, [this, key,
                             found = std::move(found)](Result<StoredValue> value) mutable noexcept {
    if (!value) {
      found(std::unexpected(std::move(value.error())));
      return;
    }
    const auto stored = decode_stored_session(value->bytes);
    const auto record = stored ? decode_session_record(stored->record)
                               : Result<SessionRecord>(std::unexpected(stored.error()));
    if (!record) {
      log_error("session", "a stored session cannot be read", field("why", record.error().message));
      found(fail(ErrorCode::corrupt, "the stored session cannot be read"));
      return;
    }
    auto machine = SessionMachine::reopen(worker_.service().session_limits, *record, 0, {},
                                          worker_.server_us());
    // Another load of the same key may have come first.
    const auto known = sessions_.find(key);
    found(known != sessions_.end() ? known->second.get()
                                   : &adopt(key, std::move(machine), value->version));
  });
}

std::optional<VideoChoice> SessionHome::choose_video(const std::optional<std::string>& id) const {
  const MediaLibrary& library = worker_.library();
  const VideoEntry* video = id ? library.find(*id) : library.default_video();
  if (video == nullptr) return std::nullopt;
  return VideoChoice{video->id, video->duration_s.value_or(0)};
}

// --- Members -------------------------------------------------------------------------------------

void SessionHome::on_join(const JoinOrder& order) noexcept {
  const auto known = sessions_.find(order.key);
  if (known != sessions_.end()) return join_found(*known->second, order);
  if (!is_alone()) return worker_.outposts().join(order);
  find_or_load(order.key, [this, order](Result<Homed*> found) noexcept {
    if (!found) {
      answer_error(order.from_worker, order.from_peer, fault_of(found.error()));
    } else {
      join_found(**found, order);
    }
  });
}

std::expected<SessionMachine::JoinOutcome, SessionMachine::JoinRefusal> SessionHome::let_in(
    Homed& homed, const SessionMachine::JoinRequest& request, Seat seat) noexcept {
  const SessionMachine& machine = *homed.machine;
  SessionMachine::JoinRequest signed_request = request;
  if (const auto& resume = request.resume) {
    const Token secret = resume_secret(machine.resume_key(), resume->member);
    signed_request.is_resume_proven = secret.equals(resume->secret);
  }
  const auto joined = homed.machine->join(signed_request, worker_.server_us(), effects_);
  if (!joined) return joined;
  const auto before = homed.seats.find(joined->id);
  if (before != homed.seats.end()) {
    close_connection(homed, joined->id, before->second, close_code::connected_elsewhere);
    take_seat_away(homed, joined->id);
  }
  seat.connection = joined->connection;
  homed.seats[joined->id] = seat;
  if (seat.node == 0) {
    ++homed.members_on[seat.worker];
  } else {
    ++homed.remotes[seat.node - 1].members;
    ++homed.remote_members;
  }
  return joined;
}

void SessionHome::take_seat_away(Homed& homed, MemberId member) noexcept {
  const auto found = homed.seats.find(member);
  if (found == homed.seats.end()) return;
  const Seat& seat = found->second;
  if (seat.node == 0) {
    --homed.members_on[seat.worker];
  } else {
    --homed.remotes[seat.node - 1].members;
    --homed.remote_members;
  }
  homed.seats.erase(found);
  if (homed.seats.empty()) homed.empty_since_us = worker_.monotonic_us();
}

void SessionHome::join_found(Homed& homed, const JoinOrder& order) noexcept {
  const Seat seat{.worker = order.from_worker, .peer = order.from_peer, .connection = {}};
  const auto joined = let_in(homed, order.request, seat);
  if (!joined) {
    const bool is_full = joined.error() == SessionMachine::JoinRefusal::full;
    answer_error(order.from_worker, order.from_peer,
                 is_full ? session_full_fault : session_not_found_fault);
  } else {
    begin_websocket(homed.key, homed.seats[joined->id], joined->id,
                    make_frame(WebSocketOpcode::text, write_welcome(homed, joined->id)));
  }
  settle(homed);
}

void SessionHome::begin_websocket(const Uuid& key, const Seat& seat, MemberId member,
                                  const BufferRef& welcome) noexcept {
  Worker* worker = worker_.service().workers[seat.worker];
  worker_.run_on(seat.worker, [worker, home = this, key, peer_handle = seat.peer, member,
                               connection = seat.connection, welcome]() noexcept {
    Connection* peer = worker->find_connection(peer_handle);
    if (peer != nullptr && peer->is_awaiting_answer()) {
      peer->begin_websocket(key, member, connection, welcome);
      return;
    }
    // It is gone already: the session has to hear of it.
    worker->run_on(worker->service().worker_of(key), [home, key, member, connection]() noexcept {
      home->on_leave(key, member, connection);
    });
  });
}

void SessionHome::on_leave(const Uuid& key, MemberId member, ConnectionNumber connection) noexcept {
  const auto known = sessions_.find(key);
  if (known == sessions_.end()) return worker_.outposts().left(key, member, connection);
  Homed& homed = *known->second;
  const auto seat = homed.seats.find(member);
  if (seat != homed.seats.end() && seat->second.connection == connection) {
    take_seat_away(homed, member);
  }
  homed.machine->leave(member, connection, worker_.server_us(), effects_);
  settle(homed);
}

void SessionHome::on_message(const Uuid& key, MemberId member,
                             const ClientMessage& message) noexcept {
  const auto known = sessions_.find(key);
  if (known == sessions_.end()) return worker_.outposts().said(key, member, message);
  Homed& homed = *known->second;
  const std::int64_t now_us = worker_.server_us();
  if (const auto* load = std::get_if<LoadMessage>(&message)) {
    homed.machine->handle_load(member, choose_video(load->video), now_us, effects_);
  } else {
    homed.machine->handle(member, message, now_us, effects_);
  }
  if (std::holds_alternative<ReactionMessage>(message)) await_turn_end(homed);
  settle(homed);
}

void SessionHome::await_turn_end(Homed& homed) noexcept {
  if (std::exchange(homed.is_talking, true)) return;
  talking_.push_back(&homed);
}

void SessionHome::on_turn_end() noexcept {
  for (std::size_t i = 0; i < talking_.size(); ++i) {
    Homed& homed = *talking_[i];
    homed.is_talking = false;
    homed.machine->flush_turn(effects_);
    carry_out(homed);
    commit(homed);
  }
  talking_.clear();
}

// --- After the machine ---------------------------------------------------------------------------

void SessionHome::settle(Homed& homed) noexcept {
  carry_out(homed);
  commit(homed);
  if (homed.is_over) return forget(homed);
  if (const auto heir = better_home(homed)) return hand_over(homed, *heir);
  arm_timer(homed);
}

// What other nodes' members are to hear travels with the change that it tells of.
void SessionHome::commit(Homed& homed) noexcept {
  if (homed.machine->ended()) return;
  if (homed.machine->take_durable_changed()) {
    return store(homed, is_alone() ? Uuid{} : worker_.service().nodes->self());
  }
  if (BufferRef cast = take_cast(homed)) {
    worker_.store().publish(homed.key, std::move(cast), [](Result<std::uint32_t>) noexcept {});
  }
}

// The answer is not waited for: changes leave in order, each expects the one before it.
void SessionHome::store(Homed& homed, const Uuid& home) noexcept {
  homed.touched_us = worker_.monotonic_us();
  const StoreVersion expected = homed.version;
  homed.version = {homed.machine->state().epoch, expected.revision + 1};
  const BufferRef cast = take_cast(homed);
  worker_.store().change(
      homed.key, expected, homed.version, encode_stored_session({home, homed.machine->encode()}),
      store_ttl_us(), cast,
      [this, key = homed.key, cast](Result<> result) noexcept { on_stored(key, cast, result); });
}

// A store that takes no changes (out of memory) may still carry what is said.
void SessionHome::on_stored(const Uuid& key, const BufferRef& cast,
                            const Result<>& result) noexcept {
  const auto known = sessions_.find(key);
  if (known == sessions_.end()) return;  // it has ended or moved meanwhile
  if (result) return set_unsaved(key, "");
  switch (result.error().code) {
    case ErrorCode::conflict:
      log_warn("session", "another node has taken the session over");
      return move_out(key, Uuid{}, known->second->machine->state().epoch);
    case ErrorCode::not_found: {
      Homed& homed = *known->second;
      homed.machine->end(worker_.server_us(), effects_);
      return settle(homed);
    }
    default:
      set_unsaved(key, result.error().message);
      if (cast) worker_.store().publish(key, cast, [](Result<std::uint32_t>) noexcept {});
  }
}

// Such a session lives in memory only, until it can be stored again.
void SessionHome::set_unsaved(const Uuid& key, std::string why) noexcept {
  const bool was_empty = unsaved_.empty();
  if (why.empty()) {
    if (unsaved_.erase(key) == 0) return;
  } else if (unsaved_.insert(key).second && was_empty) {
    log_warn("session", "a change could not be stored", field("why", why));
  }
  if (was_empty == unsaved_.empty() || is_alone()) return;
  worker_.service().nodes->report_unsaved(worker_, std::move(why));
}

void SessionHome::carry_out(Homed& homed) noexcept {
  for (std::size_t i = 0; i < effects_.size(); ++i) {
    std::visit([&](const auto& effect) noexcept { carry(homed, effect); }, effects_[i]);
  }
  effects_.clear();
}

void SessionHome::arm_timer(Homed& homed) noexcept {
  const std::int64_t now_us = worker_.server_us();
  std::int64_t wait_us = homed.machine->next_deadline_us() - now_us;
  // While somebody is there the store has to hear of it now and then.
  const std::int64_t touch_us = store_ttl_us() / 4;
  if (!homed.seats.empty()) wait_us = std::min(wait_us, touch_us);
  if (homed.seats.empty() && !is_alone()) {
    const std::int64_t empty_us = worker_.monotonic_us() - homed.empty_since_us;
    wait_us = std::min(wait_us, std::max<std::int64_t>(release_after_us - empty_us, 0));
  }
  Reactor& reactor = worker_.reactor();
  const std::int64_t wait_ms = std::max<std::int64_t>(0, (wait_us + 999) / 1'000);
  const std::int64_t deadline_ms = reactor.now_ms() + wait_ms;
  if (homed.timer.is_armed() && homed.timer.deadline_ms == deadline_ms) return;
  reactor.timers().schedule(homed.timer, deadline_ms);
}

void SessionHome::on_timer(Homed& homed) noexcept {
  if (worker_.monotonic_us() - homed.touched_us >= store_ttl_us() / 4) {
    homed.touched_us = worker_.monotonic_us();
    worker_.store().touch(homed.key, store_ttl_us(), [](Result<>) noexcept {});
  }
  homed.machine->tick(worker_.server_us(), effects_);
  settle(homed);
}

void SessionHome::forget(Homed& homed) noexcept {
  worker_.metrics().count(Counter::sessions_ended);
  worker_.metrics().add(Gauge::sessions, -1);
  if (homed.is_talking) std::erase(talking_, &homed);
  const Uuid key = homed.key;
  const StoreVersion last{homed.machine->state().epoch, homed.version.revision + 1};
  BufferRef cast = take_cast(homed);
  set_unsaved(key, "");
  sessions_.erase(key);
  remove({key, last, std::move(cast)});
}

// What has ended stays so: where the store is away it is told when it is back.
void SessionHome::remove(const Removal& removal) noexcept {
  worker_.store().remove(
      removal.key, removal.last, removal.event, [this, removal](Result<> result) noexcept {
        const bool is_done = result || result.error().code == ErrorCode::conflict ||
                             result.error().code == ErrorCode::not_found;
        if (!is_done && !is_alone()) unremoved_.push_back(removal);
      });
}

}  // namespace videosync
