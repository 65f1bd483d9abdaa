// TimerWheel: many coarse deadlines at constant cost (hierarchical timing wheels, Varghese & Lauck
// 1987). Pure: it is told the time and knows no clock.
//
// Seven levels of 64 slots at one millisecond (139 years): an entry waits in the level of the
// highest digit, base 64, in which its deadline differs from now, and moves down when that digit is
// reached. Entries are members of their owners, who outlive them in the wheel or cancel. One
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/base/intrusive_list.h"

namespace videosync {

struct TimerTag {};

struct TimerEntry : ListLink<TimerTag> {
  using Handler = void (*)(void* owner) noexcept;

  Handler on_expired = nullptr;
  void* owner = nullptr;
  std::int64_t deadline_ms = 0;

  TimerEntry(Handler handler, void* owner_of_entry) noexcept
      : on_expired(handler), owner(owner_of_entry) {}
  ~TimerEntry() {
    if (is_linked()) unlink();
  }
  bool is_armed() const noexcept { return is_linked(); }
};

class TimerWheel {
 public:
  explicit TimerWheel(std::int64_t now_ms) noexcept : start_ms_(now_ms) {}
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;
  ~TimerWheel();

  // Arms or moves `entry`. A deadline that has passed expires in the next expire().
  void schedule(TimerEntry& entry, std::int64_t deadline_ms) noexcept;
  void cancel(TimerEntry& entry) noexcept;

  // Advances to `now_ms` and calls every handler whose deadline is reached, each no more than once
  // and in the order of deadlines. Handlers may schedule and cancel any entry.
  void expire(std::int64_t now_ms) noexcept;

  // A time at or before the earliest deadline, never later; none without entries. It is exact when
  // the deadline is within the current 64 ms and otherwise a moment at which to ask again.
  std::optional<std::int64_t> next_wake_ms() const noexcept;

 private:
  static constexpr int levels = 7;
  static constexpr int digit_bits = 6;
  static constexpr int slots = 1 << digit_bits;
  static constexpr std::int64_t reach = (std::int64_t{1} << (levels * digit_bits)) - 1;

  using Slot = IntrusiveList<TimerEntry, TimerTag>;
  struct Level {
    std::array<Slot, slots> slots_of_level;
    std::uint64_t maybe_occupied = 0;  // a clear bit: certainly empty
  };

  // Into its slot, or at the end of `due` when its deadline is reached.
  void place(TimerEntry& entry, Slot& due) noexcept;
  std::optional<std::int64_t> next_slot() const noexcept;
  void move_down_to_now(Slot& due) noexcept;
  static void run(Slot& due) noexcept;

  const std::int64_t start_ms_;
  std::int64_t now_ = 0;  // milliseconds since start_ms_
  std::array<Level, levels> levels_;
  Slot overdue_;  // their deadlines had passed when they were scheduled
};

}  // namespace videosync
