// Presence: who came, went or changed since the members were last told, as one message.
//
// What happens to a member inside one interval is summed up: one that came and went is not
// mentioned, one that went and resumed neither - unless somebody who joined in between was told
// otherwise by the list in its welcome. The first event of a quiet session sets the time of
// the next message, so there are never two within an interval. O(1) an event, O(events) a flush.
// Keeps its marks in Member. Owned by a SessionMachine; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "proto/session/effects.h"
#include "proto/session/roster.h"

namespace videosync {

class Presence {
 public:
  // `member` connected or went away.
  void touch(Member& member, std::int64_t now_us, std::int64_t interval_us);
  // A list of the members is made for `joiner`, who was touched just now.
  void note_list(Member& joiner) noexcept;
  // Its name or role is another.
  void alter(Member& member, std::int64_t now_us, std::int64_t interval_us);
  // How many are ready is another number, or may be.
  void note_ready(std::int64_t now_us, std::int64_t interval_us);
  // The members are told of another host: who is there.
  void note_host() noexcept { told_away_.reset(); }
  // Before the roster forgets it.
  void forget(Member& member, Role role);

  std::int64_t due_us() const noexcept { return due_us_; }  // INT64_MAX: nothing to tell
  // Pushes at most one MembersEffect; none where it all cancelled out.
  void flush(Roster& roster, MemberId host, std::uint32_t ready,
             const std::optional<HostAway>& host_away, Effects& effects);

 private:
  std::vector<MemberId> touched_;  // each once; forgotten ones may still be among them
  std::vector<MemberInfo> gone_;   // announced, gone and forgotten; at most member_list_max
  std::int64_t due_us_ = INT64_MAX;
  std::optional<HostAway> told_away_;
  std::uint32_t lists_ = 0;  // made so far; compared for equality only
  bool is_ready_news_ = false;
};

}  // namespace videosync
