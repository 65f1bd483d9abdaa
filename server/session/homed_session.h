// HomedSession: what SessionHome keeps of a session in memory. Its own sources' affair only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/flat_map.h"
#include "core/reactor/timer_wheel.h"
#include "proto/session/session_machine.h"
#include "server/session/session_home.h"

namespace videosync {

struct SessionHome::Homed {
  Homed(SessionHome& owner, const Uuid& session_key, std::unique_ptr<SessionMachine> session,
        StoreVersion stored_version, std::size_t workers)
      : home(owner),
        key(session_key),
        machine(std::move(session)),
        version(stored_version),
        members_on(workers),
        timer(
            [](void* self) noexcept {
              auto& homed = *static_cast<Homed*>(self);
              homed.home.on_timer(homed);
            },
            this) {}

  SessionHome& home;
  const Uuid key;
  std::unique_ptr<SessionMachine> machine;
  StoreVersion version;
  FlatMap<MemberId, Seat> seats;          // of the connected members
  std::vector<std::uint32_t> members_on;  // by worker; their sum is seats.size()
  std::string member_list;                // encoded, as it was in `listed_version`
  std::uint64_t listed_version = 0;       // of SessionMachine::members_version()
  TimerEntry timer;
  std::int64_t touched_us = 0;  // when the store last heard of it
  bool is_talking = false;      // exactly while in talking_
  bool is_over = false;         // EndedEffect has been carried out

  // Other nodes that have, or had, members of it. Places do not change while it is here.
  struct Remote {
    Uuid node;
    std::uint32_t members = 0;
    std::uint64_t heard = 0;  // the number of the last Said from there
    std::uint64_t told = 0;   // that it was told so
  };
  std::vector<Remote> remotes;
  std::uint32_t remote_members = 0;
  Cast cast;                        // what the event at hand says to members of other nodes
  std::int64_t moved_us = 0;        // when it came here
  std::int64_t stuck_us = 0;        // when it last could not be handed over; 0: never
  std::int64_t empty_since_us = 0;  // when the last member left; means something while empty
};

// A session without members stays for those who come back, then only the store has it.
inline constexpr std::int64_t release_after_us = 45'000'000;

// Faults that more than one of the sources answers with.
inline constexpr HttpFault session_not_found_fault{404, "session_not_found", "no such session"};
inline constexpr HttpFault store_away_fault{503, "unavailable",
                                            "the session store is away, try again"};
inline constexpr HttpFault session_full_fault{503, "session_full",
                                              "the session has as many members as it may"};
inline constexpr HttpFault not_the_host_fault{403, "not_host",
                                              "the token is not this session's host token"};
inline constexpr HttpFault token_missing_fault{401, "unauthorized",
                                               "send Authorization: Bearer with the host token"};

}  // namespace videosync
