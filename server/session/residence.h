// Residence: what the directory keeps of one session. Its own sources' affair only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/base/assert.h"
#include "core/base/connection_ref.h"
#include "core/base/flat_map.h"
#include "core/base/uuid.h"
#include "core/reactor/timer_wheel.h"
#include "proto/session/session_machine.h"
#include "proto/wire/node_messages.h"
#include "server/session/asks.h"
#include "server/session/outbox.h"
#include "server/session/seat.h"
#include "server/session/stored_session.h"
#include "storage/session_store.h"

namespace videosync {

// The machine lives here.
struct Home {
  // Another node that has, or had, members of it.
  struct Remote {
    Uuid node;
    std::uint32_t members = 0;
    std::uint64_t heard = 0;             // the number of the last Said from there
    std::vector<node::Refused> refused;  // of these; as in node::Heard
    std::uint64_t told = 0;              // that it was told so
    std::int64_t changed_us = 0;         // when the next two last did
    std::uint64_t members_sum = 0;       // the hashes of its seats, added up
  };

  Home(std::unique_ptr<SessionMachine> session, StoreVersion stored, std::size_t workers)
      : machine(std::move(session)), version(stored), members_on(workers) {}

  // `place`: as in Seat::node. REQUIRES that it is another node's.
  Remote& remote_at(std::uint32_t place) noexcept {
    VS_ASSERT(place > 0);
    VS_ASSERT(place <= remotes.size());
    return remotes[place - 1];
  }
  Remote& remote_at(const Seat& seat) noexcept { return remote_at(seat.node); }
  const Remote& remote_at(const Seat& seat) const noexcept {
    return const_cast<Home*>(this)->remote_at(seat.node);
  }
  // What its counts say of each other.
  void assert_sound() const noexcept {
    VS_ASSERT(remote_members <= seats.size());
    VS_ASSERT(remote_members == 0 || !remotes.empty());
  }

  std::unique_ptr<SessionMachine> machine;
  StoreVersion version;                   // of the newest write, answered or not
  FlatMap<MemberId, Seat> seats;          // of the connected members
  std::vector<std::uint32_t> members_on;  // by worker, of those that are connected to this node
  std::string member_list;                // encoded, as it was in `listed_version`
  std::uint64_t listed_version = 0;       // of SessionMachine::members_version()
  std::vector<Remote> remotes;            // places do not change while it is here
  std::uint32_t remote_members = 0;
  std::uint64_t own_heard = 0;      // as Remote::heard, of what was said here before it was home
  node::Cast cast;                  // what the event at hand says to members of other nodes
  std::uint64_t casts = 0;          // the number of the last one
  std::int64_t cast_us = 0;         // when the last one was, or was said again
  bool is_queue_unstored = false;   // the store is not known to have the newest queue
  std::uint64_t change = 0;         // the last one that may carry a cast: a number of the worker's
  std::int64_t touched_us = 0;      // when the store last heard of it
  std::int64_t moved_us = 0;        // when it came here
  std::int64_t stuck_us = 0;        // when it last could not be handed over; 0: never
  std::int64_t empty_since_us = 0;  // when the last member left; means something while empty
  bool is_talking = false;          // exactly while in the directory's talking_
  bool is_over = false;             // EndedEffect has been carried out
  bool is_reread_due = false;  // the store was away: what it has is looked at before it is told
  bool is_ending = false;      // the store is being asked to end it
  bool is_removed = false;     // the store knows that it is over
  bool is_remade = false;      // the record of this cast is to be sent with it
  bool has_untold = false;     // something was said that was not cast: nobody was known elsewhere
};

// A connection of this node and the name under which its member is known.
struct LocalMember {
  ConnectionRef at;
  ConnectionNumber number;
  std::string name;
  BrowserId browser{};
};
using LocalMembers = std::unordered_map<MemberId, LocalMember>;

// Members here follow a home on another node, or wait for one.
struct Outpost {
  enum class Phase : std::uint8_t {
    idle,       // nobody is known to be home; a look is due, or the store is away
    looking,    // the store has been asked who is home
    following,  // somebody is; the store is asked for the session's channel
    settled,    // the home hears and is heard
    taking,     // this node becomes the home
  };

  explicit Outpost(std::size_t workers) : members_on(workers) {}

  // Nobody needs it any more. While the home is still to be told that its last member has left, it
  // stays.
  bool is_idle() const noexcept {
    return members.empty() && asks.empty() && foreign.empty() && phase != Phase::taking &&
           !needs_farewell;
  }
  // Information alone is no reason to become a session's home.
  bool needs_home() const noexcept { return !members.empty() || !foreign.empty() || wants_home; }

