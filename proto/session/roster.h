// Roster: the members of a session, in the order in which they first connected.
//
// A member is connected, or away for as long as it may still resume; then it is forgotten. Ids are
// given in growing order and never twice, and a resumed member keeps its id, so the order of ids is
// the line for the host's seat: the longest connected is the first of `connected`. Moving between
// connected and away allocates nothing. Pointers stay valid until forget(). All operations are
// O(log members). Owned by a SessionMachine; one thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/assert.h"
#include "proto/session/member.h"
#include "proto/session/member_tree.h"
#include "proto/session/session_values.h"

namespace videosync {

// No message lists more members than this, whatever the session's size.
inline constexpr std::size_t member_list_max = 50;

class Roster {
 public:
  explicit Roster(std::uint32_t next_id) noexcept : next_id_(next_id) {}
  Roster(const Roster&) = delete;
  Roster& operator=(const Roster&) = delete;

  // A new member with its first connection.
  Member& add(std::string_view name, std::int64_t now_us);
  // One that was a member before this process was: away, with a known id below the next one.
  Member& add_away(MemberId id, std::string_view name, std::int64_t now_us);
  // The same, connected through a connection that is yet to be heard of (number 0) or known. Ids
  // that are given from now on are higher.
  Member& add_connected(MemberId id, std::string_view name, ConnectionNumber connection,
                        std::int64_t now_us);
  // The next connection of a member, away or connected.
  void reconnect(Member& member, std::int64_t now_us);
  // `member` is connected, and away from now on.
  void set_away(Member& member, std::int64_t now_us);
  void forget(Member& member);
  void set_buffering(Member& member, bool buffering);

  // Null where there is none.
  Member* find(MemberId id) noexcept;
  const Member* find(MemberId id) const noexcept;
  // REQUIRES that there is one.
  Member& known(MemberId id) noexcept;
  const Member& known(MemberId id) const noexcept { return const_cast<Roster*>(this)->known(id); }
  Member* find_connected(MemberId id) noexcept { return connected_.find(id); }
  Member* longest_connected() noexcept { return connected_.first(); }
  const Member* longest_connected() const noexcept { return connected_.first(); }
  Member* longest_away() noexcept { return away_list_.front(); }
  const Member* longest_away() const noexcept { return away_list_.front(); }

  const MemberTree& connected() const noexcept { return connected_; }
  const MemberTree& away() const noexcept { return away_; }
  std::size_t away_count() const noexcept { return away_.size(); }
  std::uint32_t next_id() const noexcept { return next_id_; }
  // Somebody else has given it: no id up to it is given here.
  void note_given(MemberId id) noexcept { next_id_ = std::max(next_id_, id.value + 1); }

  // Connected members that buffer. next_buffering() gives one and puts it behind the others, so
  // that whoever looks at a few of many looks at others the next time. Null where there is none.
  std::size_t buffering_count() const noexcept { return buffering_count_; }
  Member* next_buffering() noexcept;

 private:
  Member& make(MemberId id, std::string_view name, std::int64_t now_us);
  // What counts and lists say of each other.
  void assert_sound() const noexcept {
    VS_ASSERT(away_list_.empty() == away_.empty());
    VS_ASSERT(buffering_list_.empty() == (buffering_count_ == 0));
    VS_ASSERT(buffering_count_ <= connected_.size());
  }

  MemberSlab slab_;
  MemberTree connected_{slab_};
  MemberTree away_{slab_};
  MemberList away_list_{slab_};       // every away member, by since_us
  MemberList buffering_list_{slab_};  // connected ones only, so one link serves both lists
  std::size_t buffering_count_ = 0;
  std::uint32_t next_id_;
};

}  // namespace videosync
