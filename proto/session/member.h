// Member: what a session knows of one of its members, and where members are kept.
//
// As small as it can be made, since there is one for each viewer: the roster's links are places in
// the slab. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/short_text.h"
#include "proto/session/session_values.h"

namespace videosync {

// Where a member is in its slab.
using MemberPlace = std::uint32_t;
inline constexpr MemberPlace no_place = UINT32_MAX;

struct Member {
  MemberId id;
  ConnectionNumber connection;  // the newest one
  ShortText name;
  BrowserId browser;          // of its newest connection that has shown one
  std::int64_t since_us = 0;  // connected: when this connection came; away: when it went
  std::int64_t awaitable_from_us = INT64_MIN;  // playback does not wait for it before
  // What it last reported on this connection; means something while `reported`.
  float drift_ms = 0;
  float rtt_ms = 0;
  std::uint32_t lists_seen = 0;  // lists made when it connected or went last: see presence.h

  bool reported : 1 = false;
  bool cannot_play : 1 = false;
  Form form : 3 = Form::unknown;
  bool buffering : 1 = false;   // true exactly while in the roster's list of buffering members
  bool was_ready : 1 = false;   // has reported on this connection that it is not buffering
  bool is_listed : 1 = false;   // in ViewerReports' list of those who reported
  bool connected : 1 = false;   // true exactly while among the connected
  bool is_awaited : 1 = false;  // true exactly while playback waits for it
  // See presence.h.
  bool is_announced : 1 = false;
  bool is_touched : 1 = false;
  bool is_altered : 1 = false;
  bool was_connected : 1 = false;      // when it was touched last
  bool is_told_otherwise : 1 = false;  // a newcomer's list showed it in a state that did not last
  bool is_counted_ready : 1 = false;   // see ready_members.h, as the next one
  std::uint32_t ready_round = 0;

  // The roster's own.
  MemberPlace place = no_place;
  MemberPlace lower = no_place;  // in its tree: the members with lower ids, and with higher ones
  MemberPlace higher = no_place;
  MemberPlace previous = no_place;  // in its list, while in one
  MemberPlace next = no_place;
};
static_assert(sizeof(Member) <= 88, "a session has one for each viewer");

// Members at stable addresses. Never gives memory back before its end.
class MemberSlab {
 public:
  Member& at(MemberPlace place) noexcept { return chunks_[place / chunk][place % chunk]; }

  // A new one, of which only `place` means anything.
  Member& take();
  void give_back(Member& member) noexcept;

 private:
  static constexpr MemberPlace chunk = 8;  // most sessions have a few members

  std::vector<std::unique_ptr<Member[]>> chunks_;
  MemberPlace first_free_ = no_place;  // the others by `next`
};

// A doubly linked list of members of one slab. A member is in at most one.
class MemberList {
 public:
  explicit MemberList(MemberSlab& slab) noexcept : slab_(slab) {}

  bool empty() const noexcept { return first_ == no_place; }
  Member* front() const noexcept { return empty() ? nullptr : &slab_.at(first_); }
  void push_back(Member& member) noexcept;
  void remove(Member& member) noexcept;

 private:
  MemberSlab& slab_;
  MemberPlace first_ = no_place;
  MemberPlace last_ = no_place;
};

}  // namespace videosync
