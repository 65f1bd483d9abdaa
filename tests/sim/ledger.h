// Ledger: every state of one session that any node has said, and which of them count.
//
// A command carries a number of its own in its position or its rate, so that a state tells whose
// command made it. A command that was carried out twice has made two states that differ in their
// time. Which states count say the session's forks (`takenOver`): from a fork's epoch on the order
// goes on from the place that it names, and what an older epoch has beyond that does not count.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "tests/sim/frame.h"

namespace videosync::sim {

// The numbers of commands, as they stand in a position or a rate.
inline constexpr std::uint64_t command_max = 6'000;
inline double position_of(std::uint64_t command) noexcept {
  return static_cast<double>(command);
}
inline double rate_of(std::uint64_t command) noexcept {
  return 0.5 + static_cast<double>(command) * 1e-4;
}
std::optional<std::uint64_t> command_of(const SeenState& state) noexcept;

class Ledger {
 public:
  // False: at this place another state was known.
  bool note(const SeenState& state);
  // False: in this epoch another host was known.
  bool note_host(std::uint64_t epoch, MemberId host) {
    return hosts_.try_emplace(epoch, host).first->second == host;
  }
  // The forks of the line that counts, as far as they are told.
  void set_forks(const std::vector<TakenOver>& forks);
  bool counts(const Place& place) const noexcept;
  // From which epoch on a state of that place does not count any more.
  std::optional<std::uint64_t> undone_by(const Place& place) const noexcept;

  // How often a command was carried out.
  struct Tally {
    unsigned counting = 0;
    unsigned undone = 0;
  };
  Tally tally(std::uint64_t command) const;
  bool was_carried_out(std::uint64_t command) const { return made_.contains(command); }
  // Whether after that place there is a state that nobody has seen, and one behind it that was.
  bool has_unseen_after(const Place& place) const;
  // Of the states and hosts that are known.
  std::size_t size() const noexcept { return states_.size() + hosts_.size(); }

 private:
  struct Known {
    bool playing;
    double position;
    double rate;
    std::int64_t at_us;
    MemberId by;
    char cause;

    friend bool operator==(const Known&, const Known&) = default;
  };

  std::map<Place, Known> states_;
  std::unordered_map<std::uint64_t, MemberId> hosts_;           // by epoch
  std::unordered_map<std::uint64_t, std::vector<Place>> made_;  // by command
  std::map<std::uint64_t, Place> forks_;                        // by epoch: after what
};

}  // namespace videosync::sim