  // What its parts say of each other.
  void assert_sound() const noexcept {
    VS_ASSERT(!members.empty() || members_sum == 0);
    VS_ASSERT(left_here.size() <= everybody.size());
    VS_ASSERT(phase != Phase::settled || home != Uuid{});
  }

  Phase phase = Phase::idle;
  bool is_following = false;
  bool wants_home = false;      // a join or an end is waiting, or this node was told to take it
  bool needs_enroll = false;    // the home does not know all of `members`
  bool needs_farewell = false;  // ... nor that the last of them has left
  std::int64_t unknown_since_us = 0;  // the store has had no such session since then; 0: it has one
  Uuid home;
  std::uint64_t fence = 0;  // of `home`; 0: none is known
  // The session as its home last told it. `record` is empty before that.
  std::uint64_t revision = 0;
  std::uint64_t commands = 0;
  std::uint64_t line_fence = 0;  // whose `commands` these are; `fence`, but between two homes
  std::string record;            // a StoredSession
  std::int64_t kept_until_us =
      0;           // it was kept here, and no longer than that; 0: it is a home's word
  ShortCode code;  // that it has
  // The newest state that any member here was given. None that is older follows it.
  std::uint64_t told_epoch = 0;
  std::uint64_t told_seq = 0;
  std::uint64_t casts = 0;  // the number of the last cast heard
  bool knows_casts = false;
  bool has_missed = false;  // one before it, and nothing has come since that tells everything
  std::uint64_t missed_number = 0;  // the newest in the outbox when one was last missed
  std::uint64_t members_sum = 0;
  std::string video;                  // "" before the first cast
  std::optional<MemberId> host_told;  // whom members here take for the host; nothing: unknown
  bool is_host_unsure = false;        // one of them was welcomed with another
  LocalMembers members;
  std::vector<std::uint32_t> members_on;               // by worker
  std::unordered_map<MemberId, MemberInfo> everybody;  // as far as members here know each other
  Queue queue;                                         // as it was last told, in ...
  std::uint64_t queue_epoch = 0;                       // ... this epoch
  ChatHistory chat;                        // what members here have heard, and some from before
  std::unordered_set<MemberId> left_here;  // of these, since the home last told who has left
  Asks asks;
  Outbox outbox;
  std::vector<node::Envelope> foreign;  // for the home that this node may become
};

class Residence {
 public:
  enum class Kind : std::uint8_t { home, outpost, moving };

  Residence(const Uuid& session_key, TimerEntry::Handler on_timer, void* owner) noexcept
      : key(session_key), directory(owner), timer(on_timer, this) {}

  // Moving: handed over, and the store has not answered yet; both parts are there then: the home as
  // it was, and the outpost that it is going to be.
  Kind kind() const noexcept {
    VS_ASSERT(home || outpost);
    if (!home) return Kind::outpost;
    return outpost ? Kind::moving : Kind::home;
  }
  bool is_home() const noexcept { return kind() == Kind::home; }
  // Who holds the members and what they wait for while it is not at home here.
  Outpost* out() noexcept { return outpost.get(); }

  // REQUIRES that it is at home here, that it is an outpost.
  Home& at_home() noexcept {
    VS_ASSERT(home);
    VS_ASSERT(!outpost);
    return *home;
  }
  const Home& at_home() const noexcept { return const_cast<Residence*>(this)->at_home(); }
  Outpost& away() noexcept {
    VS_ASSERT(outpost);
    VS_ASSERT(!home);
    return *outpost;
  }
  const Outpost& away() const noexcept { return const_cast<Residence*>(this)->away(); }
  // The same or, while it is moving, that part of it.
  Home& home_part() noexcept {
    VS_ASSERT(home);
    return *home;
  }
  Outpost& outpost_part() noexcept {
    VS_ASSERT(outpost);
    return *outpost;
  }

  const Uuid key;
  void* const directory;  // the owner, for the timer
  TimerEntry timer;       // of the home
  std::unique_ptr<Home> home;
  std::unique_ptr<Outpost> outpost;
};

// What `number` of `member` adds to the sums by which two nodes compare who is there.
inline std::uint64_t mix(std::uint64_t value) noexcept {
  // The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
  value ^= value >> 30;
  value *= 0xbf58476d1ce4e5b9;
  value ^= value >> 27;
  value *= 0x94d049bb133111eb;
  return value ^ value >> 31;
}
// Of a connection of that node that waits before a door.
inline KnockId knock_id_of(const Uuid& node, ConnectionNumber number) noexcept {
  const std::uint64_t id = mix(mix(std::hash<Uuid>{}(node)) + number.value);
  return KnockId{id != 0 ? id : 1};
}
inline std::uint64_t seat_hash(MemberId member, ConnectionNumber number) noexcept {
  return mix(std::uint64_t{member.value} << 32 | number.value);
}

}  // namespace videosync
