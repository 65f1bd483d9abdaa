// Who is a session's home, asked of the store, and becoming it.
#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "server/session/directory_impl.h"

namespace videosync {

using Impl = SessionDirectory::Impl;
using Phase = Outpost::Phase;

namespace {

// In this time after the store's return the homes have written back what it may have lost.
constexpr std::int64_t write_back_us = 800'000;
// By then whoever has members of a session whose home has died with the store's data has taken it.
constexpr std::int64_t known_after_us = 3'500'000;
// A store that takes longer has been of no use to anybody meanwhile.
constexpr std::int64_t hang_us = 500'000;

// Ids that the record knows nothing of may have been given out, and not by one home alone: far from
// them, where nobody else goes on.
std::uint32_t skipped_ids(const SessionRecord& record, std::uint64_t fence) noexcept {
  constexpr std::uint32_t blocks_max = 1'024;
  if (record.next_member_id > UINT32_MAX / 2) return 0;
  return (1 + static_cast<std::uint32_t>(mix(fence) % blocks_max)) * SessionMachine::reserved_ids;
}

}  // namespace

bool Impl::is_absent(const Uuid& home) const noexcept {
  return home == Uuid{} || home == self() || dead_.contains(home);
}

bool Impl::is_store_returning(const Uuid& key) const noexcept {
  const std::int64_t returned_us = presence_.times_of(slot_of(key)).returned_us;
  return returned_us > 0 && now_us() - returned_us < write_back_us;
}

bool Impl::may_have_gone_back(const Uuid& key) const noexcept {
  const std::int64_t returned_us = presence_.times_of(slot_of(key)).returned_us;
  return returned_us > 0 && now_us() - returned_us < StorePresence::gone_back_us;
}

// Others have what they have not stored because a part of the store is away, or was: where that
// is so, it is what lies there, and the rest of the store has gone on.
bool Impl::is_lack_thinkable(std::uint16_t slot) const noexcept {
  if (!presence_.has_parts()) return true;
  return now_us() - presence_.times_of(slot).ready_us < StorePresence::gone_back_us;
}

// A node that has just come does not know what the store had before.
bool Impl::may_be_written_back(std::uint16_t slot) const noexcept {
  if (is_alone()) return false;
  if (!presence_.has_slot(slot)) return true;
  if (may_store_lack_ && is_lack_thinkable(slot)) return true;
  return now_us() - presence_.times_of(slot).ready_us < known_after_us;
}

// While it hung, homes could not write back, nor nodes take over: the time given them begins anew.
void Impl::note_answer(std::int64_t asked_us) noexcept {
  VS_ASSERT(asked_us <= now_us());
  if (now_us() - asked_us < hang_us) return;
  presence_.on_slow_answer(asked_us, now_us(), write_back_us, known_after_us);
}

// --- Who is home ---------------------------------------------------------------------------------

void Impl::look(Residence& residence) noexcept {
  Outpost& outpost = residence.away();
  VS_ASSERT(depth_ > 0);
  VS_ASSERT(!is_alone());
  if (outpost.phase == Phase::looking || outpost.phase == Phase::taking) return;
  if (unremoved_.contains(residence.key)) return on_ended(residence);
  outpost.phase = Phase::looking;
  ports_.store.load(
      residence.key,
      answered<StoredValue>([this, key = residence.key](const Result<StoredValue>& value) noexcept {
        on_looked(key, value);
      }));
}

// The store has refused, or is about to be lost; or somebody is about to be home.
void Impl::look_later(Residence& residence) noexcept {
  Outpost& outpost = residence.away();
  VS_ASSERT(outpost.phase != Phase::taking);
  outpost.phase = Phase::idle;
  look_later_.push_back(residence.key);
}

void Impl::on_looked(const Uuid& key, const Result<StoredValue>& value) noexcept {
  Residence* residence = find(key);
  if (residence == nullptr || residence->home) return;
  Outpost& outpost = residence->away();
  if (outpost.phase != Phase::looking) return;
  outpost.phase = Phase::idle;
  VS_ASSERT(depth_ > 0);
  if (!value) {
    if (value.error().code == ErrorCode::not_found) return on_unknown(*residence);
    if (value.error().code == ErrorCode::conflict) return on_ended(*residence);
    refuse_asks(*residence, SessionFault::unavailable);
    look_later(*residence);
    return drop_if_idle(*residence);
  }
  if (!is_version(value->version)) {
    // Nobody can write above it, or knows what it is: it is as if the store failed.
    log_error("session", "a stored session has an impossible version");
    refuse_asks(*residence, SessionFault::unavailable);
    look_later(*residence);
    return drop_if_idle(*residence);
  }
  auto stored = decode_stored_session(value->bytes.text());
  if (!stored) {
    log_error("session", "a stored session cannot be read", field("why", stored.error().message));
    return on_unknown(*residence, value->version);
  }
  if (value->queue) stored->queue = read_queue(value->queue.text());
  on_found(*residence, *value, std::move(*stored));
}

void Impl::on_found(Residence& residence, const StoredValue& value, StoredSession stored) noexcept {
  Outpost& outpost = residence.away();
  VS_ASSERT(outpost.phase == Phase::idle);
  VS_ASSERT(is_version(value.version));
  outpost.unknown_since_us = 0;
  const StoreVersion known{outpost.line_fence, outpost.revision};
  const bool is_behind = !outpost.record.empty() && known > value.version;
  // It has lost the latest (a failover does): whoever is home brings it back, or else this node.
  const bool is_home_newer = outpost.fence > value.version.fence || is_behind;
  if (is_home_newer && !is_absent(outpost.home)) {
    return settle_on(residence, outpost.home, outpost.fence);
  }
  if (!is_behind && !is_absent(stored.home)) {
    return settle_on(residence, stored.home, value.version.fence);
  }
  if (!outpost.needs_home()) {
    if (is_behind) leave_copy(residence);
    return answer_infos(residence, stored.record);
  }
  // What was lost with an older copy its home is about to write back, and then there is nothing to
  // take over.
  if (stored.home != self() && is_store_returning(residence.key)) return look_later(residence);
  const Uuid written_by = stored.home;
  if (!is_behind) return take_over(residence, value.version, stored, written_by, nullptr);
  auto own = decode_stored_session(outpost.record);
  if (!own) return take_over(residence, value.version, stored, written_by, nullptr);
  own->queue = outpost.queue;
  take_over(residence, known, *own, written_by, &own->queue);
}

// The store does not have it. While its home lives, or anybody has members of it, that is no end.
// `unreadable`: it has what cannot be read, in that version, which is then written over.
void Impl::on_unknown(Residence& residence, StoreVersion unreadable) noexcept {
  Outpost& outpost = residence.away();
  VS_ASSERT(outpost.phase == Phase::idle);
  if (!outpost.record.empty() && !is_absent(outpost.home)) {
    return settle_on(residence, outpost.home, outpost.fence);
  }
  const bool is_known_here = !outpost.record.empty();
  const bool may_come = is_known_here ? is_store_returning(residence.key)
                                      : may_be_written_back(slot_of(residence.key));
  if (may_come) return look_later(residence);
  if (auto own = decode_stored_session(outpost.record); is_known_here && own) {
    own->queue = outpost.queue;
    if (outpost.needs_home()) {
      const StoreVersion known{outpost.line_fence, outpost.revision};
      return take_over(residence, std::max(known, unreadable), *own, own->home, &own->queue);
    }
    leave_copy(residence);
    return answer_infos(residence, own->record);
  }
  on_ended(residence);
}

void Impl::on_ended(Residence& residence) noexcept {
  return_foreign(residence);
  refuse_asks(residence, SessionFault::not_found);
  VS_ASSERT(residence.away().asks.empty());
  close_outpost(residence, close_code::session_ended);
}

// It is over: nobody is to bring it back from what this node knows of it.
void Impl::close_outpost(Residence& residence, std::uint16_t code) noexcept {
  Outpost& outpost = residence.away();
  outpost.record.clear();
  outpost.needs_farewell = false;
  close_all_here(residence.key, outpost.members_on, code);
  outpost.members.clear();
  outpost.members_sum = 0;
  outpost.assert_sound();
  drop_if_idle(residence);
}

// To the nodes that took this one for the home: they look again.
void Impl::return_foreign(Residence& residence) noexcept {
  for (const node::Envelope& envelope : std::exchange(residence.outpost->foreign, {})) {
    send(envelope.from, residence.key, residence.outpost->fence, node::Returned{encode(envelope)});
  }
}

// Nobody has it open: what the record says is all there is. Everybody may have left it shortly
// before its home went; whoever opens it next finds it so, in an order of its own.
void Impl::answer_infos(Residence& residence, const SessionRecord& record) noexcept {
  Outpost& outpost = residence.away();
  VS_ASSERT(!outpost.needs_home());  // so nobody asks for anything else
  outpost.needs_farewell = false;
  const PlaybackState state = SessionMachine::state_as_left(ports_.limits, record, server_us());
  for (const Asks::Ask& ask : outpost.asks.take_all()) {
    SessionInfo info{residence.key, record.settings, 0, state};
    tell_more(info, ask.proof, record);
    answer(ask.from, std::move(info));
  }
  drop_if_idle(residence);
}

void Impl::settle_on(Residence& residence, const Uuid& home, std::uint64_t fence) noexcept {
  VS_ASSERT(!is_absent(home));
  Outpost& outpost = residence.away();
  VS_ASSERT(outpost.phase != Phase::taking);
  if (outpost.home != home || outpost.fence < fence) {
    outpost.outbox.doubt(dead_.contains(outpost.home));
    outpost.home = home;
    outpost.fence = std::max(outpost.fence, fence);
    outpost.casts = 0;
    outpost.knows_casts = false;
    outpost.has_missed = !outpost.members.empty();
    outpost.needs_enroll = true;
    porch_.hurry(residence.key, now_us());
    to_nodes([home](NodePort& nodes) noexcept { nodes.watch(home); });
  }
  return_foreign(residence);
  VS_ASSERT(outpost.home == home);
  VS_ASSERT(outpost.foreign.empty());
  if (outpost.is_following || !outpost.needs_home()) {
    outpost.phase = Phase::settled;
    return speak(residence);
  }
  // Only who hears the session may join it: nothing that follows the welcome is to be missed.
  if (std::exchange(outpost.phase, Phase::following) == Phase::following) return;
  ports_.store.follow(residence.key,
                      answered([this, key = residence.key](const Result<>& done) noexcept {
                        on_followed(key, done);
                      }));
}

void Impl::on_followed(const Uuid& key, const Result<>& done) noexcept {
  Residence* residence = find(key);
  if (residence == nullptr || residence->home) return ports_.store.unfollow(key);
  Outpost& outpost = residence->away();
  if (!done) {
    // It would last, and nobody would know of it.
    if (!outpost.is_following) ports_.store.unfollow(key);
    if (outpost.phase != Phase::following) return;
    refuse_asks(*residence, SessionFault::unavailable);
    look_later(*residence);
    return drop_if_idle(*residence);
  }
  outpost.is_following = true;
  if (outpost.phase != Phase::following) return drop_if_idle(*residence);
  outpost.phase = Phase::settled;
  outpost.assert_sound();
  speak(*residence);
}

// --- Writing over another home -------------------------------------------------------------------

// Who is home by the record that the next write, at `fence`, is about to replace; nil where its
// fence is no lower. To be asked right before that write, so it is known when that is answered.
std::shared_ptr<const Uuid> Impl::ask_beneath(const Uuid& key, std::uint64_t fence) noexcept {
  auto home = std::make_shared<Uuid>();
  if (is_alone()) return home;
  ports_.store.load(key,
                    answered<StoredValue>([home, fence](const Result<StoredValue>& value) noexcept {
                      if (!value || value->version.fence >= fence) return;
                      if (const auto stored = decode_stored_session(value->bytes.text()))
                        *home = stored->home;
                    }));
  return home;
}

// It may be there, at rest, and would not hear of it before its next change: it is to look. That it
// is taken for dead here says nothing, for it may have been on the other side of a failover.
void Impl::tell_beneath(const Uuid& home, const Uuid& key, std::uint64_t fence) noexcept {
  if (home != Uuid{} && home != self()) send(home, key, fence, node::Returned{});
}

// --- Becoming the home ---------------------------------------------------------------------------

// `written_by`: who was home by what the store has; it is told, and may be another than that of
// `from`. queue: as of bytes_of().
void Impl::take_over(Residence& residence, StoreVersion known, const StoredSession& from,
                     const Uuid& written_by, const Queue* queue) noexcept {
  Outpost& outpost = residence.away();
  VS_ASSERT(outpost.needs_home());
  VS_ASSERT(outpost.phase == Phase::idle);
  // Who is about to go would only hand it on again: whoever asks may take it, from what is known
  // here if the store has nothing better.
  if (ports_.around.is_draining() && outpost.members.empty()) {
    leave_copy(residence);
    outpost.needs_farewell = false;
    return_foreign(residence);
    refuse_asks(residence, SessionFault::unavailable);
    return drop_if_idle(residence);
  }
  std::vector<MemberInfo> members;
  members.reserve(outpost.everybody.size());
  for (const auto& [id, member] : outpost.everybody)
    if (!outpost.left_here.contains(id)) members.push_back(member);
  const StoreVersion version{next_fence(std::max(known.fence, outpost.fence)), known.revision + 1};
  SessionRecord record = from.record;
  if (may_have_gone_back(residence.key))
    record.next_member_id += skipped_ids(record, version.fence);
  auto machine = SessionMachine::reopen(ports_.limits, record, outpost.told_epoch, version.fence,
                                        members, server_us());
  machine->adopt_queue(from.queue);
  machine->take_durable_changed();
  const std::string bytes =
      encode(StoredSession{.home = self(), .heard = from.heard, .record = machine->record()});
  const std::string moved = encode(node::Envelope{
      .from = self(), .key = residence.key, .fence = version.fence, .message = node::Moved{}});
  outpost.phase = Phase::taking;
  ports_.store.change(
      {residence.key, record.code}, known, version, bytes_of(bytes, queue), store_ttl_us(),
      BufferRef::copy_of(moved),
      answered([this, key = residence.key, version, from, written_by,
                machine = std::move(machine)](const Result<>& result) mutable noexcept {
        on_taken(key, std::move(machine), version, from, written_by, result);
      }));
}

void Impl::on_taken(const Uuid& key, std::unique_ptr<SessionMachine> machine, StoreVersion version,
                    const StoredSession& from, const Uuid& written_by,
                    const Result<>& result) noexcept {
  Residence* residence = find(key);
  VS_ASSERT(residence != nullptr);
  VS_ASSERT(!residence->home);
  VS_ASSERT(residence->outpost->phase == Phase::taking);
  residence->outpost->phase = Phase::idle;
  if (!result) {
    const ErrorCode code = result.error().code;
    if (code == ErrorCode::conflict) return look(*residence);
    if (code == ErrorCode::not_found) return on_ended(*residence);
    refuse_asks(*residence, SessionFault::unavailable);
    look_later(*residence);
    return drop_if_idle(*residence);
  }
  const auto tell = [&](const Uuid& home) noexcept {
    if (home == Uuid{} || home == self()) return;
    send(home, key, version.fence, node::Moved{});
    if (const auto dead = dead_.find(home); dead != dead_.end()) dead->second.push_back(key);
  };
  tell(from.home);
  if (written_by != from.home) tell(written_by);
  become_home(*residence, std::move(machine), version, from.heard);
}

}  // namespace videosync
