// StallWait: the members for whom playback stands still, and until when (onStall `wait`).
//
// Never more than `awaited_max` members are waited for: the room is not held up by finding and
// telling a hundred thousand of them, and with so many the slowest would use the whole time anyway.
// Each member that was waited for is not waited for again for a while, counted from the moment it
// was added. Owned by a SessionMachine, which ends the wait when it is empty or over; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "proto/session/effects.h"
#include "proto/session/roster.h"
#include "proto/session/session_values.h"

namespace videosync {

class StallWait {
 public:
  static constexpr std::size_t awaited_max = 1'000;

  bool active() const noexcept { return until_us_ != INT64_MAX; }
  std::int64_t until_us() const noexcept { return until_us_; }  // INT64_MAX: not active
  bool empty() const noexcept { return members_.empty(); }
  bool full() const noexcept { return members_.size() >= awaited_max; }
  std::size_t size() const noexcept { return members_.size(); }

  // Also moves the end of a wait that goes on.
  void begin(std::int64_t until_us);
  void add(Member& member, std::int64_t awaitable_from_us);
  void remove(Member& member);
  // Nothing where there is no wait.
  void end(Roster& roster);

  WaitingEffect to_effect() const;

 private:
  std::vector<MemberId> members_;  // those with is_awaited, in the order in which they were added
  std::int64_t until_us_ = INT64_MAX;
};

}  // namespace videosync
