// SessionHome: carrying out what the machine wants done. Each message is encoded once.
#include <string>
#include <utility>

#include "core/base/assert.h"
#include "proto/websocket/websocket_frames.h"
#include "proto/wire/messages.h"
#include "server/http/digest.h"
#include "server/session/homed_session.h"
#include "server/worker.h"

namespace videosync {

void SessionHome::broadcast_here(Homed& homed, std::string_view text,
                                 SendClass send_class) noexcept {
  const BufferRef frame = make_frame(WebSocketOpcode::text, text);
  const std::int64_t since_us = worker_.monotonic_us();
  for (std::size_t i = 0; i < homed.members_on.size(); ++i) {
    if (homed.members_on[i] == 0) continue;
    Worker* worker = worker_.service().workers[i];
    worker_.run_on(i, [worker, key = homed.key, frame, send_class, since_us]() noexcept {
      worker->hub().deliver(key, frame, send_class);
      worker->metrics().observe(Histogram::fanout_seconds, worker->monotonic_us() - since_us);
    });
  }
}

void SessionHome::broadcast(Homed& homed, std::string_view text, SendClass send_class) noexcept {
  broadcast_here(homed, text, send_class);
  if (homed.remote_members > 0) {
    homed.cast.frames.push_back({static_cast<std::uint8_t>(send_class), std::string(text)});
  }
}

// No frame: an outpost may have told its members already.
void SessionHome::add_host_news(Homed& homed, const HostEffect& effect) noexcept {
  homed.cast.hosts.push_back(
      {effect.epoch, effect.host ? std::optional(effect.host) : std::nullopt, effect.reason});
}

// As an answer: who reads gets it, and who does not is no worse off.
void SessionHome::send_to(Homed& homed, MemberId member, std::string_view text) noexcept {
  const auto found = homed.seats.find(member);
  if (found == homed.seats.end()) return;
  const Seat& seat = found->second;
  if (seat.node > 0) {
    return worker_.outposts().send(
        homed.remotes[seat.node - 1].node, homed.key,
        Tell{member, static_cast<std::uint8_t>(SendClass::answer), std::string(text)});
  }
  send_to_seat(seat, make_frame(WebSocketOpcode::text, text), SendClass::answer);
}

void SessionHome::send_to_seat(const Seat& seat, const BufferRef& frame,
                               SendClass send_class) noexcept {
  Worker* worker = worker_.service().workers[seat.worker];
  worker_.run_on(seat.worker, [worker, peer_handle = seat.peer, frame, send_class]() noexcept {
    if (Connection* peer = worker->find_connection(peer_handle))
      peer->send_frame(frame, send_class);
  });
}

void SessionHome::close_connection(Homed& homed, MemberId member, const Seat& seat,
                                   std::uint16_t code) noexcept {
  if (seat.node == 0) return close_seat(seat, code);
  worker_.outposts().send(homed.remotes[seat.node - 1].node, homed.key,
                          Close{member, seat.connection, code});
}

void SessionHome::close_seat(const Seat& seat, std::uint16_t code) noexcept {
  Worker* worker = worker_.service().workers[seat.worker];
  worker_.run_on(seat.worker, [worker, peer_handle = seat.peer, code]() noexcept {
    if (Connection* peer = worker->find_connection(peer_handle)) peer->close_websocket(code, "");
  });
}

// Into the worker's scratch.
std::string_view SessionHome::write_welcome(Homed& homed, MemberId to) noexcept {
  const SessionMachine& machine = *homed.machine;
  const auto you = machine.info(to);
  VS_ASSERT(you);
  const ResumeToken resume{to, resume_secret(machine.resume_key(), to)};
  if (homed.listed_version != machine.members_version()) {
    homed.listed_version = machine.members_version();
    homed.member_list.clear();
    encode_member_list(homed.member_list, machine.members());
  }
  std::string& text = worker_.scratch();
  encode_welcome(text, {*you, resume, homed.key, machine.settings(), machine.host(),
                        machine.host_away(), machine.state(), machine.member_count(),
                        homed.member_list, worker_.server_us(), machine.report_every_ms()});
  return text;
}

// It went with the upgrade, so that nothing comes before it: see join_found.
void SessionHome::carry(Homed&, const WelcomeEffect&) noexcept {}

void SessionHome::carry(Homed& homed, const ErrorEffect& effect) noexcept {
  worker_.metrics().count_refusal(effect.code);
  std::string& text = worker_.scratch();
  encode_error(text, effect.code, effect.message, effect.re);
  send_to(homed, effect.to, text);
}

void SessionHome::carry(Homed& homed, const ViewersEffect& effect) noexcept {
  std::string& text = worker_.scratch();
  encode_viewers(text, effect);
  send_to(homed, effect.to, text);
}

// A displaced connection was closed when its seat was taken: see let_in.
void SessionHome::carry(Homed& homed, const CloseEffect& effect) noexcept {
  const auto seat = homed.seats.find(effect.to);
  if (seat == homed.seats.end() || seat->second.connection != effect.connection) return;
  close_connection(homed, effect.to, seat->second, effect.code);
  take_seat_away(homed, effect.to);
}

void SessionHome::carry(Homed& homed, const StateEffect& effect) noexcept {
  std::string& text = worker_.scratch();
  encode_state(text, effect.state);
  broadcast(homed, text, SendClass::latest);
  if (homed.remote_members > 0) {
    homed.cast.newest = {effect.state.epoch, effect.state.seq, effect.state.video};
  }
}

void SessionHome::carry(Homed& homed, const HostEffect& effect) noexcept {
  std::string& text = worker_.scratch();
  encode_host(text, effect);
  broadcast_here(homed, text, SendClass::reliable);
  if (homed.remote_members > 0) add_host_news(homed, effect);
}

void SessionHome::carry(Homed& homed, const MembersEffect& effect) noexcept {
  std::string& text = worker_.scratch();
  encode_members(text, effect);
  broadcast(homed, text, SendClass::droppable);
  if (homed.remote_members == 0) return;
  Cast& cast = homed.cast;
  cast.joined.insert(cast.joined.end(), effect.joined.begin(), effect.joined.end());
  cast.left.insert(cast.left.end(), effect.left.begin(), effect.left.end());
  cast.changed.insert(cast.changed.end(), effect.changed.begin(), effect.changed.end());
}

void SessionHome::carry(Homed& homed, const WaitingEffect& effect) noexcept {
  std::string& text = worker_.scratch();
  encode_waiting(text, effect);
  broadcast(homed, text, SendClass::reliable);
}

void SessionHome::carry(Homed& homed, const ChatEffect& effect) noexcept {
  std::string& text = worker_.scratch();
  encode_chat(text, effect);
  broadcast(homed, text, SendClass::droppable);
}

void SessionHome::carry(Homed& homed, const ReactionsEffect& effect) noexcept {
  std::string& text = worker_.scratch();
  encode_reactions(text, effect);
  broadcast(homed, text, SendClass::droppable);
}

void SessionHome::carry(Homed& homed, const SettingsEffect& effect) noexcept {
  std::string& text = worker_.scratch();
  encode_settings(text, effect.settings);
  broadcast(homed, text, SendClass::reliable);
}

void SessionHome::carry(Homed& homed, const EndedEffect& effect) noexcept {
  for (std::size_t i = 0; i < homed.members_on.size(); ++i) {
    if (homed.members_on[i] == 0) continue;
    Hub* hub = &worker_.service().workers[i]->hub();
    worker_.run_on(i, [hub, key = homed.key, code = effect.code]() noexcept {
      hub->close_all(key, code, "the session has ended");
    });
  }
  if (homed.remote_members > 0) homed.cast.ended_code = effect.code;
  homed.is_over = true;
}

}  // namespace videosync
