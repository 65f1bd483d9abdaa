// SessionMachine: who is let in, and who waits for the host's word.
#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "proto/session/session_machine.h"

namespace videosync {

// Of somebody who is no member, nor was one. Nothing: it may come in.
std::optional<SessionMachine::JoinRefusal> SessionMachine::stop_at_door(const JoinRequest& request,
                                                                        Effects& effects) {
  VS_ASSERT(!ended_);
  VS_ASSERT(knocks_.waiting().size() <= Knocks::waiting_max);
  if (request.host_token && holds_host_token(*request.host_token)) return std::nullopt;
  if (is_barred(request.browser)) return JoinRefusal::removed;
  if (settings_.door == Door::open) return std::nullopt;
  if (settings_.door == Door::locked) return JoinRefusal::locked;
  if (!request.knock.id) return JoinRefusal::locked;  // nobody could tell it of the host's word
  const std::string name = request.name.empty() ? "Guest" : request.name;
  switch (knocks_.knock(request.knock, name, now_us_)) {
    case Knocks::Verdict::comes_in:
      return std::nullopt;
    case Knocks::Verdict::is_refused:
      return JoinRefusal::turned_away;
    case Knocks::Verdict::is_full:
      return JoinRefusal::door_full;
    case Knocks::Verdict::is_to_be_told:
      tell_knock({.to = {}, .id = request.knock.id, .name = name}, effects);
      break;
    case Knocks::Verdict::waits:
      break;
  }
  return JoinRefusal::waits;
}

bool SessionMachine::is_barred(BrowserId browser) const noexcept {
  return browser && std::ranges::find(removed_browsers_, browser) != removed_browsers_.end();
}

// So many that it is forgotten of the first ones.
void SessionMachine::bar(BrowserId browser) {
  if (!browser || is_barred(browser)) return;
  if (removed_browsers_.size() == removed_browsers_max)
    removed_browsers_.erase(removed_browsers_.begin());
  removed_browsers_.push_back(browser);
  durable_changed_ = true;
  VS_ASSERT(removed_browsers_.size() <= removed_browsers_max);
}

// To the host, where there is one to hear it.
void SessionMachine::tell_knock(KnockEffect knock, Effects& effects) const {
  VS_ASSERT(knock.id);
  if (!host_ || !roster_.known(host_).connected) return;
  knock.to = host_;
  effects.push(std::move(knock));
}

void SessionMachine::tell_knocks(Effects& effects) {
  VS_ASSERT(!ended_);
  for (const Knocks::Knock& knock : knocks_.waiting())
    tell_knock({.to = {}, .id = knock.ref.id, .name = knock.name}, effects);
  knocks_.note_told(now_us_);
}

void SessionMachine::leave_door(KnockId id, std::int64_t now_us, Effects& effects) {
  begin_event(now_us, effects);
  if (ended_) return;
  VS_ASSERT(id);
  knocks_.leave(id);
  // The host may know of it from another place.
  tell_knock({.to = {}, .id = id, .name = {}, .is_gone = true}, effects);
}

void SessionMachine::leave_door_unheard(Effects& effects) {
  VS_ASSERT(!ended_);
  for (const Knocks::Knock& knock : knocks_.take_silent(now_us_))
    tell_knock({.to = {}, .id = knock.ref.id, .name = {}, .is_gone = true}, effects);
}

// The door is another, or no more: whoever waits is to ask again.
void SessionMachine::send_all_on(Effects& effects) {
  VS_ASSERT(!ended_);
  for (const Knocks::Knock& knock : knocks_.take_all()) {
    tell_knock({.to = {}, .id = knock.ref.id, .name = {}, .is_gone = true}, effects);
    effects.push(DecidedEffect{knock.ref});
  }
  VS_ASSERT(knocks_.waiting().empty());
}

void SessionMachine::decide_knock(const Member& member, KnockId id, bool is_admitted,
                                  Effects& effects) {
  VS_ASSERT(member.connected);
  const std::string_view re = is_admitted ? "admit" : "refuse";
  if (!require_host(member, re, effects)) return;
  const auto ref = knocks_.decide(id, is_admitted, now_us_);
  if (!ref) return refuse(member, Refusal::no_such_member, re, "nobody of that id waits", effects);
  VS_ASSERT(ref->id == id);
  tell_knock({.to = {}, .id = id, .name = {}, .is_gone = true}, effects);
  effects.push(DecidedEffect{*ref});
}

void SessionMachine::on_message(Member& member, const AdmitMessage& message, Effects& effects) {
  decide_knock(member, message.id, true, effects);
}

void SessionMachine::on_message(Member& member, const RefuseMessage& message, Effects& effects) {
  decide_knock(member, message.id, false, effects);
}

}  // namespace videosync
