// What a machine wants done. Each message is encoded once.
#include <string>
#include <utility>

#include "core/base/assert.h"
#include "proto/websocket/websocket_frames.h"
#include "server/digest.h"
#include "server/session/directory_impl.h"

namespace videosync {

using Impl = SessionDirectory::Impl;

void Impl::carry_out(Residence& residence) noexcept {
  VS_ASSERT(residence.is_home());
  const std::size_t wanted = effects_.size();
  for (std::size_t i = 0; i < wanted; ++i) {
    std::visit([&](const auto& effect) noexcept { carry(residence, effect); }, effects_[i]);
  }
  VS_ASSERT(effects_.size() == wanted);  // nobody enters the machine meanwhile
  effects_.clear();
}

void Impl::carry_out_states(Residence& residence) noexcept {
  VS_ASSERT(residence.is_home());
  for (const Effect& effect : effects_)
    if (const auto* state = std::get_if<StateEffect>(&effect)) carry(residence, *state);
  effects_.erase_if(
      [](const Effect& effect) noexcept { return std::holds_alternative<StateEffect>(effect); });
}

void Impl::broadcast_here(const Uuid& key, const std::vector<std::uint32_t>& members_on,
                          std::string_view text, SendClass send_class,
                          std::int64_t sent_us) noexcept {
  VS_ASSERT(members_on.size() == ports_.workers);
  VS_ASSERT(!text.empty());
  const BufferRef frame = make_frame(WebSocketOpcode::text, text);
  for (std::size_t i = 0; i < members_on.size(); ++i) {
    if (members_on[i] > 0) ports_.delivery.broadcast(i, key, frame, send_class, sent_us);
  }
}

void Impl::close_all_here(const Uuid& key, std::vector<std::uint32_t>& members_on,
                          std::uint16_t code) noexcept {
  VS_ASSERT(members_on.size() == ports_.workers);
  for (std::size_t i = 0; i < members_on.size(); ++i) {
    if (std::exchange(members_on[i], 0) > 0) ports_.delivery.close_all(i, key, code);
  }
}

void Impl::broadcast(Residence& residence, std::string_view text, SendClass send_class) noexcept {
  Home& home = residence.at_home();
  home.assert_sound();
  broadcast_here(residence.key, home.members_on, text, send_class);
  if (home.remote_members == 0) {
    home.has_untold = true;
    return;
  }
  home.cast.frames.push_back({static_cast<std::uint8_t>(send_class), std::string(text)});
}

// No frame: an outpost may have told its members already.
void Impl::add_host_news(Home& home, const HostEffect& effect) noexcept {
  home.cast.hosts.push_back({effect.epoch, effect.host ? std::optional(effect.host) : std::nullopt,
                             effect.reason, static_cast<std::uint32_t>(home.cast.frames.size())});
}

// As an answer: who reads gets it, and who does not is no worse off.
void Impl::send_to(Residence& residence, MemberId member, std::string_view text) noexcept {
  Home& home = residence.at_home();
  const auto found = home.seats.find(member);
  if (found == home.seats.end()) return;
  const Seat& seat = found->second;
  if (!seat.is_here()) {
    return send(
        home.remote_at(seat).node, residence.key, home.version.fence,
        node::Tell{member, static_cast<std::uint8_t>(SendClass::answer), std::string(text)});
  }
  ports_.delivery.send(seat.at(), make_frame(WebSocketOpcode::text, text), SendClass::answer);
}

void Impl::send_error(ConnectionRef to, Refusal code, std::string_view message,
                      std::string_view re) noexcept {
  VS_ASSERT(!message.empty());
  VS_ASSERT(!re.empty());
  ports_.metrics.count_refusal(code);
  std::string& text = scratch();
  encode_error(text, code, message, re);
  ports_.delivery.send(to, make_frame(WebSocketOpcode::text, text), SendClass::answer);
}

void Impl::close_seat(Residence& residence, MemberId member, const Seat& seat,
                      std::uint16_t code) noexcept {
  Home& home = residence.at_home();
  if (seat.is_here()) return ports_.delivery.close(seat.at(), code);
  send(home.remote_at(seat).node, residence.key, home.version.fence,
       node::Close{member, seat.number, code});
}

// Into scratch_.
std::string_view Impl::write_welcome(Residence& residence, MemberId to) noexcept {
  Home& home = residence.at_home();
  const SessionMachine& machine = *home.machine;
  const auto you = machine.info(to);
  VS_ASSERT(you);
  VS_ASSERT(!machine.ended());
  const ResumeToken resume{to, resume_secret(machine.resume_key(), to)};
  if (home.listed_version != machine.members_version()) {
    home.listed_version = machine.members_version();
    home.member_list.clear();
    encode_member_list(home.member_list, machine.members());
  }
  const UpNext next = machine.up_next();
  const std::string next_title = next.item ? ports_.around.title_of(next.video) : std::string();
  std::string& text = scratch();
  encode_welcome(
      text, {*you, resume, residence.key, machine.settings(), machine.host(), machine.host_away(),
             machine.state(), machine.member_count(), home.member_list, server_us(),
             machine.report_every_ms(), machine.forks(), machine.ready_count(),
             machine.is_ready(to), next, next_title, machine.code(), ports_.around.film_sources()});
  return text;
}

// It went with the upgrade, so that nothing comes before it: see join_home.
void Impl::carry(Residence&, const WelcomeEffect&) noexcept {}

void Impl::carry(Residence& residence, const ErrorEffect& effect) noexcept {
  VS_ASSERT(effect.to);
  VS_ASSERT(!effect.re.empty());
  ports_.metrics.count_refusal(effect.code);
  std::string& text = scratch();
  encode_error(text, effect.code, effect.message, effect.re);
  if (said_.remote == nullptr) return send_to(residence, effect.to, text);
  // Of what another node's member has said: it goes with the word that it was heard.
  auto& refused = said_.remote->refused;
  if (refused.size() == node::Heard::refused_max) refused.erase(refused.begin());
  VS_ASSERT(said_.number > 0);
  VS_ASSERT(refused.size() < node::Heard::refused_max);
  refused.push_back({said_.number, text});
}

void Impl::carry(Residence& residence, const ViewersEffect& effect) noexcept {
  std::string& text = scratch();
  VS_ASSERT(effect.to);
  VS_ASSERT(effect.list.size() <= member_list_max);
  encode_viewers(text, effect);
  send_to(residence, effect.to, text);
}

// A displaced connection was closed when its seat was taken: see let_in.
void Impl::carry(Residence& residence, const CloseEffect& effect) noexcept {
  Home& home = residence.at_home();
  const auto seat = home.seats.find(effect.to);
  if (seat == home.seats.end() || seat->second.number != effect.connection) return;
  close_seat(residence, effect.to, seat->second, effect.code);
  unseat(home, effect.to);
  home.assert_sound();
}

void Impl::carry(Residence& residence, const StateEffect& effect) noexcept {
  std::string& text = scratch();
  encode_state(text, effect.state);
  broadcast(residence, text, SendClass::latest);
  Home& home = residence.at_home();
  VS_ASSERT(effect.state.epoch <= home.machine->state().epoch);
  VS_ASSERT(effect.state.seq <= home.machine->state().seq);
  if (home.remote_members == 0) return;
  home.cast.newest = {effect.state.epoch, effect.state.seq, effect.state.video};
}

void Impl::carry(Residence& residence, const HostEffect& effect) noexcept {
  Home& home = residence.at_home();
  std::string& text = scratch();
  encode_host(text, effect);
  broadcast_here(residence.key, home.members_on, text, SendClass::reliable);
  if (home.remote_members > 0) add_host_news(home, effect);
  if (home.remote_members == 0) home.has_untold = true;
}

void Impl::carry(Residence& residence, const MembersEffect& effect) noexcept {
  std::string& text = scratch();
  encode_members(text, effect);
  broadcast(residence, text, SendClass::droppable);
  VS_ASSERT(effect.joined.size() <= member_list_max);
  VS_ASSERT(effect.left.size() <= member_list_max);
  Home& home = residence.at_home();
  if (home.remote_members == 0) return;
  node::Cast& cast = home.cast;
  cast.joined.insert(cast.joined.end(), effect.joined.begin(), effect.joined.end());
  cast.left.insert(cast.left.end(), effect.left.begin(), effect.left.end());
  cast.changed.insert(cast.changed.end(), effect.changed.begin(), effect.changed.end());
}

void Impl::carry(Residence& residence, const WaitingEffect& effect) noexcept {
  std::string& text = scratch();
  encode_waiting(text, effect);
  broadcast(residence, text, SendClass::reliable);
}

void Impl::carry(Residence& residence, const ChatEffect& effect) noexcept {
  Home& home = residence.at_home();
  std::string& text = scratch();
  encode_chat(text, effect);
  broadcast_here(residence.key, home.members_on, text, SendClass::droppable);
  VS_ASSERT(effect.id <= home.machine->chat().newest());
  if (home.remote_members > 0) home.cast.chat.push_back(effect);
  if (home.remote_members == 0) home.has_untold = true;
}

// To one that has just been welcomed.
void Impl::tell_history(ConnectionRef to, const ChatHistory& chat, std::uint64_t held) noexcept {
  VS_ASSERT(depth_ > 0);
  const std::vector<ChatLine> lines = chat.after(held);
  for (std::size_t next = 0; next < lines.size();) {
    std::string& text = scratch();
    next = encode_history(text, lines, next);
    ports_.delivery.send(to, make_frame(WebSocketOpcode::text, text), SendClass::answer);
  }
}

void Impl::carry(Residence& residence, const ReactionsEffect& effect) noexcept {
  std::string& text = scratch();
  encode_reactions(text, effect);
  broadcast(residence, text, SendClass::droppable);
}

// It is news of a moment and no part of the session: between two homes nobody hears it.
void Impl::tell_upload(const Uuid& key, std::string_view name,
                       std::optional<std::uint8_t> percent) noexcept {
  Residence* residence = find(key);
  if (residence == nullptr) return;
  VS_ASSERT(effects_.empty());
  if (!residence->is_home()) {
    return send_home(*residence, node::UploadNews{std::string(name), percent});
  }
  std::string& text = scratch();
  encode_upload(text, name, percent);
  broadcast(*residence, text, SendClass::droppable);
  commit(*residence);
}

void Impl::carry(Residence& residence, const SettingsEffect& effect) noexcept {
  std::string& text = scratch();
  encode_settings(text, effect.settings);
  broadcast(residence, text, SendClass::reliable);
}

void Impl::carry(Residence& residence, const EndedEffect& effect) noexcept {
  Home& home = residence.at_home();
  close_all_here(residence.key, home.members_on, effect.code);
  if (home.remote_members > 0) home.cast.ended_code = effect.code;
  VS_ASSERT(!home.is_over);
  VS_ASSERT(home.machine->ended());
  home.is_over = true;
}

}  // namespace videosync
