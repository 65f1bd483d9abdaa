// ReadyMembers: which members have said that they are ready, and how many of them are here.
//
// A member stays ready while it is away and may still resume; it is counted while it is connected.
// Nobody is ready after clear(), which costs the same however many were: each member keeps the
// round in which it was. The first `kept_max` are listed for the record, by their ids alone, so
// that a place that goes on from it finds them ready when they are heard of; ids are never used
// twice, so one that does not come back harms nobody. Owned by a SessionMachine; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "proto/session/member.h"
#include "proto/session/session_values.h"

namespace videosync {

class ReadyMembers {
 public:
  static constexpr std::size_t kept_max = 100;

  ReadyMembers() = default;
  // From a record: at most kept_max, none of them known to the roster yet.
  explicit ReadyMembers(std::vector<MemberId> kept);

  bool is_ready(const Member& member) const noexcept { return member.ready_round == round_; }
  std::uint32_t count() const noexcept { return count_; }  // of the connected ones
  const std::vector<MemberId>& kept() const noexcept { return kept_; }

  // True: it was otherwise.
  bool set(Member& member, bool is_ready);
  // It is in the roster since now, or its connection has come or gone.
  void recount(Member& member);
  // Before the roster forgets it.
  void forget(const Member& member);
  // True: somebody was ready, here or away.
  bool clear() noexcept;

 private:
  void begin(Member& member) noexcept;

  std::vector<MemberId> kept_;  // ready, each once; also those that are yet to be heard of
  std::uint32_t round_ = 1;     // of those who are ready
  std::uint32_t count_ = 0;
};

}  // namespace videosync
