// What falls due in a SessionMachine by itself, and the news that are sent in batches.
#include <algorithm>
#include <array>
#include <utility>

#include "core/base/assert.h"
#include "proto/session/session_machine.h"

namespace videosync {

void SessionMachine::begin_event(std::int64_t now_us, Effects& effects) {
  assert_sound();
  now_us_ = std::max(now_us_, now_us);
  for (Due due = earliest_due(); due.at_us <= now_us_; due = earliest_due()) {
    settle(due.timer, effects);
  }
}

SessionMachine::Due SessionMachine::earliest_due() const noexcept {
  Due earliest;
  if (ended_) return earliest;
  const std::array candidates{
      Due{Timer::start, start_judged_at_us()},
      Due{Timer::media_end, playback_.end_us()},
      Due{Timer::up_next, up_next_us_ != 0 ? up_next_us_ : INT64_MAX},
      Due{Timer::stall_wait, stall_wait_.until_us()},
      Due{Timer::unheard, unheard_ > 0 ? reopened_us_ + limits_->unheard_us : INT64_MAX},
      Due{Timer::door, knocks_.due_us()},
      Due{Timer::host_grace, host_grace_end_us()},
      Due{Timer::resume, resume_end_us()},
      Due{Timer::left, left_due_us()},
      Due{Timer::time_to_live, time_to_live_end_us()},
  };
  for (const Due& due : candidates) {
    if (due.at_us < earliest.at_us) earliest = due;
  }
  return earliest;
}

void SessionMachine::settle(Timer timer, Effects& effects) {
  VS_ASSERT(!ended_);
  switch (timer) {
    case Timer::start:
      start_judged_us_ = playback_.start_us();
      started_us_ = now_us_;
      await_at_start(effects);
      return;
    case Timer::media_end:
      playback_.stop_at_end(now_us_);
      push_state(effects);
      begin_up_next(effects);
      return;
    case Timer::up_next:
      play_up_next(effects);
      return;
    case Timer::stall_wait:
      go_on(effects);
      return;
    case Timer::unheard:
      leave_unheard(effects);
      return;
    case Timer::door:
      leave_door_unheard(effects);
      return;
    case Timer::host_grace: {
      VS_ASSERT(!roster_.known(host_).connected);
      const Member* next = roster_.longest_connected();
      set_host(next != nullptr ? next->id : MemberId{}, HostReason::left, effects);
      return;
    }
    case Timer::resume:
      forget(*roster_.longest_away(), effects);
      return;
    case Timer::left:
      stall_wait_.end(roster_);
      playback_.stand_since(last_activity_us_);
      push_state(effects);
      return;
    case Timer::time_to_live:
      finish(effects);
      return;
    case Timer::none:
      break;
  }
  VS_ASSERT(!"a timer that is due has a name");
}

void SessionMachine::learn_duration(const VideoChoice& video, std::int64_t now_us,
                                    Effects& effects) {
  begin_event(now_us, effects);
  const bool is_news = video.duration_s > 0 && video.duration_s != playback_.duration_s();
  if (ended_ || video.id != state().video || !is_news) return;
  durable_changed_ = true;
  const bool was_playing = state().playing;
  if (!playback_.learn_duration(video.duration_s, now_us_)) return;
  VS_ASSERT(!state().playing);
  push_state(effects);
  if (was_playing) begin_up_next(effects);
}

// Early enough for everybody to hear before the countdown is over that somebody is waited for.
std::int64_t SessionMachine::start_judged_at_us() const noexcept {
  const std::int64_t start_us = playback_.start_us();
  if (start_us == 0 || start_us == start_judged_us_ || !state().playing) return INT64_MAX;
  return start_us - start_lead_us_;
}

std::int64_t SessionMachine::host_grace_end_us() const noexcept {
  if (!host_) return INT64_MAX;
  const Member& host = roster_.known(host_);
  if (host.connected) return INT64_MAX;
  // Nobody inherits who may be gone.
  const std::int64_t heard_us = unheard_ > 0 ? reopened_us_ + limits_->unheard_us : INT64_MIN;
  return std::max(host.since_us + limits_->host_grace_us, heard_us);
}

std::optional<HostAway> SessionMachine::host_away() const noexcept {
  const std::int64_t until_us = host_grace_end_us();
  if (until_us == INT64_MAX) return std::nullopt;
  const Member* heir = roster_.longest_connected();
  return HostAway{until_us, heir != nullptr ? heir->id : MemberId{}};
}

std::int64_t SessionMachine::resume_end_us() const noexcept {
  const Member* member = roster_.longest_away();
  if (member == nullptr) return INT64_MAX;
  return member->since_us + std::max(limits_->resume_window_us, limits_->host_grace_us);
}

// When nobody can come back as who they were any more: until then they may have lost a connection
// alone, and find playback going on. Nobody has left where nobody ever was.
std::int64_t SessionMachine::left_due_us() const noexcept {
  const bool was_anybody = state().epoch > 0;
  if (!roster_.connected().empty() || !was_anybody) return INT64_MAX;
  if (playback_.left_us() == last_activity_us_) return INT64_MAX;
  return last_activity_us_ + std::max(limits_->resume_window_us, limits_->host_grace_us);
}

PlaybackState SessionMachine::state_as_left(const Limits& limits, const SessionRecord& record,
                                            std::int64_t now_us) {
  SessionMachine machine(limits, record, now_us);
  Effects nobody_hears;
  machine.begin_event(now_us, nobody_hears);
  if (machine.playback_.left_us() == 0) return record.state;
  PlaybackState state = machine.state();
  state.epoch = record.state.epoch;
  state.seq = record.state.seq;
  return state;
}

std::int64_t SessionMachine::time_to_live_end_us() const noexcept {
  if (!roster_.connected().empty()) return INT64_MAX;
  return last_activity_us_ + limits_->time_to_live_us;
}

std::int64_t SessionMachine::next_deadline_us() const noexcept {
  if (ended_) return INT64_MAX;
  if (!reactions_.empty()) return now_us_;
  return std::min(
      {earliest_due().at_us, presence_.due_us(), viewer_reports_.due_us(), queue_due_us_});
}

void SessionMachine::tick(std::int64_t now_us, Effects& effects) {
  begin_event(now_us, effects);
  if (ended_) return;
  flush_turn(effects);
  if (queue_due_us_ <= now_us_) tell_queue(effects);
  if (presence_.due_us() <= now_us_) {
    presence_.flush(roster_, host_, ready_.count(), host_away(), effects);
  }
  if (viewer_reports_.due_us() <= now_us_) {
    std::vector<ViewerReport> list = viewer_reports_.take_list(roster_, ready_, now_us_);
    const bool host_hears = host_ && roster_.known(host_).connected;
    if (host_hears && !list.empty()) effects.push(ViewersEffect{host_, std::move(list)});
  }
  VS_ASSERT(next_deadline_us() > now_us_);
}

void SessionMachine::flush_presence(Effects& effects) {
  if (!ended_ && queue_due_us_ != INT64_MAX) tell_queue(effects);
  if (!ended_) presence_.flush(roster_, host_, ready_.count(), host_away(), effects);
}

void SessionMachine::flush_turn(Effects& effects) {
  if (reactions_.empty()) return;
  effects.push(ReactionsEffect{std::exchange(reactions_, {})});
}

}  // namespace videosync
