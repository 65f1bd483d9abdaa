#include "core/reactor/timer_wheel.h"

#include <criterion/criterion.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

using videosync::TimerEntry;
using videosync::TimerWheel;

namespace {

struct Alarm {
  TimerEntry entry{[](void* owner) noexcept { ++static_cast<Alarm*>(owner)->rings; }, this};
  int rings = 0;
};

}  // namespace

Test(timer_wheel, an_entry_expires_at_its_deadline_and_not_before) {
  TimerWheel wheel(1'000);
  Alarm alarm;
  wheel.schedule(alarm.entry, 1'250);
  wheel.expire(1'249);
  cr_assert_eq(alarm.rings, 0);
  wheel.expire(1'250);
  cr_assert_eq(alarm.rings, 1);
  wheel.expire(5'000);
  cr_assert_eq(alarm.rings, 1);
}

Test(timer_wheel, a_cancelled_entry_is_silent) {
  TimerWheel wheel(0);
  Alarm alarm;
  wheel.schedule(alarm.entry, 10);
  wheel.cancel(alarm.entry);
  wheel.expire(100);
  cr_assert_eq(alarm.rings, 0);
}

Test(timer_wheel, a_late_call_expires_all_in_the_order_of_deadlines) {
  TimerWheel wheel(0);
  static std::vector<int> order;
  order.clear();
  struct Numbered {
    int number;
    TimerEntry entry{
        [](void* owner) noexcept { order.push_back(static_cast<Numbered*>(owner)->number); }, this};
  };
  Numbered far{3}, near{1}, middle{2};
  wheel.schedule(far.entry, 100'000);
  wheel.schedule(near.entry, 5);
  wheel.schedule(middle.entry, 4'096);
  wheel.expire(1'000'000);
  cr_assert(order == (std::vector<int>{1, 2, 3}));
}

Test(timer_wheel, a_handler_that_reschedules_into_the_past_does_not_loop) {
  struct Again {
    TimerWheel& wheel;
    int rings = 0;
    TimerEntry entry{[](void* owner) noexcept {
                       auto& self = *static_cast<Again*>(owner);
                       ++self.rings;
                       self.wheel.schedule(self.entry, 0);
                     },
                     this};
  };
  TimerWheel wheel(0);
  Again again{wheel};
  wheel.schedule(again.entry, 1);
  wheel.expire(50);
  cr_assert_eq(again.rings, 1);
  wheel.expire(51);
  cr_assert_eq(again.rings, 2);
}

Test(timer_wheel, what_a_handler_schedules_into_the_past_delays_nobody) {
  struct Planner {
    TimerWheel& wheel;
    Alarm& other;
    TimerEntry entry{[](void* owner) noexcept {
                       auto& self = *static_cast<Planner*>(owner);
                       self.wheel.schedule(self.other.entry, 0);
                     },
                     this};
  };
  TimerWheel wheel(0);
  Alarm past, later;
  Planner planner{wheel, past};
  wheel.schedule(planner.entry, 10);
  wheel.schedule(later.entry, 20);
  wheel.expire(100);
  cr_assert_eq(later.rings, 1);
  cr_assert_eq(past.rings, 0);
  cr_assert_eq(wheel.next_wake_ms().value_or(-1), 100);
  wheel.expire(100);
  cr_assert_eq(past.rings, 1);
}

Test(timer_wheel, runs_for_longer_than_any_machine) {
  constexpr std::int64_t year_ms = 365LL * 24 * 3'600 * 1'000;
  TimerWheel wheel(0);
  Alarm alarm;
  std::int64_t now = 0;
  for (int i = 0; i < 50; ++i) {
    now += year_ms;
    wheel.expire(now);
    wheel.schedule(alarm.entry, now + 1'000);
    wheel.expire(now + 999);
    cr_assert_eq(alarm.rings, i);
    now += 1'000;
    wheel.expire(now);
    cr_assert_eq(alarm.rings, i + 1);
  }
}

Test(timer_wheel, agrees_with_a_sorted_list_over_a_random_walk) {
  const unsigned seed = std::random_device{}();
  std::mt19937_64 random(seed);
  struct Model {
    std::int64_t deadline = -1;  // -1: not armed
    std::int64_t fired_at = -1;
  };
  static std::int64_t now = 0;
  struct Timer {
    Model model;
    TimerEntry entry{[](void* owner) noexcept { static_cast<Timer*>(owner)->model.fired_at = now; },
                     this};
  };
  now = 12'345;
  TimerWheel wheel(now);
  std::vector<std::unique_ptr<Timer>> timers;
  for (int i = 0; i < 200; ++i)
    timers.push_back(std::make_unique<Timer>());
  for (int step = 0; step < 20'000; ++step) {
    Timer& timer = *timers[random() % timers.size()];
    if (random() % 4 == 0) {
      wheel.cancel(timer.entry);
      timer.model.deadline = -1;
    } else {
      const int bits = static_cast<int>(random() % 24);
      timer.model.deadline = now + static_cast<std::int64_t>(random() % (1ull << bits)) + 1;
      wheel.schedule(timer.entry, timer.model.deadline);
    }
    std::int64_t earliest = INT64_MAX;
    for (auto& each : timers) {
      if (each->model.deadline >= 0) earliest = std::min(earliest, each->model.deadline);
    }
    const auto wake = wheel.next_wake_ms();
    cr_assert(earliest == INT64_MAX || (wake && *wake <= earliest), "seed %u step %d", seed, step);
    now += static_cast<std::int64_t>(random() % (random() % 16 == 0 ? 300'000 : 40));
    wheel.expire(now);
    for (auto& each : timers) {
      const bool should_fire = each->model.deadline >= 0 && each->model.deadline <= now;
      cr_assert_eq(each->model.fired_at >= 0, should_fire, "seed %u step %d", seed, step);
      cr_assert_eq(each->entry.is_armed(), each->model.deadline > now, "seed %u", seed);
      if (should_fire) each->model = {};
    }
  }
}
