// Scheduler: virtual time, and what is to happen in it.
//
// Nothing else moves time: it jumps from event to event. Events of the same moment happen in the
// order in which they were scheduled, so a run is a function of its seed. One thread. What an event
// captures has to live until then: parts of a world stay until the world ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/inline_task.h"

namespace videosync::sim {

class Scheduler {
 public:
  std::int64_t now_us() const noexcept { return now_us_; }

  // A time that has passed: now, behind what is scheduled for now already.
  void at(std::int64_t time_us, InlineTask task);
  void after(std::int64_t delay_us, InlineTask task) { at(now_us_ + delay_us, std::move(task)); }

  // Runs the earliest event; false: there is none.
  bool step() noexcept;
  // Everything up to that time, which it is then.
  void run_until(std::int64_t time_us) noexcept;

  // When the earliest event is due; INT64_MAX: there is none.
  std::int64_t next_us() const noexcept {
    return heap_.empty() ? INT64_MAX : heap_.front().time_us;
  }

  std::uint64_t steps() const noexcept { return steps_; }
  std::size_t waiting() const noexcept { return heap_.size(); }

 private:
  struct Entry {
    std::int64_t time_us;
    std::uint64_t number;  // of scheduling
    std::uint32_t slot;    // in tasks_

    // For the standard library's heaps, whose first is the greatest.
    friend bool operator<(const Entry& a, const Entry& b) noexcept {
      return a.time_us != b.time_us ? a.time_us > b.time_us : a.number > b.number;
    }
  };

  std::int64_t now_us_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t scheduled_ = 0;
  std::vector<Entry> heap_;
  std::vector<InlineTask> tasks_;
  std::vector<std::uint32_t> free_;
};

}  // namespace videosync::sim
