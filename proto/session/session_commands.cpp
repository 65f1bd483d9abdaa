// SessionMachine's answers to what members say, and the waiting for members that buffer.
#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/assert.h"
#include "proto/session/session_machine.h"

namespace videosync {

namespace {

constexpr double drift_max_ms = 86'400'000;
constexpr double rtt_max_ms = 60'000;
constexpr double lead_per_round_trip = 1.5;

}  // namespace

void SessionMachine::handle(MemberId id, const ClientMessage& message, std::int64_t now_us,
                            Effects& effects) {
  begin_event(now_us, effects);
  if (ended_) return;
  Member* member = roster_.find_connected(id);
  if (member == nullptr) return;
  const bool was_changed = std::exchange(durable_changed_, false);
  std::visit([&](const auto& said) { on_message(*member, said, effects); }, message);
  count_command(was_changed);
}

// A command counts where it has changed what is stored.
void SessionMachine::count_command(bool was_changed) noexcept {
  if (durable_changed_) ++commands_;
  durable_changed_ = durable_changed_ || was_changed;
}

// --- Who may -------------------------------------------------------------------------------------

void SessionMachine::refuse(const Member& member, Refusal code, std::string_view re,
                            std::string message, Effects& effects) {
  effects.push(ErrorEffect{member.id, code, std::move(message), re});
}

bool SessionMachine::require_host(const Member& member, std::string_view re,
                                  Effects& effects) const {
  VS_ASSERT(member.connected);
  if (member.id == host_) return true;
  refuse(member, Refusal::not_host, re, "only the host may do this", effects);
  return false;
}

bool SessionMachine::controls(const Member& member) const noexcept {
  if (settings_.control == Control::everyone || member.id == host_) return true;
  return std::ranges::find(settings_.controllers, member.id) != settings_.controllers.end();
}

bool SessionMachine::require_control(const Member& member, std::string_view re,
                                     Effects& effects) const {
  VS_ASSERT(member.connected);
  return controls(member) || require_host(member, re, effects);
}

// Whoever has it already may have left a place that is gone.
bool SessionMachine::require_known(const Member& member, const std::vector<MemberId>& controllers,
                                   Effects& effects) const {
  const auto is_unknown = [this](MemberId id) noexcept {
    return roster_.find(id) == nullptr &&
           std::ranges::find(settings_.controllers, id) == settings_.controllers.end();
  };
  if (std::ranges::none_of(controllers, is_unknown)) return true;
  refuse(member, Refusal::no_such_member, "settings", "not all of controllers are members",
         effects);
  return false;
}

bool SessionMachine::require_position(const Member& member, std::optional<double> position,
                                      std::string_view re, Effects& effects) {
  if (!position || (std::isfinite(*position) && *position >= 0)) return true;
  refuse(member, Refusal::out_of_range, re, "a position is a number of seconds from 0 on", effects);
  return false;
}

bool SessionMachine::require_talk(const Member& member, std::string_view re, Effects& effects) {
  VS_ASSERT(member.connected);
  if (talk_.take(limits_->talk, now_us_)) return true;
  refuse(member, Refusal::rate_limited, re, "too many messages and reactions in this session",
         effects);
  return false;
}

// --- Playback ------------------------------------------------------------------------------------

std::int64_t SessionMachine::lead_us() const noexcept {
  const std::optional<double> p95_ms = round_trips_.p95_ms();
  if (!p95_ms) return limits_->lead_default_us;
  const auto lead = static_cast<std::int64_t>(std::llround(*p95_ms * 1'000 * lead_per_round_trip));
  return std::min(lead, limits_->lead_max_us);
}

void SessionMachine::push_state(Effects& effects) {
  VS_ASSERT(!stall_wait_.active() || !playback_.state().playing);
  durable_changed_ = true;
  effects.push(StateEffect{playback_.state()});
}

void SessionMachine::on_message(Member& member, const PlayMessage& message, Effects& effects) {
  if (!require_control(member, "play", effects)) return;
  if (!require_position(member, message.position, "play", effects)) return;
  if (message.countdown_ms.value_or(0) > countdown_ms_max) {
    refuse(member, Refusal::out_of_range, "play", "a countdown has at most 10,000 ms", effects);
    return;
  }
  const bool starts = message.position || message.countdown_ms || !playback_.state().playing;
  stall_wait_.end(roster_);  // a play while waiting means: go on now
  std::optional<std::int64_t> countdown_us;
  if (message.countdown_ms) {
    countdown_us = std::int64_t{*message.countdown_ms} * 1'000;
    start_lead_us_ = lead_us();
    start_judged_us_ = 0;
  }
  call_off_next(effects);
  playback_.play(message.position, countdown_us, now_us_, lead_us(), member.id);
  clear_ready();
  push_state(effects);
  if (!starts) return;
  if (countdown_us) return;  // who is waited for shows at its end
  started_us_ = now_us_;
  await_at_start(effects);
}

void SessionMachine::on_message(Member& member, const PauseMessage& message, Effects& effects) {
  if (!require_control(member, "pause", effects)) return;
  if (!require_position(member, message.position, "pause", effects)) return;
  stall_wait_.end(roster_);
  playback_.pause(message.position, now_us_, member.id);
  push_state(effects);
}

void SessionMachine::on_message(Member& member, const SeekMessage& message, Effects& effects) {
  if (!require_control(member, "seek", effects)) return;
  if (!require_position(member, message.position, "seek", effects)) return;
  if (playback_.is_counting_down(now_us_)) stall_wait_.end(roster_);  // it is called off
  call_off_next(effects);
  playback_.seek(message.position, now_us_, lead_us(), member.id);
  push_state(effects);
  if (!playback_.state().playing && !stall_wait_.active()) return;
  started_us_ = now_us_;
  await_at_start(effects);
}

void SessionMachine::on_message(Member& member, const RateMessage& message, Effects& effects) {
  if (!require_control(member, "rate", effects)) return;
  if (!(message.rate >= Playback::rate_min && message.rate <= Playback::rate_max)) {
    refuse(member, Refusal::out_of_range, "rate", "a rate lies between 0.25 and 4", effects);
    return;
  }
  playback_.set_rate(message.rate, now_us_, member.id);
  push_state(effects);
  if (stall_wait_.active()) effects.push(stall_wait_.to_effect());
}

void SessionMachine::handle_load(MemberId id, std::optional<VideoChoice> video, std::int64_t now_us,
                                 Effects& effects) {
  begin_event(now_us, effects);
  if (ended_) return;
  Member* member = roster_.find_connected(id);
  if (member == nullptr || !require_control(*member, "load", effects)) return;
  if (!video) {
    refuse(*member, Refusal::no_such_video, "load", "there is no such video here", effects);
    return;
  }
  const bool was_changed = std::exchange(durable_changed_, false);
  stall_wait_.end(roster_);
  call_off_next(effects);
  playback_.load(std::move(*video), now_us_, id);
  clear_ready();
  push_state(effects);
  count_command(was_changed);
}

void SessionMachine::on_message(Member&, const LoadMessage&, Effects&) {
  VS_ASSERT(!"a load comes through handle_load");
}

// --- The session ---------------------------------------------------------------------------------

void SessionMachine::on_message(Member& member, const GiveMessage& message, Effects& effects) {
  if (!require_host(member, "give", effects)) return;
  if (roster_.find_connected(message.to) == nullptr) {
    refuse(member, Refusal::no_such_member, "give", "no such member is connected", effects);
  } else if (message.to != host_) {
    set_host(message.to, HostReason::given, effects);
  }
}

void SessionMachine::on_message(Member& member, const ClaimMessage& message, Effects& effects) {
  if (!holds_host_token(message.host_token)) {
    refuse(member, Refusal::not_host, "claim", "this is not the session's host token", effects);
  } else if (member.id != host_) {
    set_host(member.id, HostReason::claimed, effects);
  }
}

void SessionMachine::on_message(Member& member, const SettingsMessage& message, Effects& effects) {
  if (!require_host(member, "settings", effects)) return;
  const bool has_any = message.control || message.on_stall || message.audio_language ||
                       message.queue || message.controllers || message.door;
  if (!has_any) {
    refuse(member, Refusal::bad_message, "settings",
           "give control, onStall, audioLanguage, queue, controllers or door", effects);
    return;
  }
  if (message.controllers && !require_known(member, *message.controllers, effects)) return;
  settings_.control = message.control.value_or(settings_.control);
  settings_.on_stall = message.on_stall.value_or(settings_.on_stall);
  if (message.audio_language) settings_.audio_language = *message.audio_language;
  settings_.queue = message.queue.value_or(settings_.queue);
  if (message.controllers) settings_.controllers = *message.controllers;
  settings_.door = message.door.value_or(settings_.door);
  VS_ASSERT(settings_.audio_language.size() <= language_bytes_max);
  VS_ASSERT(settings_.controllers.size() <= controllers_max);
  durable_changed_ = true;
  effects.push(SettingsEffect{settings_});
  if (settings_.door != Door::knock) send_all_on(effects);
  if (settings_.on_stall == OnStall::keep_going && stall_wait_.active()) go_on(effects);
  VS_ASSERT(settings_.on_stall == OnStall::wait || !stall_wait_.active());
}

void SessionMachine::on_message(Member& member, const KickMessage& message, Effects& effects) {
  if (!require_host(member, "kick", effects)) return;
  if (message.id == host_) {
    refuse(member, Refusal::bad_message, "kick", "the host cannot remove itself", effects);
    return;
  }
  Member* removed = roster_.find(message.id);
  if (removed == nullptr) {
    refuse(member, Refusal::no_such_member, "kick", "no such member", effects);
    return;
  }
  VS_ASSERT(removed != &member);
  if (removed->connected) {
    effects.push(CloseEffect{removed->id, close_code::removed, removed->connection});
    disconnect(*removed, effects);
  }
  if (reopened_us_ != INT64_MIN) {
    if (removed_.size() == removed_max) removed_.erase(removed_.begin());
    removed_.push_back(removed->id);
    VS_ASSERT(removed_.size() <= removed_max);
  }
  // A second window of the host's own browser may be closed so, too.
  if (removed->browser != member.browser) bar(removed->browser);
  forget(*removed, effects);
}

void SessionMachine::on_message(Member& member, const EndMessage&, Effects& effects) {
  if (require_host(member, "end", effects)) finish(effects);
}

void SessionMachine::on_message(Member& member, const ChatMessage& message, Effects& effects) {
  if (!require_talk(member, "chat", effects)) return;
  const std::uint64_t id = chat_.next_id(now_us_);
  if (id > told_number_max) {  // another place has told of one that nobody can have come to
    refuse(member, Refusal::unavailable, "chat", "no id is left", effects);
    return;
  }
  ChatLine line{id, member.id, std::string(member.name.view()), message.text, now_us_};
  chat_.add(line);
  effects.push(ChatEffect(std::move(line)));
}

void SessionMachine::on_message(Member& member, const ReactionMessage& message, Effects& effects) {
  if (!require_talk(member, "reaction", effects)) return;
  VS_ASSERT(!ended_);
  reactions_.push_back({member.id, message.emoji, now_us_});
}

void SessionMachine::on_message(Member& member, const NameMessage& message, Effects& effects) {
  if (message.name.empty() || message.name.size() > member_name_bytes_max) {
    refuse(member, Refusal::bad_message, "name", "a name has 1 to 40 characters", effects);
    return;
  }
  VS_ASSERT(member.connected);
  if (member.name.view() == message.name) return;
  member.name.assign(message.name);
  if (member.id == host_) durable_changed_ = true;
  alter(member);
}

// Kept apart from what is reported: it stays with the member, not with its connection.
void SessionMachine::on_message(Member& member, const ReadyMessage& message, Effects&) {
  VS_ASSERT(member.connected);
  const std::size_t kept = ready_.kept().size();
  if (!ready_.set(member, message.ready)) return;
  if (ready_.kept().size() != kept) durable_changed_ = true;
  note_ready();
  if (member.reported) viewer_reports_.note(member, now_us_, limits_->viewers_interval_us);
}

void SessionMachine::note_ready() {
  presence_.note_ready(now_us_, presence_interval_us());
}

// With what changes the state, which is stored and told in any case.
void SessionMachine::clear_ready() {
  if (!ready_.clear()) return;
  VS_ASSERT(ready_.count() == 0);
  note_ready();
  viewer_reports_.note_shown(now_us_, limits_->viewers_interval_us);
}

void SessionMachine::on_message(Member&, const PingMessage&, Effects&) {
  VS_ASSERT(!"a ping is answered by the connection");
}

// --- Reports, and waiting for who buffers --------------------------------------------------------

void SessionMachine::on_message(Member& member, const ReportMessage& message, Effects& effects) {
  if (!std::isfinite(message.drift_ms) || !std::isfinite(message.rtt_ms) || message.rtt_ms < 0) {
    refuse(member, Refusal::out_of_range, "report", "driftMs and rttMs are finite, rttMs from 0 on",
           effects);
    return;
  }
  VS_ASSERT(member.connected);
  VS_ASSERT((member.reported || !member.buffering));
  if (member.reported) round_trips_.remove(member.rtt_ms);
  member.reported = true;
  member.drift_ms = static_cast<float>(std::clamp(message.drift_ms, -drift_max_ms, drift_max_ms));
  member.rtt_ms = static_cast<float>(std::min(message.rtt_ms, rtt_max_ms));
  round_trips_.add(member.rtt_ms);
  VS_ASSERT(round_trips_.count() <= member_count());
  viewer_reports_.note(member, now_us_, limits_->viewers_interval_us);

  member.form = message.form;
  member.cannot_play = message.cannot_play;
  note_buffering(member, message.buffering && !message.cannot_play, effects);
}

// What cannot be played comes with no patience: who cannot play does not buffer, and is not ready.
void SessionMachine::note_buffering(Member& member, bool buffering, Effects& effects) {
  VS_ASSERT(member.reported);
  const bool began = buffering && !member.buffering;
  roster_.set_buffering(member, buffering);
  if (began) on_buffering(member, effects);
  if (buffering) return;
  if (!member.cannot_play) member.was_ready = true;
  stop_awaiting(member, effects);
  VS_ASSERT(!member.is_awaited);
}

// Joining moves nobody: one that came after the start is waited for in mid-play only when it has
// kept up before.
bool SessionMachine::is_awaitable(const Member& member) const noexcept {
  if (member.is_awaited || now_us_ < member.awaitable_from_us) return false;
  return member.was_ready || member.since_us <= started_us_;
}

// After a start or a seek, whose state is pushed already. Whom a wait is for already stays in it.
void SessionMachine::await_at_start(Effects& effects) {
  if (settings_.on_stall != OnStall::wait) return;
  const std::int64_t until_us = now_us_ + limits_->start_wait_us;
  if (stall_wait_.active()) stall_wait_.begin(until_us);
  std::size_t looked_at = std::min(roster_.buffering_count(), StallWait::awaited_max);
  for (; looked_at > 0 && !stall_wait_.full(); --looked_at) {
    Member& member = *roster_.next_buffering();
    VS_ASSERT(member.buffering);
    if (!is_awaitable(member)) continue;
    if (!stall_wait_.active()) stall_wait_.begin(until_us);
    stall_wait_.add(member, now_us_ + limits_->wait_again_us);
  }
  VS_ASSERT(stall_wait_.size() <= roster_.buffering_count());
  if (!stall_wait_.active()) return;
  stand_still(effects);
}

// `member` began to buffer. Soon after a start it has what is left of the start's time.
void SessionMachine::on_buffering(Member& member, Effects& effects) {
  VS_ASSERT(member.buffering);
  VS_ASSERT(!member.is_awaited);
  if (settings_.on_stall != OnStall::wait || !is_awaitable(member) || stall_wait_.full()) return;
  if (!stall_wait_.active()) {
    if (!playback_.state().playing || start_judged_at_us() != INT64_MAX) return;
    stall_wait_.begin(
        std::max(started_us_ + limits_->start_wait_us, now_us_ + limits_->stall_wait_us));
  }
  stall_wait_.add(member, now_us_ + limits_->wait_again_us);
  VS_ASSERT(stall_wait_.size() <= roster_.buffering_count());
  if (playback_.state().playing || stall_wait_.size() <= member_list_max) stand_still(effects);
}

// `member` is ready, or gone.
void SessionMachine::stop_awaiting(Member& member, Effects& effects) {
  if (!member.is_awaited) return;
  VS_ASSERT(stall_wait_.active());
  VS_ASSERT(!playback_.state().playing);
  stall_wait_.remove(member);
  if (stall_wait_.empty()) {
    go_on(effects);
  } else if (stall_wait_.size() <= member_list_max) {
    effects.push(stall_wait_.to_effect());
  }
}

void SessionMachine::stand_still(Effects& effects) {
  VS_ASSERT(stall_wait_.active());
  if (playback_.state().playing) {
    playback_.stall(now_us_);
    push_state(effects);
  }
  VS_ASSERT(!playback_.state().playing);
  effects.push(stall_wait_.to_effect());
}

void SessionMachine::go_on(Effects& effects) {
  VS_ASSERT(stall_wait_.active());
  VS_ASSERT(!playback_.state().playing);
  stall_wait_.end(roster_);
  playback_.resume(now_us_, lead_us());
  push_state(effects);
}

}  // namespace videosync
