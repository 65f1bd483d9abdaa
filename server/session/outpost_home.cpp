// SessionOutposts: who is a session's home, asked of the store, and becoming it.
#include <utility>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "proto/websocket/websocket_frames.h"
#include "server/nodes/nodes.h"
#include "server/session/homed_session.h"
#include "server/session/outpost.h"
#include "server/session/stored_session.h"
#include "server/worker.h"

namespace videosync {

namespace {

constexpr int times_unknown_max = 20;  // ticks
// In this time after the store's return the homes have written back what it may have lost.
constexpr std::int64_t write_back_us = 2'000'000;

}  // namespace

// --- Who is home ---------------------------------------------------------------------------------

bool SessionOutposts::is_absent(const Uuid& home) const noexcept {
  return home == Uuid{} || home == worker_.service().nodes->self() || dead_.contains(home);
}

void SessionOutposts::look_again(const Uuid& key) noexcept {
  look(open(key));
}

void SessionOutposts::look(Outpost& outpost) noexcept {
  using Phase = Outpost::Phase;
  if (outpost.phase == Phase::looking || outpost.phase == Phase::taking) return;
  outpost.phase = Phase::looking;
  worker_.store().load(outpost.key, [this, key = outpost.key](Result<StoredValue> value) noexcept {
    on_looked(key, value);
  });
}

void SessionOutposts::look_later(Outpost& outpost) noexcept {
  outpost.phase = Outpost::Phase::idle;
  look_later_.push_back(outpost.key);
}

// The store has refused, or is about to be lost. Members stay, and somebody has to be home.
void SessionOutposts::try_later(Outpost& outpost) noexcept {
  look_later(outpost);
  drop_if_idle(outpost);
}

void SessionOutposts::on_looked(const Uuid& key, const Result<StoredValue>& value) noexcept {
  Outpost* outpost = find(key);
  if (outpost == nullptr || outpost->phase != Outpost::Phase::looking) return;
  outpost->phase = Outpost::Phase::idle;
  if (!value) {
    if (value.error().code == ErrorCode::not_found) return on_unknown(*outpost);
    if (value.error().code == ErrorCode::conflict) return on_ended(*outpost);
    refuse_asks(*outpost, store_away_fault);
    return try_later(*outpost);
  }
  const auto stored = decode_stored_session(value->bytes);
  if (!stored) {
    log_error("session", "a stored session cannot be read", field("why", stored.error().message));
    return on_unknown(*outpost);
  }
  // It has lost the latest (a failover does): whoever is home brings it back.
  const bool is_behind = value->version.fence < outpost->epoch && !is_absent(outpost->home);
  if (is_behind && ++outpost->times_unknown < times_unknown_max) return look_later(*outpost);
  outpost->times_unknown = 0;
  if (!is_absent(stored->home)) return settle_on(*outpost, stored->home);
  if (outpost->needs_home()) return take_over(*outpost, *value, stored->record);
  answer_infos(*outpost, stored->record);
}

// The store may have lost it, and its home may be about to write it back.
void SessionOutposts::on_unknown(Outpost& outpost) noexcept {
  const bool is_returning =
      returned_us_ > 0 && worker_.monotonic_us() - returned_us_ < write_back_us;
  if (is_returning) return look_later(outpost);
  return_foreign(outpost);
  refuse_asks(outpost, session_not_found_fault);
  if (!outpost.members.empty() && ++outpost.times_unknown < times_unknown_max) {
    return look_later(outpost);
  }
  on_ended(outpost);
}

void SessionOutposts::on_ended(Outpost& outpost) noexcept {
  return_foreign(outpost);
  refuse_asks(outpost, session_not_found_fault);
  close_all(outpost, close_code::session_ended);
  drop_if_idle(outpost);
}

// To the nodes that took this one for the home: they look again.
void SessionOutposts::return_foreign(Outpost& outpost) noexcept {
  for (const NodeEnvelope& envelope : std::exchange(outpost.foreign, {}))
    send(envelope.from, outpost.key, Returned{encode(envelope)});
}

// Nobody has it open: what the record says is all there is.
void SessionOutposts::answer_infos(Outpost& outpost, std::string_view bytes) noexcept {
  const auto record = decode_session_record(bytes);
  if (!record) {
    refuse_asks(outpost, session_not_found_fault);
    return drop_if_idle(outpost);
  }
  for (const OutpostAsks::Ask& ask : outpost.asks.take_all()) {
    worker_.home().answer_json(
        ask.from_worker, ask.from_peer, 200,
        worker_.home().describe(outpost.key, record->settings, 0, record->state));
  }
  drop_if_idle(outpost);
}

void SessionOutposts::settle_on(Outpost& outpost, const Uuid& home) noexcept {
  if (outpost.home != home) {
    outpost.home = home;
    outpost.needs_enroll = true;
    worker_.service().nodes->watch(worker_, home);
  }
  return_foreign(outpost);
  if (outpost.is_following || !outpost.needs_home()) {
    outpost.phase = Outpost::Phase::settled;
    return speak(outpost);
  }
  // Only who hears the session may join it: nothing that follows the welcome is to be missed.
  outpost.phase = Outpost::Phase::following;
  worker_.store().follow(outpost.key, [this, key = outpost.key](Result<> done) noexcept {
    Outpost* followed = find(key);
    if (followed == nullptr) return worker_.store().unfollow(key);
    if (!done) {
      // It would last, and nobody would know of it.
      if (!followed->is_following) worker_.store().unfollow(key);
      if (followed->phase != Outpost::Phase::following) return;
      refuse_asks(*followed, store_away_fault);
      return try_later(*followed);
    }
    followed->is_following = true;
    if (followed->phase != Outpost::Phase::following) return;
    followed->phase = Outpost::Phase::settled;
    speak(*followed);
  });
}

// --- Becoming the home ---------------------------------------------------------------------------

void SessionOutposts::take_over(Outpost& outpost, const StoredValue& value,
                                std::string_view bytes) noexcept {
  const auto record = decode_session_record(bytes);
  if (!record) {
    log_error("session", "a stored session cannot be read", field("why", record.error().message));
    return on_unknown(outpost);
  }
  const Service& service = worker_.service();
  std::vector<MemberInfo> known;
  known.reserve(outpost.everybody.size());
  for (const auto& [id, member] : outpost.everybody)
    known.push_back(member);
  auto machine = SessionMachine::reopen(service.session_limits, *record, outpost.epoch, known,
                                        worker_.server_us());
  machine->take_durable_changed();
  const StoreVersion version{machine->state().epoch, value.version.revision + 1};
  const Uuid self = service.nodes->self();
  const BufferRef next = encode_stored_session({self, machine->encode()});
  const BufferRef moved = BufferRef::copy_of(
      encode(NodeEnvelope{.from = self, .key = outpost.key, .message = Moved{version.fence}}));
  const Uuid from = decode_stored_session(value.bytes)->home;
  outpost.phase = Outpost::Phase::taking;
  worker_.store().change(outpost.key, value.version, version, next, worker_.home().store_ttl_us(),
                         moved,
                         [this, key = outpost.key, machine = std::move(machine), version,
                          from](Result<> result) mutable noexcept {
                           on_taken(key, std::move(machine), version, from, result);
                         });
}

void SessionOutposts::on_taken(const Uuid& key, std::unique_ptr<SessionMachine> machine,
                               StoreVersion version, const Uuid& from,
                               const Result<>& result) noexcept {
  Outpost* outpost = find(key);
  VS_ASSERT(outpost != nullptr && outpost->phase == Outpost::Phase::taking);
  outpost->phase = Outpost::Phase::idle;
  if (!result) {
    const ErrorCode code = result.error().code;
    if (code == ErrorCode::conflict) return look(*outpost);
    if (code == ErrorCode::not_found) return on_unknown(*outpost);
    refuse_asks(*outpost, store_away_fault);
    return try_later(*outpost);
  }
  const Uuid self = worker_.service().nodes->self();
  if (from != Uuid{} && from != self) send(from, key, Moved{version.fence});
  // Out of the map first: from here on the session is at home here.
  Closed old = take_apart(key);
  worker_.home().move_in(key, std::move(machine), version, old.members, old.host_told);
  deliver(key, old);
}

}  // namespace videosync
