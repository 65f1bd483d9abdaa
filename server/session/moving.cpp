// From home to outpost and back: a residence is the one or the other, or on its way.
#include <algorithm>
#include <unordered_set>
#include <utility>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "proto/websocket/websocket_frames.h"
#include "server/session/directory_impl.h"

namespace videosync {

using Impl = SessionDirectory::Impl;

namespace {

constexpr std::int64_t stay_us = 1'000'000;  // between two moves of a session
constexpr std::int64_t stuck_us_min = 1'000'000;

}  // namespace

std::int64_t Impl::moves_at_us(const Home& home) noexcept {
  const std::int64_t tried_us = home.stuck_us > 0 ? home.stuck_us + stuck_us_min : 0;
  return std::max(home.moved_us + stay_us, tried_us);
}

std::int64_t Impl::leaves_at_us(const Residence& residence) const noexcept {
  const Home& home = residence.at_home();
  // When the store is back it is looked at again (on_reread); a home that is about to end does so.
  const bool may_leave =
      !is_alone() && presence_.has(residence.key) && !home.is_reread_due && !home.is_ending;
  if (!may_leave) return INT64_MAX;
  const std::int64_t tried_us = home.stuck_us > 0 ? home.stuck_us + stuck_us_min : 0;
  if (ports_.around.is_draining()) {
    const bool has_others = std::ranges::any_of(
        home.remotes, [](const Home::Remote& remote) { return remote.members > 0; });
    return home.seats.empty() || has_others ? tried_us : INT64_MAX;
  }
  if (home.seats.empty()) return std::max(home.empty_since_us + release_after_us, tried_us);
  // Where the host is: its commands then go on working while the store is away.
  const auto host = home.seats.find(home.machine->host());
  const bool is_elsewhere = host != home.seats.end() && host->second.node > 0;
  return is_elsewhere ? moves_at_us(home) : INT64_MAX;
}

// Says where the session had better live, none: in the store; nothing: here.
std::optional<Uuid> Impl::better_home(const Residence& residence) const noexcept {
  if (now_us() < leaves_at_us(residence)) return std::nullopt;
  const Home& home = residence.at_home();
  if (home.seats.empty()) return Uuid{};
  if (ports_.around.is_draining()) {
    return std::ranges::max_element(home.remotes, {}, &Home::Remote::members)->node;
  }
  return home.remote_at(home.seats.find(home.machine->host())->second).node;
}

void Impl::begin_drain() noexcept {
  if (is_alone()) return;
  std::vector<Uuid> keys;
  for (const auto& [key, residence] : residences_)
    if (residence->is_home()) keys.push_back(key);
  VS_ASSERT(effects_.empty());
  for (const Uuid& key : keys) {
    Residence* residence = find(key);
    if (residence != nullptr && residence->is_home()) settle(*residence);
  }
}

// The members here are told what they have not yet heard: who takes over knows nothing of it.
void Impl::flush(Residence& residence) noexcept {
  SessionMachine& machine = *residence.at_home().machine;
  machine.flush_turn(effects_);
  machine.flush_presence(effects_);
  carry_out(residence);
  VS_ASSERT(effects_.empty());
}

// What the members here know of the session goes with them.
Outpost& Impl::make_outpost(Residence& residence) noexcept {
  const Home& home = residence.at_home();
  VS_ASSERT(!home.is_talking);
  VS_ASSERT(!residence.timer.is_armed());
  const SessionMachine& machine = *home.machine;
  residence.outpost = std::make_unique<Outpost>(ports_.workers);
  Outpost& outpost = residence.outpost_part();
  for (const auto& [id, seat] : home.seats) {
    if (!seat.is_here()) continue;
    const auto info = machine.info(id);
    add_member(residence, id,
               {seat.at(), seat.number, info ? info->name : "", machine.browser_of(id)});
  }
  for (const MemberInfo& member : machine.members())
    remember(outpost, member);
  outpost.fence = outpost.line_fence = home.version.fence;
  outpost.revision = home.version.revision;
  outpost.commands = machine.commands();
  outpost.record = encode(stored(home, self()));
  outpost.code = machine.code();
  outpost.told_epoch = machine.state().epoch;
  outpost.told_seq = machine.state().seq;
  outpost.video = machine.state().video;
  outpost.host_told = machine.host();
  outpost.chat = machine.chat();
  outpost.queue = machine.queue();
  outpost.queue_epoch = machine.state().epoch;
  outpost.needs_enroll = true;
  outpost.assert_sound();
  return outpost;
}

// --- Handing over --------------------------------------------------------------------------------

// The record names the heir (nil: nobody). It is told when the store has taken that; until then
// whatever comes waits here.
void Impl::hand_over(Residence& residence, const Uuid& heir) noexcept {
  VS_ASSERT(residence.is_home());
  VS_ASSERT(heir != self());
  VS_ASSERT(!is_alone());
  VS_ASSERT(!residence.home->is_over);
  flush(residence);
  stop_talking(residence);
  if (residence.timer.is_armed()) ports_.timers.cancel(residence.timer);
  set_unsaved(residence.key, "");
  Home& home = residence.at_home();
  const StoreVersion expected = home.version;
  ++home.version.revision;
  home.is_queue_unstored = home.machine->take_queue_changed() || home.is_queue_unstored;
  SessionBytes bytes = bytes_of(encode(stored(home, heir)),
                                home.is_queue_unstored ? &home.machine->queue() : nullptr);
  const std::int64_t ttl_us = heir == Uuid{} ? ports_.session_ttl_us : store_ttl_us();
  home.is_remade = true;
  BufferRef cast = take_cast(residence);
  make_outpost(residence);
  ++moving_;
  ports_.store.change(name_of(residence), expected, home.version, std::move(bytes), ttl_us,
                      std::move(cast),
                      answered([this, key = residence.key, heir](const Result<>& result) noexcept {
                        on_handed_over(key, heir, result);
                      }));
}

void Impl::on_handed_over(const Uuid& key, const Uuid& heir, const Result<>& result) noexcept {
  Residence* residence = find(key);
  VS_ASSERT(residence != nullptr);
  VS_ASSERT(residence->kind() == Residence::Kind::moving);
  VS_ASSERT(moving_ > 0);
  --moving_;
  if (!result) {
    const ErrorCode code = result.error().code;
    // The store is away: the session stays here.
    if (code != ErrorCode::conflict && code != ErrorCode::not_found) {
      return stay_home(*residence, result.error());
    }
  }
  const std::uint64_t fence = residence->home_part().version.fence;
  residence->home.reset();
  ports_.metrics.add(Gauge::sessions, -1);
  if (result && heir != Uuid{} && !is_absent(heir)) {
    send(heir, key, fence, node::Take{});
    return settle_on(*residence, heir, fence);
  }
  if (!residence->away().is_idle()) return look(*residence);
  return result ? drop_if_idle(*residence) : erase(*residence);
}

// The machine goes on with those of its members that are still there.
void Impl::stay_home(Residence& residence, const Error& why) noexcept {
  const std::unique_ptr<Outpost> before = std::move(residence.outpost);
  VS_ASSERT(before != nullptr);
  VS_ASSERT(effects_.empty());
  Home& home = residence.at_home();
  home.stuck_us = now_us();
  if (home.is_reread_due && presence_.has(residence.key)) write_back_.push_back(residence.key);
  set_unsaved(residence.key, why.message);
  std::vector<std::pair<MemberId, ConnectionNumber>> gone;
  for (const auto& [id, seat] : home.seats) {
    const auto still = before->members.find(id);
    const bool is_here = still != before->members.end() && still->second.number == seat.number;
    if (seat.is_here() && !is_here) gone.emplace_back(id, seat.number);
  }
  for (const auto& [id, number] : gone) {
    unseat(home, id);
    home.machine->leave(id, number, server_us(), effects_);
  }
  learn_length(*home.machine);
  const Uuid key = residence.key;
  settle(residence);
  hand_waiting_to_home(key, *before);
}

// Another node has become the home: the members here go on from an outpost.
void Impl::superseded(Residence& residence) noexcept {
  VS_ASSERT(residence.is_home());
  flush(residence);
  stop_talking(residence);
  if (residence.timer.is_armed()) ports_.timers.cancel(residence.timer);
  set_unsaved(residence.key, "");
  make_outpost(residence);
  residence.home.reset();
  ports_.metrics.add(Gauge::sessions, -1);
  if (residence.away().members.empty()) return erase(residence);
  look(residence);
}

// --- Becoming the home ---------------------------------------------------------------------------

// For members of an outpost that has become the home: all there are, and who is not known any more.
MembersEffect Impl::who_is_there(const SessionMachine& machine, const Outpost& before) {
  MembersEffect told{.count = machine.member_count(),
                     .ready = machine.ready_count(),
                     .joined = machine.members(),
                     .left = {},
                     .changed = {},
                     .host_away = machine.host_away()};
  if (told.joined.size() < told.count) return told;
  std::unordered_set<MemberId> there;
  for (const MemberInfo& member : told.joined)
    there.insert(member.id);
  for (const auto& [id, member] : before.everybody) {
    if (told.left.size() < member_list_max && !there.contains(id)) told.left.push_back(member);
  }
  return told;
}

// `machine` is stored as `version`; the members here move in.
void Impl::become_home(Residence& residence, std::unique_ptr<SessionMachine> machine,
                       StoreVersion version, const std::vector<node::Heard>& heard) noexcept {
  VS_ASSERT(residence.kind() == Residence::Kind::outpost);
  VS_ASSERT(effects_.empty());
  unfollow(residence);
  const std::unique_ptr<Outpost> before = std::move(residence.outpost);
  Home& home = adopt(residence, std::move(machine), version);
  home.machine->learn_chat(before->chat);
  before->outbox.doubt(dead_.contains(before->home));
  for (const node::Heard& from : heard) {
    if (from.node == self()) {
      settle_heard(*before, from, UINT64_MAX);
      home.own_heard = from.number;
      continue;
    }
    Home::Remote& remote = home.remote_at(place_of(home, from.node));
    remote.heard = from.number;
    remote.refused = from.refused;
  }
  // What waits here is carried out here, or refused: nobody does it again from a copy on its way.
  home.own_heard = std::max(home.own_heard, before->outbox.newest());
  for (const auto& [id, member] : before->members) {
    home.machine->enroll({id, member.number, member.name, member.browser}, server_us(), effects_);
    if (home.machine->connection_of(id) == member.number) {
      seat(residence.key, home, id, Seat::here(member.at, member.number));
    } else {
      ports_.delivery.close(member.at, close_code::connected_elsewhere);
    }
  }
  // In the new epoch, whatever somebody may have heard of the old one.
  std::string text;
  encode_state(text, home.machine->state());
  broadcast(residence, text, SendClass::latest);
  text.clear();
  encode_settings(text, home.machine->settings());
  broadcast(residence, text, SendClass::reliable);
  if (home.machine->queue().version() > 0 || before->queue.version() > 0) {
    broadcast_queue(residence.key, home.members_on, home.machine->queue(),
                    home.machine->state().epoch);
    carry(residence, UpNextEffect{home.machine->up_next()});
  }
  // One word of who is host, by now.
  effects_.erase_if(
      [](const Effect& effect) noexcept { return std::holds_alternative<HostEffect>(effect); });
  const HostEffect host{home.machine->state().epoch, home.machine->host(),
                        home.machine->host_reason()};
  const bool is_host_news = before->host_told != host.host || before->is_host_unsure;
  if (before->host_told && is_host_news) carry(residence, host);
  // Not all of them have heard of all whom this node knows. It is news to nobody afterwards: what
  // has changed meanwhile comes before it.
  flush(residence);
  text.clear();
  encode_members(text, who_is_there(*home.machine, *before));
  broadcast(residence, text, SendClass::droppable);
  learn_length(*home.machine);
  home.assert_sound();
  judge_undone(residence, *before);
  const Uuid key = residence.key;
  porch_.hurry(key, now_us());
  settle(residence);
  refuse_sayings(*before, before->outbox.settle_doubts());
  hand_waiting_to_home(key, *before);
}

// Each as if it came now: the home may be on its way again.
void Impl::hand_waiting_to_home(const Uuid& key, Outpost& before) noexcept {
  VS_ASSERT(effects_.empty());
  VS_ASSERT(depth_ > 0);
  for (Asks::Ask& ask : before.asks.take_all()) {
    if (ask.kind == Asks::Ask::Kind::join) {
      join(key, std::move(ask.request), ask.from);
    } else if (ask.kind == Asks::Ask::Kind::info) {
      info(key, ask.proof, ask.from);
    } else {
      end(key, ask.host_token, ask.from);
    }
  }
  for (const Outbox::Saying& saying : before.outbox.take_all()) {
    Residence* residence = find(key);
    const bool is_late = static_cast<std::uint64_t>(server_us()) >= saying.expires_us;
    if (is_late || residence == nullptr || !residence->is_home()) {
      refuse_saying(before, saying);
    } else {
      carry_out_said(*residence, {.member = saying.member, .text = saying.text});
    }
  }
  VS_ASSERT(before.asks.empty());
  VS_ASSERT(before.outbox.empty());
  for (node::Envelope& envelope : std::exchange(before.foreign, {})) {
    // Whom it names there has left: nobody would hear of it a second time.
    if (!dead_.contains(envelope.from)) to_home(std::move(envelope));
  }
}

}  // namespace videosync
