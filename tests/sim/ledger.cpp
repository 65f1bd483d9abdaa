#include "tests/sim/ledger.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace videosync::sim {

std::optional<std::uint64_t> command_of(const SeenState& state) noexcept {
  if (!state.by) return std::nullopt;
  const bool is_rate = state.cause == "rate";
  if (!is_rate && state.cause != "seek" && state.cause != "play" && state.cause != "pause") {
    return std::nullopt;
  }
  const double number = is_rate ? (state.rate - 0.5) * 1e4 : state.position;
  if (number < 0.5 || number > static_cast<double>(command_max) + 0.5) return std::nullopt;
  const auto command = static_cast<std::uint64_t>(std::llround(number));
  const bool is_exact =
      is_rate ? state.rate == rate_of(command) : state.position == position_of(command);
  return is_exact ? std::optional(command) : std::nullopt;
}

bool Ledger::note(const SeenState& state) {
  const Known known{state.playing, state.position, state.rate,
                    state.at_us,   state.by,       state.cause.empty() ? ' ' : state.cause.front()};
  const auto [found, is_new] = states_.try_emplace(state.place, known);
  if (!is_new) return found->second == known;
  if (const auto command = command_of(state)) made_[*command].push_back(state.place);
  return true;
}

void Ledger::set_forks(const std::vector<TakenOver>& forks) {
  for (const TakenOver& fork : forks)
    forks_.insert_or_assign(fork.epoch, fork.after);
}

std::optional<std::uint64_t> Ledger::undone_by(const Place& place) const noexcept {
  for (const auto& [epoch, after] : forks_) {
    if (place.epoch < epoch && place > after) return epoch;
  }
  return std::nullopt;
}

bool Ledger::counts(const Place& place) const noexcept {
  return !undone_by(place);
}

// A new epoch goes on counting.
bool Ledger::has_unseen_after(const Place& place) const {
  const auto is_gap = [](const auto& before, const auto& after) {
    return after.first.seq > before.first.seq + 1;
  };
  auto from = states_.upper_bound(place);
  if (from != states_.begin()) --from;
  return std::adjacent_find(from, states_.end(), is_gap) != states_.end();
}

// States of one command that have the same time are one carrying out, told in several epochs.
Ledger::Tally Ledger::tally(std::uint64_t command) const {
  Tally tally;
  const auto found = made_.find(command);
  if (found == made_.end()) return tally;
  std::vector<std::pair<std::int64_t, bool>> times;
  for (const Place& place : found->second) {
    const std::int64_t at_us = states_.at(place).at_us;
    const auto same = std::find_if(times.begin(), times.end(),
                                   [&](const auto& each) { return each.first == at_us; });
    if (same == times.end()) {
      times.emplace_back(at_us, counts(place));
    } else {
      same->second = same->second || counts(place);
    }
  }
  for (const auto& [at_us, is_counting] : times)
    ++(is_counting ? tally.counting : tally.undone);
  return tally;
}

}  // namespace videosync::sim
