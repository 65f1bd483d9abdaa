#include "tests/sim/scheduler.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"

namespace videosync::sim {

void Scheduler::at(std::int64_t time_us, InlineTask task) {
  std::uint32_t slot = 0;
  if (free_.empty()) {
    slot = static_cast<std::uint32_t>(tasks_.size());
    tasks_.push_back(std::move(task));
  } else {
    slot = free_.back();
    free_.pop_back();
    tasks_[slot] = std::move(task);
  }
  heap_.push_back({std::max(time_us, now_us_), scheduled_++, slot});
  std::push_heap(heap_.begin(), heap_.end());
}

bool Scheduler::step() noexcept {
  if (heap_.empty()) return false;
  std::pop_heap(heap_.begin(), heap_.end());
  const Entry entry = heap_.back();
  heap_.pop_back();
  VS_ASSERT(entry.time_us >= now_us_);
  now_us_ = entry.time_us;
  ++steps_;
  InlineTask task = std::move(tasks_[entry.slot]);
  free_.push_back(entry.slot);
  task();
  return true;
}

void Scheduler::run_until(std::int64_t time_us) noexcept {
  while (!heap_.empty() && heap_.front().time_us <= time_us)
    step();
  now_us_ = std::max(now_us_, time_us);
}

}  // namespace videosync::sim
