// Connections here that wait before a door, wherever their session's home is: each asks again and
// again whether it may come in, and at once when it is told that the host has said something.
#include <utility>

#include "core/base/assert.h"
#include "proto/websocket/websocket_frames.h"
#include "server/session/directory_impl.h"

namespace videosync {

using Impl = SessionDirectory::Impl;

namespace {

constexpr std::int64_t ask_again_us = 3'000'000;  // thrice within Knocks::lease_us
constexpr std::int64_t patience_us = 120'000'000;
constexpr std::int64_t tend_us = 500'000;

// 0: it may be let in yet.
std::uint16_t end_of_waiting(SessionFault fault) noexcept {
  switch (fault) {
    case SessionFault::not_found:
      return close_code::session_ended;
    case SessionFault::locked:
    case SessionFault::turned_away:
      return close_code::turned_away;
    case SessionFault::removed:
      return close_code::removed;
    default:
      return 0;
  }
}

}  // namespace

// Every join that is not granted is answered here.
void Impl::answer_join(const Uuid& key, const SessionMachine::JoinRequest& request,
                       ConnectionRef from, SessionFault fault) noexcept {
  VS_ASSERT(request.connection);
  Porch::Knocker* knocker = porch_.find(key, request.connection);
  if (knocker == nullptr && fault == SessionFault::must_knock) return knock(key, request, from);
  if (knocker == nullptr) return answer(from, fault);
  knocker->is_asked = false;
  const std::uint16_t code = end_of_waiting(fault);
  if (code == 0) return;
  porch_.take(key, request.connection);
  ports_.delivery.close(from, code);
}

void Impl::knock(const Uuid& key, const SessionMachine::JoinRequest& request,
                 ConnectionRef from) noexcept {
  VS_ASSERT(request.connection);
  VS_ASSERT(worker_of(key, ports_.workers) == ports_.worker);
  const std::int64_t now = now_us();
  porch_.add(key, {.from = from,
                   .request = request,
                   .id = knock_id_of(own_node(), request.connection),
                   .since_us = now,
                   .asks_at_us = now + ask_again_us});
  if (!porch_timer_.is_armed()) schedule(porch_timer_, tend_us);
  std::string& text = scratch();
  encode_knocking(text);
  ports_.delivery.knock(from, key, request.connection, make_frame(WebSocketOpcode::text, text));
}

void Impl::begin_member(const Uuid& key, ConnectionRef from, MemberId member,
                        ConnectionNumber number, std::string_view welcome) noexcept {
  VS_ASSERT(member);
  VS_ASSERT(number);
  porch_.take(key, number);
  ports_.delivery.begin(from, key, member, number, make_frame(WebSocketOpcode::text, welcome));
}

void Impl::ask_again(const Uuid& key, ConnectionNumber number) noexcept {
  VS_ASSERT(effects_.empty());
  VS_ASSERT(depth_ > 0);
  Porch::Knocker* knocker = porch_.find(key, number);
  if (knocker == nullptr || std::exchange(knocker->is_asked, true)) return;
  knocker->asks_at_us = now_us() + ask_again_us;
  ask_to_join(key, knocker->request, knocker->from);
}

void Impl::on_decided(const Uuid& key, KnockId id) noexcept {
  VS_ASSERT(effects_.empty());
  VS_ASSERT(id);
  Porch::Knocker* knocker = porch_.find(key, id);
  if (knocker == nullptr) return;
  knocker->asks_at_us = now_us();
  ask_again(key, knocker->request.connection);
}

// Its connection is gone, or has been closed here.
void Impl::knocker_left(const Uuid& key, ConnectionNumber number) noexcept {
  VS_ASSERT(effects_.empty());
  VS_ASSERT(number);
  const auto knocker = porch_.take(key, number);
  if (!knocker) return;
  Residence* residence = find(key);
  if (residence != nullptr && residence->is_home()) return leave_door(*residence, knocker->id);
  // Where that is lost, or the session elsewhere by now, its silence tells.
  if (knocker->home != Uuid{})
    send(knocker->home, key, knocker->fence, node::KnockGone{knocker->id});
}

void Impl::leave_door(Residence& residence, KnockId id) noexcept {
  VS_ASSERT(effects_.empty());
  residence.at_home().machine->leave_door(id, server_us(), effects_);
  settle(residence);
}

void Impl::on_porch_timer(void* impl) noexcept {
  const Event event(*static_cast<Impl*>(impl));
  static_cast<Impl*>(impl)->tend_porch();
}

void Impl::tend_porch() noexcept {
  VS_ASSERT(!porch_timer_.is_armed());
  VS_ASSERT(effects_.empty());
  for (const auto& [key, number] : porch_.since(now_us() - patience_us)) {
    const Porch::Knocker* knocker = porch_.find(key, number);
    if (knocker == nullptr) continue;
    ports_.delivery.close(knocker->from, close_code::turned_away);
    knocker_left(key, number);
  }
  for (const auto& [key, number] : porch_.asking_by(now_us()))
    ask_again(key, number);
  if (!porch_.empty() && !porch_timer_.is_armed()) schedule(porch_timer_, tend_us);
}

// --- At the home ---------------------------------------------------------------------------------

void Impl::carry(Residence& residence, const KnockEffect& effect) noexcept {
  VS_ASSERT(effect.to);
  VS_ASSERT(effect.id);
  std::string& text = scratch();
  encode_knock(text, effect);
  send_to(residence, effect.to, text);
}

// Nobody enters the machine before the event at hand is through.
void Impl::carry(Residence& residence, const DecidedEffect& effect) noexcept {
  Home& home = residence.at_home();
  VS_ASSERT(effect.knock.id);
  VS_ASSERT(depth_ > 0);
  if (effect.knock.place > 0) {
    return send(home.remote_at(effect.knock.place).node, residence.key, home.version.fence,
                node::KnockDecided{effect.knock.id});
  }
  answers_.emplace_back(
      [this, key = residence.key, id = effect.knock.id]() noexcept { on_decided(key, id); });
}

}  // namespace videosync
