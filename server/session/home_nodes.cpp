// A home and other nodes: what they say to it, and what they are told.
#include <algorithm>
#include <utility>
#include <variant>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "proto/websocket/websocket_frames.h"
#include "server/session/directory_impl.h"

namespace videosync {

using Impl = SessionDirectory::Impl;

namespace {

constexpr std::size_t retold_lines = 20;  // of chat, to who may have missed some

const node::AskRef* ask_of(const node::Message& message) noexcept {
  if (const auto* join = std::get_if<node::Join>(&message)) return &join->ask;
  if (const auto* info = std::get_if<node::AskInfo>(&message)) return &info->ask;
  if (const auto* end = std::get_if<node::AskDelete>(&message)) return &end->ask;
  return nullptr;
}

}  // namespace

std::uint32_t Impl::place_of(Home& home, const Uuid& node) noexcept {
  VS_ASSERT(node != Uuid{});
  VS_ASSERT(node != self());
  const auto found = std::ranges::find(home.remotes, node, &Home::Remote::node);
  if (found != home.remotes.end()) {
    return static_cast<std::uint32_t>(found - home.remotes.begin()) + 1;
  }
  home.remotes.emplace_back().node = node;
  home.assert_sound();
  return static_cast<std::uint32_t>(home.remotes.size());
}

// --- From other nodes ----------------------------------------------------------------------------

void Impl::home_envelope(Residence& residence, node::Envelope& envelope) noexcept {
  VS_ASSERT(envelope.from != self());
  VS_ASSERT(effects_.empty());
  // Its sender knows of a later home than this one, which has only just become it.
  if (envelope.fence > residence.at_home().version.fence) {
    log_warn("session", "another node has taken the session over: its outpost says so");
    const node::Envelope asked = std::move(envelope);
    superseded(residence);
    return to_home(asked);
  }
  // Its client has been refused, or is about to be: what it asked for must not happen to it later.
  const node::AskRef* ask = ask_of(envelope.message);
  if (ask != nullptr && static_cast<std::uint64_t>(server_us()) >= ask->expires_us) return;
  std::visit(
      Overloaded{
          [&](const node::Join& join) noexcept { on_home(residence, envelope, join); },
          [&](const node::Said& said) noexcept { on_home(residence, envelope, said); },
          [&](const node::Enroll& enroll) noexcept { on_home(residence, envelope, enroll); },
          [&](const node::AskDelete& end) noexcept { on_home(residence, envelope, end); },
          [&](const node::Leave& leave) noexcept {
            leave_home(residence, leave.member, leave.connection);
          },
          [&](const node::KnockGone& gone) noexcept { leave_door(residence, gone.id); },
          [&](const node::UploadNews& news) noexcept {
            tell_upload(residence.key, news.name, news.percent);
          },
          [&](const node::AskInfo& asked) noexcept {
            const SessionInfo info = info_of(residence);
            send(envelope.from, residence.key, residence.at_home().version.fence,
                 node::Answer{asked.ask, {}, node::Info{info.settings, info.members, info.state}});
          },
          [](const auto&) noexcept {},
      },
      envelope.message);
}

// Who sits there already by that very connection. It is asked again, for the answer may have been
// lost; or this was asked first and comes after the second time, by another way.
std::optional<MemberId> Impl::find_joined(const Home& home, const node::Join& join,
                                          std::uint32_t place) noexcept {
  VS_ASSERT(place > 0);
  const auto is_it = [&](const Seat& seat) noexcept {
    return seat.node == place && seat.number == join.connection;
  };
  if (join.resume) {
    const auto back = home.seats.find(join.resume->member);
    if (back != home.seats.end() && is_it(back->second)) return back->first;
  }
  if (join.ask.attempt < 2) return std::nullopt;
  for (const auto& [id, seat] : home.seats)
    if (is_it(seat)) return id;
  return std::nullopt;
}

void Impl::on_home(Residence& residence, const node::Envelope& from,
                   const node::Join& join) noexcept {
  Home& home = residence.at_home();
  // What follows the welcome would not be heard there.
  if (presence_.is_apart(residence.key)) {
    constexpr auto unavailable = static_cast<std::uint8_t>(SessionFault::unavailable);
    return send(from.from, residence.key, home.version.fence,
                node::Answer{join.ask, unavailable, {}});
  }
  const std::uint32_t place = place_of(home, from.from);
  const MemberId host_before = home.machine->host();
  std::optional<std::pair<MemberId, ConnectionNumber>> joined;
  if (const auto before = find_joined(home, join, place)) {
    Seat& seat = home.seats.find(*before)->second;
    joined.emplace(*before, seat.number);
    seat.set_casts(home.casts);  // its node does not know of it yet, and names it when it does
    seat.is_unheard = false;
    home.machine->relist(*before);
  }
  if (!joined) {
    const SessionMachine::JoinRequest request{.name = join.name,
                                              .resume = join.resume,
                                              .host_token = join.host_token,
                                              .is_resume_proven = false,
                                              .connection = join.connection,
                                              .held = join.held,
                                              .browser = join.browser};
    const auto outcome = let_in(residence, request, Seat::elsewhere(place));
    if (outcome) joined.emplace(outcome->id, outcome->connection);
    if (!outcome && begins_anew(residence, outcome.error(), join.held)) return to_home(from);
    if (!outcome) {
      const SessionFault fault = refuse_join(outcome.error());
      send(from.from, residence.key, home.version.fence,
           node::Answer{join.ask, static_cast<std::uint8_t>(fault), {}});
      return settle(residence);
    }
  }
  VS_ASSERT(joined->first);
  VS_ASSERT(joined->second);
  const SessionMachine& machine = *home.machine;
  send(from.from, residence.key, home.version.fence,
       node::Joined{.ask = join.ask,
                    .member = joined->first,
                    .connection = joined->second,
                    .welcome = std::string(write_welcome(residence, joined->first)),
                    .members = machine.members(),
                    .host = host_before ? std::optional(host_before) : std::nullopt,
                    .welcomed_host = machine.host() ? std::optional(machine.host()) : std::nullopt,
                    .epoch = machine.state().epoch,
                    .seq = machine.state().seq,
                    .casts = home.casts,
                    .revision = home.version.revision,
                    .commands = machine.commands(),
                    .record = encode(stored(home, self())),
                    .chat = machine.chat().after(join.chat_known),
                    .queue = queue_news(home)});
  settle(residence);
}

void Impl::on_home(Residence& residence, const node::Envelope& from,
                   const node::Said& said) noexcept {
  Home& home = residence.at_home();
  // It is over, or another node's, as the store will tell: then its sender says it there. Had this
  // home said that it was heard, what is waiting here would be lost with the home.
  if (home.is_ending) return;
  // The word that it was heard could not be told: it is refused there, or said again.
  if (presence_.is_apart(residence.key)) return;
  const std::uint32_t place = place_of(home, from.from);
  Home::Remote& remote = home.remote_at(place);
  const bool is_heard = said.number <= remote.heard;
  if (said.number > 0 && said.previous > remote.heard) {  // something on the way here was lost
    return send(from.from, residence.key, home.version.fence,
                node::Gap{remote.heard, remote.refused});
  }
  const auto seat = home.seats.find(said.member);
  const bool is_seated = seat != home.seats.end() && seat->second.node == place;
  // Its node has been taken for lost: it is to enroll its members, and says this again.
  if (!is_seated && !is_heard) return tell_who_is_home(from.from, residence);
  if (said.number == 0) return carry_out_said(residence, said);
  // Too late: its sender refuses it, and takes it for unheard until then.
  if (!is_heard && static_cast<std::uint64_t>(server_us()) >= said.expires_us) return;
  remote.told = 0;            // it may have missed that it was heard
  await_turn_end(residence);  // tell all that was heard until then at once
  if (is_heard) return;
  VS_ASSERT(said_.remote == nullptr);
  remote.heard = said.number;
  std::erase_if(remote.refused, [&](const node::Refused& refused) noexcept {
    return refused.number <= said.settled;
  });
  said_ = {&remote, said.number};
  carry_out_said(residence, said);
  said_ = {};
}

void Impl::carry_out_said(Residence& residence, const node::Said& said) noexcept {
  VS_ASSERT(residence.is_home());
  std::string padded = said.text;
  padded.resize(said.text.size() + json_padding);
  const auto message = decode_client_message({padded.data(), said.text.size()}, decoder_);
  VS_ASSERT(padded.size() == said.text.size() + json_padding);
  if (!message) return;  // the other node has checked it: a newer one, then
  if (std::holds_alternative<PingMessage>(*message)) return;  // nor is that for a session
  message_home(residence, said.member, *message);
}

// --- Who is there --------------------------------------------------------------------------------

// All members that are connected there. Whoever is not among them has left unheard.
void Impl::on_home(Residence& residence, const node::Envelope& from,
                   const node::Enroll& enroll) noexcept {
  Home& home = residence.at_home();
  VS_ASSERT(effects_.empty());
  const std::uint32_t place = place_of(home, from.from);
  if (enroll.is_first) {
    for (auto& [id, seat] : home.seats)
      if (seat.node == place) seat.is_unheard = true;
  }
  for (const node::EnrolledMember& member : enroll.members)
    enroll_one(residence, from.from, place, member);
  if (enroll.is_last) {
    bool is_somebody_on_the_way = false;
    leave_all(residence, [&](const Seat& seat) {
      if (seat.node != place || !seat.is_unheard) return false;
      const bool is_on_the_way = seat.casts() >= enroll.casts;
      is_somebody_on_the_way = is_somebody_on_the_way || is_on_the_way;
      return !is_on_the_way;
    });
    // They are to be named again, with a cast that comes behind what told of them.
    cast_everything(residence, is_somebody_on_the_way);
  }
  settle(residence);
}

void Impl::enroll_one(Residence& residence, const Uuid& node, std::uint32_t place,
                      const node::EnrolledMember& member) noexcept {
  Home& home = residence.at_home();
  VS_ASSERT(home.remote_at(place).node == node);
  home.machine->enroll({member.id, member.connection, member.name, member.browser}, server_us(),
                       effects_);
  const auto before = home.seats.find(member.id);
  const bool is_known = before != home.seats.end() && before->second.node == place &&
                        before->second.number == member.connection;
  if (is_known) {
    before->second.is_unheard = false;
    return;
  }
  if (home.machine->connection_of(member.id) != member.connection) {
    // It was removed meanwhile, or has come back through another connection.
    const std::uint16_t code =
        home.machine->is_removed(member.id) ? close_code::removed : close_code::connected_elsewhere;
    return send(node, residence.key, home.version.fence,
                node::Close{member.id, member.connection, code});
  }
  if (before != home.seats.end()) {
    const Seat displaced = before->second;
    close_seat(residence, member.id, displaced, close_code::connected_elsewhere);
  }
  unseat(home, member.id);
  seat(residence.key, home, member.id, Seat::elsewhere(place, member.connection));
}

template <class Predicate>
void Impl::leave_all(Residence& residence, Predicate is_gone) noexcept {
  Home& home = residence.at_home();
  std::vector<std::pair<MemberId, ConnectionNumber>> gone;
  for (const auto& [id, seat] : home.seats)
    if (is_gone(seat)) gone.emplace_back(id, seat.number);
  for (const auto& [id, number] : gone) {
    unseat(home, id);
    home.machine->leave(id, number, server_us(), effects_);
  }
  home.assert_sound();
}

void Impl::home_node_lost(const Uuid& node) noexcept {
  VS_ASSERT(node != self());
  VS_ASSERT(effects_.empty());
  std::vector<Uuid> keys;
  for (const auto& [key, residence] : residences_) {
    if (!residence->is_home()) continue;
    for (const Home::Remote& remote : residence->at_home().remotes)
      if (remote.node == node && remote.members > 0) keys.push_back(key);
  }
  for (const Uuid& key : keys) {
    Residence* residence = find(key);
    if (residence == nullptr || !residence->is_home()) continue;
    const std::uint32_t place = place_of(residence->at_home(), node);
    leave_all(*residence, [=](const Seat& seat) { return seat.node == place; });
    settle(*residence);
  }
}

// What was said while the store was away, there or here, was lost: every node says anew who is
// connected to it. Whom nobody names in time has left.
void Impl::call_roll(Residence& residence) noexcept {
  Home& home = residence.at_home();
  VS_ASSERT(!home.is_reread_due);
  VS_ASSERT(effects_.empty());
  for (auto& [id, seat] : home.seats)
    if (!seat.is_here()) seat.is_unheard = true;
  called_us_ = now_us();
  is_roll_repeated_ = false;
  if (home.remote_members > 0) roll_.push_back(residence.key);
  cast_everything(residence, true);
}

// The roll, or the answer to it, may be lost, too.
void Impl::repeat_roll() noexcept {
  VS_ASSERT(!roll_.empty());
  VS_ASSERT(!is_roll_repeated_);
  is_roll_repeated_ = true;
  for (const Uuid& key : roll_) {
    Residence* residence = find(key);
    if (residence == nullptr || !residence->is_home()) continue;
    Home& home = residence->at_home();
    std::unordered_set<std::uint32_t> silent;
    for (const auto& [id, seat] : home.seats)
      if (seat.is_unheard) silent.insert(seat.node);
    for (const std::uint32_t place : silent)
      tell_who_is_home(home.remote_at(place).node, *residence);
  }
}

void Impl::end_roll() noexcept {
  VS_ASSERT(!roll_.empty());
  VS_ASSERT(effects_.empty());
  for (const Uuid& key : std::exchange(roll_, {})) {
    Residence* residence = find(key);
    if (residence == nullptr || !residence->is_home()) continue;
    leave_all(*residence, [](const Seat& seat) { return seat.is_unheard; });
    residence->at_home().assert_sound();
    settle(*residence);
  }
}

// --- To other nodes ------------------------------------------------------------------------------

// Null: nothing to say to anybody elsewhere.
BufferRef Impl::take_cast(Residence& residence) noexcept {
  Home& home = residence.at_home();
  node::Cast& cast = home.cast;
  VS_ASSERT(cast.heard.empty());
  const bool is_remade = std::exchange(home.is_remade, false);
  const bool is_news = !cast.frames.empty() || !cast.hosts.empty() || !cast.chat.empty() ||
                       cast.queue || cast.ended_code || cast.present;
  // At the end of the turn there will be something to say with it.
  if (!is_news && !(is_remade && home.remote_members > 0) && home.is_talking) return {};
  for (Home::Remote& remote : home.remotes) {
    if (remote.heard == remote.told) continue;
    cast.heard.push_back({remote.node, remote.heard, remote.refused});
    remote.told = remote.heard;
  }
  const bool is_record_due = is_remade && home.remote_members > 0;
  if (!is_news && cast.heard.empty() && !is_record_due) return {};
  if (cast.heard.size() > node::list_max) cast.heard.resize(node::list_max);
  cast.sent_us = static_cast<std::uint64_t>(server_us());
  VS_ASSERT(cast.number == 0);
  cast.number = ++home.casts;
  home.cast_us = now_us();
  cast.revision = home.version.revision;
  cast.commands = home.machine->commands();
  const bool is_ended = cast.ended_code.has_value();
  if (!is_ended && (is_record_due || cast.present)) cast.record = encode(stored(home, self()));
  const std::string bytes = encode(node::Envelope{.from = self(),
                                                  .key = residence.key,
                                                  .fence = home.version.fence,
                                                  .message = std::exchange(cast, {})});
  if (bytes.empty()) {
    log_error("session", "too much to tell other nodes at once: it is told anew");
    return {};
  }
  return BufferRef::copy_of(bytes);
}

// For members elsewhere that may have missed something.
void Impl::cast_everything(Residence& residence, bool is_roll_call) noexcept {
  Home& home = residence.at_home();
  if (home.remotes.empty()) return;
  // What it says of who is there is news to nobody afterwards: all hear of it now.
  flush(residence);
  VS_ASSERT(effects_.empty());
  const SessionMachine& machine = *home.machine;
  const auto add = [&](SendClass send_class, auto&& encode_into) {
    std::string text;
    encode_into(text);
    home.cast.frames.push_back({static_cast<std::uint8_t>(send_class), std::move(text)});
  };
  add(SendClass::latest, [&](std::string& text) { encode_state(text, machine.state()); });
  add(SendClass::reliable, [&](std::string& text) { encode_settings(text, machine.settings()); });
  if (machine.host()) {
    add_host_news(home, {machine.state().epoch, machine.host(), machine.host_reason()});
  }
  const auto away = machine.host_away();
  home.cast.present =
      node::Present{.count = machine.member_count(), .ready = machine.ready_count()};
  if (away) home.cast.present->host_until_us = static_cast<std::uint64_t>(away->until_us);
  if (away && away->next) home.cast.present->next_host = away->next;
  home.cast.present->is_roll_call = is_roll_call;
  home.cast.joined = machine.members();
  // An outpost tells its members what it has not heard. What is to be told anyway is the newest.
  home.cast.chat = machine.chat().after(0, home.cast.chat.size() + retold_lines);
  // Also one that never had anything: what was added at a home that was cut off is undone by that.
  home.cast.queue = queue_news(home);
  if (machine.queue().version() > 0) {
    const UpNext next = machine.up_next();
    const std::string title = next.item ? ports_.around.title_of(next.video) : std::string();
    add(SendClass::reliable, [&](std::string& text) { encode_up_next(text, next, title); });
  }
  home.cast.newest = {machine.state().epoch, machine.state().seq, machine.state().video};
  for (Home::Remote& remote : home.remotes)
    remote.told = 0;
}

// To a node that takes itself, or another one, for the home, at a lower fence.
void Impl::tell_who_is_home(const Uuid& node, Residence& residence) noexcept {
  send(node, residence.key, residence.at_home().version.fence, node::Moved{});
}

}  // namespace videosync
