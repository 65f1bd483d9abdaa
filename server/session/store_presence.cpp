#include "server/session/store_presence.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"

namespace videosync {

void StorePresence::on_ready(std::int64_t now_us) noexcept {
  VS_ASSERT(now_us >= whole_.ready_us);
  is_there_ = true;
  away_.reset();
  is_any_away_ = false;
  whole_.ready_us = now_us;
  if (std::exchange(was_there_, true)) whole_.returned_us = now_us;
  returns_.clear();  // these are older
  VS_ASSERT(!has_parts());
}

void StorePresence::on_lost() noexcept {
  VS_ASSERT(is_there_ || !is_any_away_);
  is_there_ = false;
  away_.reset();
  is_any_away_ = false;
  VS_ASSERT(away_.none());
}

void StorePresence::on_part_lost(const SlotSet& slots) noexcept {
  VS_ASSERT(slots.any());
  is_divided_ = true;
  if (!is_there_) return;
  away_ |= slots;
  is_any_away_ = true;
  VS_ASSERT(away_.any());
}

void StorePresence::on_part_ready(const SlotSet& slots, std::int64_t now_us) noexcept {
  VS_ASSERT(slots.any());
  is_divided_ = true;
  if (!is_there_) return;
  away_ &= ~slots;
  is_any_away_ = away_.any();
  for (Return& before : returns_)
    before.slots &= ~slots;
  std::erase_if(returns_, [](const Return& before) noexcept { return before.slots.none(); });
  returns_.push_back({slots, {.returned_us = now_us, .ready_us = now_us}});
  VS_ASSERT(returns_.size() <= key_slots);
}

StorePresence::Times StorePresence::times_of(std::uint16_t slot) const noexcept {
  VS_ASSERT(slot < key_slots);
  for (const Return& part : returns_) {
    if (part.slots.test(slot)) return part.times;
  }
  return whole_;
}

void StorePresence::on_slow_answer(std::int64_t asked_us, std::int64_t now_us,
                                   std::int64_t write_back_us,
                                   std::int64_t known_after_us) noexcept {
  VS_ASSERT(asked_us <= now_us);
  const auto begin_anew = [&](Times& times) noexcept {
    const bool was_writing = times.returned_us > 0 && asked_us - times.returned_us < write_back_us;
    if (was_writing) times.returned_us = now_us;
    if (asked_us - times.ready_us < known_after_us) times.ready_us = now_us;
  };
  begin_anew(whole_);
  for (Return& part : returns_)
    begin_anew(part.times);
  VS_ASSERT(whole_.ready_us <= now_us);
}

void StorePresence::forget_old_returns(std::int64_t now_us) noexcept {
  VS_ASSERT(returns_.size() <= key_slots);
  std::erase_if(returns_, [=](const Return& part) noexcept {
    return now_us - part.times.returned_us >= gone_back_us;
  });
  VS_ASSERT(returns_.empty() || is_divided_);
}

}  // namespace videosync
