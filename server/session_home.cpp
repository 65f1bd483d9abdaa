// SessionHome: finding sessions, their members' events, and what follows every event. The HTTP
// requests are in session_requests.cpp, the effects in session_effects.cpp.
#include "server/session_home.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "server/homed_session.h"
#include "server/worker.h"

namespace videosync {

namespace {

constexpr HttpFault session_full{503, "session_full", "the session has as many members as it may"};

}  // namespace

SessionHome::SessionHome(Worker& worker) noexcept : worker_(worker) {}
SessionHome::~SessionHome() = default;

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
  worker_.service().store.load(
      key, [this, key, found = std::move(found)](Result<StoredValue> value) mutable noexcept {
        if (!value) {
          found(std::unexpected(std::move(value.error())));
          return;
        }
        const auto bytes = value->bytes.bytes();
        auto machine = SessionMachine::decode(
            worker_.service().session_limits,
            {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, worker_.server_us());
        if (!machine) {
          log_error("session", "a stored session cannot be read",
                    field("why", machine.error().message));
          found(fail(ErrorCode::corrupt, "the stored session cannot be read"));
          return;
        }
        // Another load of the same key may have come first.
        const auto known = sessions_.find(key);
        found(known != sessions_.end() ? known->second.get()
                                       : &adopt(key, std::move(*machine), value->version));
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
  find_or_load(order.key, [this, order](Result<Homed*> found) noexcept {
    if (!found) {
      answer_error(order.from_worker, order.from_peer, fault_of(found.error()));
    } else {
      join_found(**found, order);
    }
  });
}

void SessionHome::join_found(Homed& homed, const JoinOrder& order) noexcept {
  const auto joined = homed.machine->join(order.request, worker_.server_us(), effects_);
  if (!joined) {
    const bool is_full = joined.error() == SessionMachine::JoinRefusal::full;
    answer_error(order.from_worker, order.from_peer,
                 is_full ? session_full : session_not_found_fault);
    settle(homed);
    return;
  }
  Seat& seat = homed.seats[joined->id];
  if (joined->displaced) {
    --homed.members_on[seat.worker];
    close_connection(seat, close_code::connected_elsewhere);
  }
  seat = {order.from_worker, order.from_peer, joined->connection};
  ++homed.members_on[seat.worker];
  Worker* worker = worker_.service().workers[order.from_worker];
  worker_.run_on(order.from_worker, [worker, home = this, peer_handle = order.from_peer,
                                     key = homed.key, id = joined->id,
                                     connection = joined->connection,
                                     welcome = make_welcome(homed, joined->id)]() noexcept {
    Peer* peer = worker->find_peer(peer_handle);
    if (peer != nullptr && peer->is_awaiting_answer()) {
      peer->begin_websocket(key, id, connection, welcome);
      return;
    }
    // It is gone already: the machine has to hear of it.
    worker->run_on(worker->service().home_of(key),
                   [home, key, id, connection]() noexcept { home->on_leave(key, id, connection); });
  });
  settle(homed);
}

void SessionHome::on_leave(const Uuid& key, MemberId member, ConnectionNumber connection) noexcept {
  const auto known = sessions_.find(key);
  if (known == sessions_.end()) return;
  Homed& homed = *known->second;
  const auto seat = homed.seats.find(member);
  if (seat != homed.seats.end() && seat->second.connection == connection) {
    --homed.members_on[seat->second.worker];
    homed.seats.erase(seat);
  }
  homed.machine->leave(member, connection, worker_.server_us(), effects_);
  settle(homed);
}

void SessionHome::on_message(const Uuid& key, MemberId member,
                             const ClientMessage& message) noexcept {
  const auto known = sessions_.find(key);
  if (known == sessions_.end()) return;
  Homed& homed = *known->second;
  const std::int64_t now_us = worker_.server_us();
  if (const auto* load = std::get_if<LoadMessage>(&message)) {
    homed.machine->handle_load(member, choose_video(load->video), now_us, effects_);
  } else {
    homed.machine->handle(member, message, now_us, effects_);
  }
  if (std::holds_alternative<ReactionMessage>(message) && !homed.is_talking) {
    homed.is_talking = true;
    talking_.push_back(&homed);
  }
  settle(homed);
}

void SessionHome::on_turn_end() noexcept {
  for (std::size_t i = 0; i < talking_.size(); ++i) {
    Homed& homed = *talking_[i];
    homed.is_talking = false;
    homed.machine->flush_turn(effects_);
    carry_out(homed);
  }
  talking_.clear();
}

// --- After the machine ---------------------------------------------------------------------------

void SessionHome::settle(Homed& homed) noexcept {
  store_changes(homed);
  carry_out(homed);
  if (homed.is_over) {
    forget(homed);
  } else {
    arm_timer(homed);
  }
}

// One change at a time: the next one needs the version that this one makes, and holds whatever
// changed in between.
void SessionHome::store_changes(Homed& homed) noexcept {
  if (homed.is_storing || homed.machine->ended() || !homed.machine->take_durable_changed()) return;
  homed.is_storing = true;
  homed.touched_us = worker_.monotonic_us();
  const BufferRef bytes = BufferRef::copy_of(homed.machine->encode());
  const StoreVersion next{homed.version.epoch, homed.version.revision + 1};
  worker_.service().store.change(homed.key, homed.version, next, bytes, store_ttl_us(), {},
                                 [this, key = homed.key, next](Result<> stored) noexcept {
                                   on_stored(key, stored
                                                      ? Result<StoreVersion>(next)
                                                      : std::unexpected(std::move(stored.error())));
                                 });
}

void SessionHome::on_stored(const Uuid& key, const Result<StoreVersion>& version) noexcept {
  const auto known = sessions_.find(key);
  if (known == sessions_.end()) return;  // it has ended meanwhile
  Homed& homed = *known->second;
  homed.is_storing = false;
  if (version) {
    homed.version = *version;
  } else {
    log_error("session", "a change could not be stored", field("why", version.error().message));
  }
  store_changes(homed);
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
  Reactor& reactor = worker_.reactor();
  const std::int64_t wait_ms = std::max<std::int64_t>(0, (wait_us + 999) / 1'000);
  const std::int64_t deadline_ms = reactor.now_ms() + wait_ms;
  if (homed.timer.is_armed() && homed.timer.deadline_ms == deadline_ms) return;
  reactor.timers().schedule(homed.timer, deadline_ms);
}

void SessionHome::on_timer(Homed& homed) noexcept {
  if (worker_.monotonic_us() - homed.touched_us >= store_ttl_us() / 4) {
    homed.touched_us = worker_.monotonic_us();
    worker_.service().store.touch(homed.key, store_ttl_us(), [](Result<>) noexcept {});
  }
  homed.machine->tick(worker_.server_us(), effects_);
  settle(homed);
}

void SessionHome::forget(Homed& homed) noexcept {
  worker_.metrics().count(Counter::sessions_ended);
  worker_.metrics().add(Gauge::sessions, -1);
  if (homed.is_talking) std::erase(talking_, &homed);
  const Uuid key = homed.key;
  // One more: a change may still be on its way.
  const StoreVersion last{homed.version.epoch, homed.version.revision + 1};
  worker_.service().store.remove(key, last, {}, [](Result<>) noexcept {});
  sessions_.erase(key);
}

}  // namespace videosync
