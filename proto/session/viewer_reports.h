// ViewerReports: which viewers the host should look at, worst first.
//
// A list is chosen among those who reported since the last one and those whom the last one showed,
// with their newest values: a small session is always shown whole, in a large one the worst stay in
// sight until they do better. Cost of a list: one partial sort over the reports of a second, which
// `reportEveryMs` holds near 2,000 whatever the session's size; of more, the first `considered_max`
// are looked at (without that bound, 100,000 in one second cost 18 ms). One that buffers is worse
// than any that does not; then the greater drift is worse. Owned by a SessionMachine; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "proto/session/effects.h"
#include "proto/session/ready_members.h"
#include "proto/session/roster.h"
#include "proto/session/session_values.h"

namespace videosync {

class ViewerReports {
 public:
  static constexpr std::size_t considered_max = 4'096;

  // What is shown of `member` is new. The next list is due at once, or an interval after the last.
  void note(Member& member, std::int64_t now_us, std::int64_t interval_us);

  // What is shown of all may be new.
  void note_shown(std::int64_t now_us, std::int64_t interval_us);

  std::int64_t due_us() const noexcept { return due_us_; }  // INT64_MAX: no news
  // The members that left are not in it; empty where all did. At most member_list_max.
  std::vector<ViewerReport> take_list(Roster& roster, const ReadyMembers& ready,
                                      std::int64_t now_us);

 private:
  void make_due(std::int64_t now_us, std::int64_t interval_us);

  std::vector<MemberId> listed_;  // reported since the last list, or shown in it: each once
  std::int64_t due_us_ = INT64_MAX;
  std::int64_t last_us_ = INT64_MIN;
};

}  // namespace videosync
