// SessionMachine: what comes next, and who may say so.
#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "proto/session/session_machine.h"

namespace videosync {

void SessionMachine::adopt_queue(Queue queue) {
  VS_ASSERT(queue_.version() == 0);
  VS_ASSERT(!is_queue_changed_);
  queue_ = std::move(queue);
  if (up_next_us_ != 0 && !queue_.empty()) up_next_item_ = queue_.items().front().id;
}

// --- Telling -------------------------------------------------------------------------------------

// It is stored with every change, and told no more often than who is there: it may be long.
void SessionMachine::note_queue(Effects& effects) {
  durable_changed_ = is_queue_changed_ = true;
  const bool is_next_another =
      up_next_us_ != 0 && (queue_.empty() || queue_.items().front().id != up_next_item_);
  if (is_next_another) {  // the queue that it is of comes first
    tell_queue(effects);
    return queue_.empty() ? call_off_next(effects) : tell_up_next(effects);
  }
  if (queue_due_us_ != INT64_MAX) return;
  const std::int64_t interval_us = presence_interval_us();
  if (queue_told_us_ == INT64_MIN || now_us_ - queue_told_us_ >= interval_us) {
    return tell_queue(effects);
  }
  queue_due_us_ = queue_told_us_ + interval_us;
  VS_ASSERT(queue_due_us_ > now_us_);
}

void SessionMachine::tell_queue(Effects& effects) {
  VS_ASSERT(queue_.version() > 0);
  VS_ASSERT(!ended_);
  queue_told_us_ = now_us_;
  queue_due_us_ = INT64_MAX;
  effects.push(QueueEffect{state().epoch});
}

// --- Who may -------------------------------------------------------------------------------------

bool SessionMachine::require_queue(const Member& member, std::string_view re, Effects& effects) {
  if (queue_talk_.take(limits_->queue, now_us_)) return true;
  refuse(member, Refusal::rate_limited, re, "too many changes of this session's queue", effects);
  return false;
}

const QueueItem* SessionMachine::require_item(const Member& member, QueueItemId id,
                                              std::string_view re, Effects& effects) const {
  const QueueItem* item = queue_.find(id);
  if (item == nullptr) {
    refuse(member, Refusal::no_such_item, re, "the queue has no such item", effects);
  }
  return item;
}

// --- What members say ----------------------------------------------------------------------------

void SessionMachine::handle_enqueue(MemberId id, const EnqueueMessage& message,
                                    std::optional<VideoChoice> video, std::int64_t now_us,
                                    Effects& effects) {
  begin_event(now_us, effects);
  if (ended_) return;
  Member* member = roster_.find_connected(id);
  if (member == nullptr) return;
  const bool may = settings_.queue == QueueRight::everyone || controls(*member);
  if (!may && !require_host(*member, "enqueue", effects)) return;
  if (!video || video->id.empty() || video->id.size() > video_id_bytes_max) {
    refuse(*member, Refusal::no_such_video, "enqueue", "the library has no such video", effects);
    return;
  }
  if (queue_.full()) {
    refuse(*member, Refusal::queue_full, "enqueue", "the queue has 200 items already", effects);
    return;
  }
  if (!require_queue(*member, "enqueue", effects)) return;
  const bool was_changed = std::exchange(durable_changed_, false);
  VS_ASSERT(member->connected);
  queue_.add(std::move(*video), id, member->name.view(), message.at.value_or(UINT32_MAX), now_us_);
  note_queue(effects);
  count_command(was_changed);
}

void SessionMachine::on_message(Member&, const EnqueueMessage&, Effects&) {
  VS_ASSERT(!"an enqueue comes through handle_enqueue");
}

void SessionMachine::on_message(Member& member, const DequeueMessage& message, Effects& effects) {
  const QueueItem* item = queue_.find(message.item);
  const bool is_own = item != nullptr && item->by == member.id;
  const bool may = is_own && settings_.queue == QueueRight::everyone;
  if (!may && !require_control(member, "dequeue", effects)) return;
  VS_ASSERT(member.connected);
  if (require_item(member, message.item, "dequeue", effects) == nullptr) return;
  if (!require_queue(member, "dequeue", effects)) return;
  queue_.take(message.item);
  note_queue(effects);
}

void SessionMachine::on_message(Member& member, const MoveMessage& message, Effects& effects) {
  if (!require_control(member, "move", effects)) return;
  VS_ASSERT(member.connected);
  if (require_item(member, message.item, "move", effects) == nullptr) return;
  if (!require_queue(member, "move", effects)) return;
  queue_.move(message.item, message.at);
  note_queue(effects);
}

void SessionMachine::on_message(Member& member, const JumpMessage& message, Effects& effects) {
  if (!require_control(member, "jump", effects)) return;
  VS_ASSERT(member.connected);
  if (require_item(member, message.item, "jump", effects) == nullptr) return;
  if (!require_queue(member, "jump", effects)) return;
  show(*queue_.take(message.item), member.id, goes_on_playing(), effects);
}

void SessionMachine::on_message(Member& member, const NextMessage&, Effects& effects) {
  if (!require_control(member, "next", effects)) return;
  VS_ASSERT(member.connected);
  const QueueItemId first = queue_.empty() ? QueueItemId{} : queue_.items().front().id;
  if (require_item(member, first, "next", effects) == nullptr) return;
  if (!require_queue(member, "next", effects)) return;
  show(*queue_.take(first), member.id, goes_on_playing(), effects);
}

void SessionMachine::on_message(Member& member, const CancelNextMessage&, Effects& effects) {
  if (require_control(member, "cancelNext", effects)) call_off_next(effects);
}

// --- The next one --------------------------------------------------------------------------------

bool SessionMachine::goes_on_playing() const noexcept {
  const bool has_ended = state().cause == Cause::ended || up_next_us_ != 0;
  const bool plays = state().playing || has_ended || stall_wait_.active();
  return plays && !playback_.is_counting_down(now_us_);
}

// An item that has been taken out, which everybody is told first. The state ends what was up next.
void SessionMachine::show(QueueItem item, MemberId by, bool plays, Effects& effects) {
  VS_ASSERT(queue_.find(item.id) == nullptr);
  VS_ASSERT(!ended_);
  up_next_us_ = 0;
  is_next_wanted_ = false;
  durable_changed_ = is_queue_changed_ = true;
  tell_queue(effects);
  stall_wait_.end(roster_);
  if (plays) {
    playback_.load_and_play(std::move(item.video), now_us_, lead_us(), by);
  } else {
    playback_.load(std::move(item.video), now_us_, by);
  }
  clear_ready();
  push_state(effects);
  if (!plays) return;
  started_us_ = now_us_;
  await_at_start(effects);
}

// --- By itself -----------------------------------------------------------------------------------

UpNext SessionMachine::up_next() const {
  if (up_next_us_ == 0 || queue_.empty()) return {};
  const QueueItem& first = queue_.items().front();
  return {first.id, first.video.id, up_next_us_};
}

// At the end of a film, for whoever is there: nobody is played anything in an empty room.
void SessionMachine::begin_up_next(Effects& effects) {
  VS_ASSERT(state().cause == Cause::ended);
  VS_ASSERT(up_next_us_ == 0);
  is_next_wanted_ = queue_.empty() && member_count() > 0;
  if (queue_.empty() || member_count() == 0) return;
  up_next_us_ = now_us_ + limits_->up_next_us;
  durable_changed_ = true;
  tell_up_next(effects);
}

void SessionMachine::tell_up_next(Effects& effects) {
  up_next_item_ = queue_.items().front().id;
  effects.push(UpNextEffect{up_next()});
  VS_ASSERT(up_next_us_ != 0);
}

void SessionMachine::offer_next(std::optional<VideoChoice> video, std::int64_t now_us,
                                Effects& effects) {
  begin_event(now_us, effects);
  const bool is_wanted = std::exchange(is_next_wanted_, false) && !ended_;
  const bool fits = video && !video->id.empty() && video->id.size() <= video_id_bytes_max;
  if (!is_wanted || !fits || !queue_.empty() || state().cause != Cause::ended) return;
  VS_ASSERT(up_next_us_ == 0);
  queue_.add(std::move(*video), MemberId{}, "", 0, now_us_);
  durable_changed_ = is_queue_changed_ = true;
  tell_queue(effects);
  begin_up_next(effects);
}

void SessionMachine::call_off_next(Effects& effects) {
  VS_ASSERT(!ended_);
  is_next_wanted_ = false;
  if (std::exchange(up_next_us_, 0) == 0) return;
  VS_ASSERT(!state().playing);
  durable_changed_ = true;
  effects.push(UpNextEffect{});
}

void SessionMachine::play_up_next(Effects& effects) {
  VS_ASSERT(up_next_us_ != 0);
  VS_ASSERT(!state().playing);
  if (queue_.empty() || member_count() == 0) return call_off_next(effects);
  show(*queue_.take(queue_.items().front().id), MemberId{}, true, effects);
}

}  // namespace videosync
