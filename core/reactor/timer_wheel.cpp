#include "core/reactor/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace videosync {

TimerWheel::~TimerWheel() {
  for (Level& level : levels_) {
    for (Slot& slot : level.slots_of_level) {
      while (slot.pop_front() != nullptr) {
      }
    }
  }
  while (overdue_.pop_front() != nullptr) {
  }
}

void TimerWheel::schedule(TimerEntry& entry, std::int64_t deadline_ms) noexcept {
  VS_ASSERT(entry.on_expired != nullptr);
  if (entry.is_linked()) entry.unlink();
  entry.deadline_ms = deadline_ms;
  place(entry, overdue_);
}

void TimerWheel::cancel(TimerEntry& entry) noexcept {
  if (entry.is_linked()) entry.unlink();
}

void TimerWheel::place(TimerEntry& entry, Slot& due) noexcept {
  const std::int64_t deadline = std::min(entry.deadline_ms - start_ms_, reach);
  if (deadline <= now_) {
    due.push_back(entry);
    return;
  }
  const auto differing = static_cast<std::uint64_t>(deadline ^ now_);
  const int level = static_cast<int>(std::bit_width(differing) - 1) / digit_bits;
  VS_ASSERT(level < levels);
  const auto slot = static_cast<unsigned>(deadline >> (level * digit_bits)) & (slots - 1);
  Level& home = levels_[static_cast<unsigned>(level)];
  home.slots_of_level[slot].push_back(entry);
  home.maybe_occupied |= std::uint64_t{1} << slot;
}

std::optional<std::int64_t> TimerWheel::next_wake_ms() const noexcept {
  const auto next = overdue_.empty() ? next_slot() : now_;
  if (!next) return std::nullopt;
  return start_ms_ + *next;
}

// When the next slot that may hold entries begins, on the wheel's own scale.
std::optional<std::int64_t> TimerWheel::next_slot() const noexcept {
  for (int i = 0; i < levels; ++i) {
    const int shift = i * digit_bits;
    const auto digit = static_cast<unsigned>(now_ >> shift) & (slots - 1);
    const std::uint64_t later = digit == slots - 1 ? 0 : ~std::uint64_t{0} << (digit + 1);
    const std::uint64_t candidates = levels_[static_cast<unsigned>(i)].maybe_occupied & later;
    if (candidates == 0) continue;
    const std::int64_t window = now_ >> (shift + digit_bits) << (shift + digit_bits);
    const std::int64_t slot = std::countr_zero(candidates);
    return window | slot << shift;
  }
  return std::nullopt;
}

// What waits in a higher level's slot that begins right now belongs to a lower level, or is due.
void TimerWheel::move_down_to_now(Slot& due) noexcept {
  for (int i = levels - 1; i >= 0; --i) {
    const int shift = i * digit_bits;
    if ((now_ & ((std::int64_t{1} << shift) - 1)) != 0) continue;
    const auto digit = static_cast<unsigned>(now_ >> shift) & (slots - 1);
    Level& level = levels_[static_cast<unsigned>(i)];
    level.maybe_occupied &= ~(std::uint64_t{1} << digit);
    while (TimerEntry* entry = level.slots_of_level[digit].pop_front())
      place(*entry, due);
  }
}

void TimerWheel::run(Slot& due) noexcept {
  while (TimerEntry* entry = due.pop_front())
    entry->on_expired(entry->owner);
}

// Entries that handlers schedule for the past stay in overdue_ for the next call: no endless loop.
void TimerWheel::expire(std::int64_t now_ms) noexcept {
  const std::int64_t target = std::max(now_ms - start_ms_, now_);
  Slot due;
  while (TimerEntry* entry = overdue_.pop_front())
    due.push_back(*entry);
  run(due);
  for (auto next = next_slot(); next && *next <= target; next = next_slot()) {
    now_ = *next;
    move_down_to_now(due);
    run(due);
  }
  now_ = target;
}

}  // namespace videosync
