// HomedSession: what SessionHome keeps of a session in memory. Its own sources' affair only.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/reactor/timer_wheel.h"
#include "proto/session_machine.h"
#include "server/session_home.h"

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
  std::unordered_map<MemberId, Seat> seats;  // of the connected members
  std::vector<std::uint32_t> members_on;     // by worker; their sum is seats.size()
  TimerEntry timer;
  std::int64_t touched_us = 0;  // when the store last heard of it
  bool is_talking = false;      // exactly while in talking_
  bool is_storing = false;      // from a change's call until the store's answer
  bool is_over = false;         // EndedEffect has been carried out
};

// Faults that more than one of the sources answers with.
inline constexpr HttpFault session_not_found_fault{404, "session_not_found", "no such session"};

}  // namespace videosync
