// Roster: the members of a session, in the order in which they first connected.
//
// A member is connected, or away for as long as it may still resume; then it is forgotten. Ids are
// given in growing order and never twice, and a resumed member keeps its id, so the order of ids is
// the line for the host's seat: the longest connected is the first of `connected`. Moving between
// connected and away moves a map node and allocates nothing. Pointers stay valid until forget().
// All operations are O(log members). Owned by a SessionMachine; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "core/base/intrusive_list.h"
#include "proto/session_types.h"

namespace videosync {

// No message lists more members than this, whatever the session's size.
inline constexpr std::size_t member_list_max = 50;

struct MemberListTag;

struct Member : ListLink<MemberListTag> {
  MemberId id;
  ConnectionNumber connection;  // the newest one
  Token secret;
  std::string name;
  std::int64_t since_us = 0;  // connected: when this connection came; away: when it went

  // What it last reported on this connection; means something while `reported`.
  float drift_ms = 0;
  float rtt_ms = 0;
  bool reported = false;
  bool buffering = false;   // true exactly while in the roster's list of buffering members
  bool was_ready = false;   // has reported on this connection that it is not buffering
  bool is_listed = false;   // in ViewerReports' list of those who reported
  bool connected = false;   // true exactly while among the connected
  bool is_awaited = false;  // true exactly while playback waits for it
  std::int64_t awaitable_from_us = INT64_MIN;  // playback does not wait for it before

  // See presence.h.
  bool is_announced = false;
  bool is_touched = false;
  bool is_altered = false;
  bool was_connected = false;      // when it was touched last
  bool is_told_otherwise = false;  // a newcomer's list showed it in a state that did not last
  std::uint32_t lists_seen = 0;    // lists made when it connected or went last
};

class Roster {
 public:
  using Map = std::map<MemberId, Member>;

  explicit Roster(std::uint32_t next_id) noexcept : next_id_(next_id) {}
  Roster(const Roster&) = delete;
  Roster& operator=(const Roster&) = delete;
  ~Roster();

  // A new member with its first connection.
  Member& add(std::string name, const Token& secret, std::int64_t now_us);
  // One that was a member before this process was: away, with a known id below the next one.
  Member& add_away(MemberId id, std::string name, const Token& secret, std::int64_t now_us);
  // The same, connected through a connection that is yet to be heard of (number 0) or known. Ids
  // that are given from now on are higher.
  Member& add_connected(MemberId id, std::string name, const Token& secret,
                        ConnectionNumber connection, std::int64_t now_us);
  // Connections that are made from now on have higher numbers than this.
  void set_connection_base(std::uint32_t base) noexcept { connection_base_ = base; }
  // The next connection of a member, away or connected.
  void reconnect(Member& member, std::int64_t now_us);
  // `member` is connected, and away from now on.
  void set_away(Member& member, std::int64_t now_us);
  void forget(Member& member);
  void set_buffering(Member& member, bool buffering);

  // Null where there is none.
  Member* find(MemberId id) noexcept;
  const Member* find(MemberId id) const noexcept;
  Member* find_connected(MemberId id) noexcept;
  Member* longest_connected() noexcept;
  Member* longest_away() noexcept;
  const Member* longest_away() const noexcept;

  const Map& connected() const noexcept { return connected_; }
  std::size_t away_count() const noexcept { return away_.size(); }
  std::uint32_t next_id() const noexcept { return next_id_; }

  // Connected members that buffer. next_buffering() gives one and puts it behind the others, so
  // that whoever looks at a few of many looks at others the next time. Null where there is none.
  std::size_t buffering_count() const noexcept { return buffering_count_; }
  Member* next_buffering() noexcept;

 private:
  using List = IntrusiveList<Member, MemberListTag>;

  Map connected_;
  Map away_;
  List away_list_;       // every away member, by since_us
  List buffering_list_;  // connected ones only, so one link serves both lists
  std::size_t buffering_count_ = 0;
  std::uint32_t next_id_;
  std::uint32_t connection_base_ = 0;
};

}  // namespace videosync
