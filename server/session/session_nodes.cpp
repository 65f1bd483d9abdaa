// SessionHome: sessions that have members on other nodes, and going from node to node.
#include <algorithm>
#include <utility>
#include <variant>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "proto/http/http_response.h"
#include "proto/websocket/websocket_frames.h"
#include "proto/wire/messages.h"
#include "server/http/digest.h"
#include "server/nodes/nodes.h"
#include "server/session/homed_session.h"
#include "server/session/stored_session.h"
#include "server/worker.h"

namespace videosync {

namespace {

constexpr std::int64_t stay_us = 1'000'000;  // between two moves of a session
constexpr std::int64_t retry_us = 1'000'000;
constexpr std::int64_t roll_us = 3'000'000;  // as Nodes::return_us
constexpr std::size_t written_a_tick = 2'000;

}  // namespace

std::uint32_t SessionHome::place_of(Homed& homed, const Uuid& node) noexcept {
  const auto found = std::find_if(homed.remotes.begin(), homed.remotes.end(),
                                  [&](const Homed::Remote& remote) { return remote.node == node; });
  if (found != homed.remotes.end()) {
    return static_cast<std::uint32_t>(found - homed.remotes.begin()) + 1;
  }
  homed.remotes.push_back({.node = node});
  return static_cast<std::uint32_t>(homed.remotes.size());
}

// --- From other nodes ----------------------------------------------------------------------------

void SessionHome::handle(NodeEnvelope envelope) noexcept {
  const auto known = sessions_.find(envelope.key);
  VS_ASSERT(known != sessions_.end());
  Homed& homed = *known->second;
  if (const auto* join = std::get_if<JoinAsk>(&envelope.message)) {
    on_join_ask(homed, envelope, *join);
  } else if (const auto* leave = std::get_if<Leave>(&envelope.message)) {
    on_leave(homed.key, leave->member, leave->connection);
  } else if (const auto* said = std::get_if<Said>(&envelope.message)) {
    on_said(homed, envelope.from, *said);
  } else if (const auto* info = std::get_if<InfoAsk>(&envelope.message)) {
    const SessionMachine& machine = *homed.machine;
    answer_node(envelope, info->peer, 200,
                describe(homed.key, machine.settings(), machine.member_count(), machine.state()));
  } else if (const auto* end = std::get_if<DeleteAsk>(&envelope.message)) {
    on_delete_ask(homed, envelope, *end);
  } else if (const auto* enroll = std::get_if<Enroll>(&envelope.message)) {
    on_enroll(homed, envelope.from, *enroll);
  }
}

void SessionHome::answer_node(const NodeEnvelope& to, const PeerRef& peer, int status,
                              std::string body) noexcept {
  worker_.outposts().send(to.from, to.key,
                          Answer{peer, static_cast<std::uint16_t>(status), std::move(body), {}});
}

void SessionHome::on_join_ask(Homed& homed, const NodeEnvelope& envelope,
                              const JoinAsk& ask) noexcept {
  SessionMachine::JoinRequest request;
  request.name = ask.name;
  request.resume = ask.resume;
  request.host_token = ask.host_token;
  const MemberId host_before = homed.machine->host();
  Seat seat;
  seat.node = place_of(homed, envelope.from);
  const auto joined = let_in(homed, request, seat);
  if (!joined) {
    const bool is_full = joined.error() == SessionMachine::JoinRefusal::full;
    const HttpFault& fault = is_full ? session_full_fault : session_not_found_fault;
    std::string body;
    append_error_body(body, fault.code, fault.message);
    answer_node(envelope, ask.peer, fault.status, std::move(body));
  } else {
    worker_.outposts().send(
        envelope.from, homed.key,
        JoinAnswer{ask.peer, joined->id, joined->connection,
                   std::string(write_welcome(homed, joined->id)), homed.machine->members(),
                   host_before ? std::optional(host_before) : std::nullopt});
  }
  settle(homed);
}

void SessionHome::on_said(Homed& homed, const Uuid& node, const Said& said) noexcept {
  if (said.number > 0) {
    homed.remotes[place_of(homed, node) - 1].heard = said.number;
    await_turn_end(homed);  // and tell all that was heard until then at once
  }
  std::string padded = said.text;
  padded.resize(said.text.size() + json_padding);
  const auto message =
      decode_client_message({padded.data(), said.text.size()}, worker_.message_decoder());
  if (!message) return;  // the other node has checked it: a newer one, then
  on_message(Uuid(homed.key), said.member, *message);
}

void SessionHome::on_delete_ask(Homed& homed, const NodeEnvelope& envelope,
                                const DeleteAsk& ask) noexcept {
  const bool may = ask.host_token && homed.machine->holds_host_token(*ask.host_token);
  if (may) {
    answer_node(envelope, ask.peer, 204, "");
    homed.machine->end(worker_.server_us(), effects_);
    return settle(homed);
  }
  const HttpFault& fault = ask.host_token ? not_the_host_fault : token_missing_fault;
  std::string body;
  append_error_body(body, fault.code, fault.message);
  answer_node(envelope, ask.peer, fault.status, std::move(body));
}

void SessionHome::enroll_member(Homed& homed, MemberId id, ConnectionNumber connection,
                                const std::string& name) noexcept {
  homed.machine->enroll({id, connection, name}, worker_.server_us(), effects_);
}

// All members that are connected there. Whoever is not among them has left unheard.
void SessionHome::on_enroll(Homed& homed, const Uuid& node, const Enroll& enroll) noexcept {
  const std::uint32_t place = place_of(homed, node);
  if (enroll.is_first) {
    for (auto& [id, seat] : homed.seats)
      if (seat.node == place) seat.worker = Seat::unheard;
  }
  for (const EnrolledMember& member : enroll.members) {
    enroll_member(homed, member.id, member.connection, member.name);
    const auto before = homed.seats.find(member.id);
    if (before != homed.seats.end() && before->second.connection == member.connection &&
        before->second.node == place) {
      before->second.worker = 0;
      continue;
    }
    if (homed.machine->connection_of(member.id) != member.connection) {
      // It was removed meanwhile, or has come back through another connection.
      const std::uint16_t code = homed.machine->is_removed(member.id)
                                     ? close_code::removed
                                     : close_code::connected_elsewhere;
      worker_.outposts().send(node, homed.key, Close{member.id, member.connection, code});
      continue;
    }
    take_seat_away(homed, member.id);
    homed.seats[member.id] = {
        .worker = 0, .peer = {}, .connection = member.connection, .node = place};
    ++homed.remotes[place - 1].members;
    ++homed.remote_members;
  }
  if (enroll.is_last) {
    leave_all(homed,
              [=](const Seat& seat) { return seat.node == place && seat.worker == Seat::unheard; });
    carry_out(homed);  // news in their order
    cast_everything(homed, false);
  }
  settle(homed);
}

void SessionHome::on_node_lost(const Uuid& node) noexcept {
  std::vector<Uuid> keys;
  for (const auto& [key, homed] : sessions_) {
    for (const Homed::Remote& remote : homed->remotes) {
      if (remote.node == node && remote.members > 0) keys.push_back(key);
    }
  }
  for (const Uuid& key : keys) {
    const auto known = sessions_.find(key);
    if (known == sessions_.end()) continue;
    Homed& homed = *known->second;
    const std::uint32_t place = place_of(homed, node);
    leave_all(homed, [=](const Seat& seat) { return seat.node == place; });
    settle(homed);
  }
}

template <class Predicate>
void SessionHome::leave_all(Homed& homed, Predicate is_gone) noexcept {
  std::vector<std::pair<MemberId, ConnectionNumber>> gone;
  for (const auto& [id, seat] : homed.seats)
    if (is_gone(seat)) gone.emplace_back(id, seat.connection);
  for (const auto& [id, connection] : gone) {
    take_seat_away(homed, id);
    homed.machine->leave(id, connection, worker_.server_us(), effects_);
  }
}

// What was said while the store was away, there or here, was lost: every node says anew who is
// connected to it. Whom nobody names in time has left.
void SessionHome::call_roll(Homed& homed) noexcept {
  for (auto& [id, seat] : homed.seats)
    if (seat.node > 0) seat.worker = Seat::unheard;
  if (homed.remote_members > 0) roll_.push_back(homed.key);
  cast_everything(homed, true);
}

void SessionHome::end_roll() noexcept {
  for (const Uuid& key : std::exchange(roll_, {})) {
    const auto known = sessions_.find(key);
    if (known == sessions_.end()) continue;
    leave_all(*known->second,
              [](const Seat& seat) { return seat.node > 0 && seat.worker == Seat::unheard; });
    settle(*known->second);
  }
}

// --- To other nodes ------------------------------------------------------------------------------

// Null: nothing to say to anybody elsewhere.
BufferRef SessionHome::take_cast(Homed& homed) noexcept {
  Cast& cast = homed.cast;
  const bool is_news = !cast.frames.empty() || !cast.hosts.empty() || cast.ended_code;
  // At the end of the turn there will be something to say with it.
  if (!is_news && homed.is_talking) return {};
  for (Homed::Remote& remote : homed.remotes) {
    if (remote.heard == remote.told) continue;
    cast.heard.push_back({remote.node, remote.heard});
    remote.told = remote.heard;
  }
  if (!is_news && cast.heard.empty()) return {};
  cast.sent_us = static_cast<std::uint64_t>(worker_.server_us());
  const std::string bytes = encode(NodeEnvelope{.from = worker_.service().nodes->self(),
                                                .key = homed.key,
                                                .message = std::exchange(cast, {})});
  return BufferRef::copy_of(bytes);
}

// For members elsewhere that may have missed something.
void SessionHome::cast_everything(Homed& homed, bool is_roll_call) noexcept {
  if (homed.remotes.empty()) return;
  const SessionMachine& machine = *homed.machine;
  const auto add = [&](SendClass send_class, auto&& encode_into) {
    std::string text;
    encode_into(text);
    homed.cast.frames.push_back({static_cast<std::uint8_t>(send_class), std::move(text)});
  };
  add(SendClass::latest, [&](std::string& text) { encode_state(text, machine.state()); });
  add(SendClass::reliable, [&](std::string& text) { encode_settings(text, machine.settings()); });
  if (machine.host()) {
    add_host_news(homed, {machine.state().epoch, machine.host(), machine.host_reason()});
  }
  const auto away = machine.host_away();
  homed.cast.present = Present{.count = machine.member_count()};
  if (away) homed.cast.present->host_until_us = static_cast<std::uint64_t>(away->until_us);
  if (away && away->next) homed.cast.present->next_host = away->next;
  homed.cast.present->is_roll_call = is_roll_call;
  homed.cast.joined = machine.members();
  homed.cast.newest = {machine.state().epoch, machine.state().seq, machine.state().video};
  for (Homed::Remote& remote : homed.remotes)
    remote.told = 0;
}

// --- Going from node to node ---------------------------------------------------------------------

void SessionHome::move_in(const Uuid& key, std::unique_ptr<SessionMachine> machine,
                          StoreVersion version, const LocalMembers& members,
                          std::optional<MemberId> host_told) noexcept {
  Homed& homed = adopt(key, std::move(machine), version);
  const HostEffect host{homed.machine->state().epoch, homed.machine->host(),
                        homed.machine->host_reason()};
  for (const auto& [id, member] : members) {
    enroll_member(homed, id, member.seat.connection, member.name);
    homed.seats[id] = member.seat;
    ++homed.members_on[member.seat.worker];
  }
  // In the new epoch, whatever somebody may have heard of the old one.
  std::string text;
  encode_state(text, homed.machine->state());
  broadcast(homed, text, SendClass::latest);
  if (host_told && *host_told != host.host) carry(homed, host);
  settle(homed);
}

// The members here are told what they have not yet heard: who takes over knows nothing of it.
void SessionHome::flush(Homed& homed) noexcept {
  homed.machine->flush_turn(effects_);
  homed.machine->flush_presence(effects_);
  carry_out(homed);
}

void SessionHome::leave_outpost(Homed& homed, const Uuid& home, std::uint64_t epoch) noexcept {
  LocalMembers members;
  for (const auto& [id, seat] : homed.seats) {
    if (seat.node != 0) continue;
    const auto info = homed.machine->info(id);
    members.emplace(id, LocalMember{seat, info ? info->name : ""});
  }
  worker_.outposts().open_for(homed.key, home, std::move(members), *homed.machine, epoch);
}

// The machine goes; whatever it knew beyond the store's record is the new home's to find out.
void SessionHome::move_out(const Uuid& key, const Uuid& home, std::uint64_t epoch) noexcept {
  auto moved = sessions_.extract(key);
  VS_ASSERT(!moved.empty());
  Homed& homed = *moved.mapped();
  flush(homed);
  if (homed.is_talking) std::erase(talking_, &homed);
  worker_.metrics().add(Gauge::sessions, -1);
  set_unsaved(key, "");
  leave_outpost(homed, home, epoch);
}

std::optional<Uuid> SessionHome::better_home(const Homed& homed) const noexcept {
  if (is_alone() || !worker_.outposts().is_store_ready()) return std::nullopt;
  const std::int64_t now_us = worker_.monotonic_us();
  if (homed.stuck_us > 0 && now_us - homed.stuck_us < retry_us) return std::nullopt;
  if (worker_.service().is_draining) {
    if (homed.seats.empty()) return Uuid{};
    const auto most =
        std::max_element(homed.remotes.begin(), homed.remotes.end(),
                         [](const auto& a, const auto& b) { return a.members < b.members; });
    if (most == homed.remotes.end() || most->members == 0) return std::nullopt;
    return most->node;
  }
  if (homed.seats.empty()) {
    if (now_us - homed.empty_since_us < release_after_us) return std::nullopt;
    return Uuid{};
  }
  // Where the host is: its commands then go on working while the store is away.
  const auto host = homed.seats.find(homed.machine->host());
  const bool is_elsewhere = host != homed.seats.end() && host->second.node > 0;
  if (!is_elsewhere || now_us - homed.moved_us < stay_us) return std::nullopt;
  return homed.remotes[host->second.node - 1].node;
}

// The record names the heir; it is told, and so is everybody as soon as it has taken over.
void SessionHome::hand_over(Homed& homed, const Uuid& heir) noexcept {
  const Uuid key = homed.key;
  flush(homed);
  auto moved = sessions_.extract(key);
  std::unique_ptr<Homed> aside = std::move(moved.mapped());
  if (aside->is_talking) std::erase(talking_, aside.get());
  aside->is_talking = false;
  worker_.reactor().timers().cancel(aside->timer);
  worker_.metrics().add(Gauge::sessions, -1);
  set_unsaved(key, "");
  ++moving_;
  const StoreVersion expected = aside->version;
  aside->version = {aside->machine->state().epoch, expected.revision + 1};
  const BufferRef bytes = encode_stored_session({heir, aside->machine->encode()});
  const std::int64_t ttl_us = heir == Uuid{} ? worker_.config().session_ttl_us : store_ttl_us();
  const StoreVersion version = aside->version;
  BufferRef cast = take_cast(*aside);
  Homed& left = *aside;
  worker_.store().change(
      key, expected, version, bytes, ttl_us, std::move(cast),
      [this, key, heir, aside = std::move(aside)](Result<> result) mutable noexcept {
        on_handed_over(key, std::move(aside), heir, result);
      });
  if (heir == Uuid{}) return;
  worker_.outposts().send(heir, key, Take{});
  leave_outpost(left, heir, left.machine->state().epoch);
}

void SessionHome::on_handed_over(const Uuid& key, std::unique_ptr<Homed> homed, const Uuid& heir,
                                 const Result<>& result) noexcept {
  --moving_;
  if (result) return;
  const ErrorCode code = result.error().code;
  if (code == ErrorCode::conflict || code == ErrorCode::not_found) {
    if (heir != Uuid{}) worker_.outposts().look_again(key);
    return;
  }
  if (has(key)) return;
  // The store is away: the session stays here, with those of its members that are still there.
  auto outpost = worker_.outposts().close(key);
  std::vector<std::pair<MemberId, ConnectionNumber>> gone;
  for (const auto& [id, seat] : homed->seats) {
    const auto still = outpost.members.find(id);
    const bool is_here =
        still != outpost.members.end() && still->second.seat.connection == seat.connection;
    if (seat.node == 0 && !is_here) gone.emplace_back(id, seat.connection);
  }
  Homed& back = *(sessions_[key] = std::move(homed));
  back.stuck_us = worker_.monotonic_us();
  worker_.metrics().add(Gauge::sessions, 1);
  set_unsaved(key, result.error().message);
  for (const auto& [id, connection] : gone) {
    take_seat_away(back, id);
    back.machine->leave(id, connection, worker_.server_us(), effects_);
  }
  settle(back);
  worker_.outposts().deliver(key, outpost);
}

void SessionHome::on_store_ready() noexcept {
  returned_us_ = worker_.monotonic_us();
  roll_.clear();
  write_back_.clear();
  for (const auto& [key, homed] : sessions_)
    write_back_.push_back(key);
  retry_unsaved();
  on_tick();
}

void SessionHome::on_tick() noexcept {
  const std::int64_t now_us = worker_.monotonic_us();
  for (std::size_t i = 0; i < written_a_tick && !write_back_.empty(); ++i) {
    const auto known = sessions_.find(write_back_.back());
    write_back_.pop_back();
    if (known == sessions_.end()) continue;
    call_roll(*known->second);
    store_again(*known->second);
  }
  if (!roll_.empty() && write_back_.empty() && now_us - returned_us_ >= roll_us) end_roll();
  if (write_back_.empty() && now_us - retried_us_ >= retry_us) retry_unsaved();
}

void SessionHome::store_again(Homed& homed) noexcept {
  homed.machine->take_durable_changed();
  store(homed, worker_.service().nodes->self());
}

void SessionHome::retry_unsaved() noexcept {
  retried_us_ = worker_.monotonic_us();
  for (const Removal& removal : std::exchange(unremoved_, {}))
    remove(removal);
  if (!write_back_.empty()) return;  // all of them will be stored
  const std::vector<Uuid> keys(unsaved_.begin(), unsaved_.end());
  for (std::size_t i = 0; i < keys.size() && i < written_a_tick; ++i) {
    const auto known = sessions_.find(keys[i]);
    if (known != sessions_.end()) store_again(*known->second);
  }
}

void SessionHome::begin_drain() noexcept {
  if (is_alone()) return;
  std::vector<Uuid> keys;
  for (const auto& [key, homed] : sessions_)
    keys.push_back(key);
  for (const Uuid& key : keys) {
    if (const auto known = sessions_.find(key); known != sessions_.end()) settle(*known->second);
  }
}

}  // namespace videosync
