// Faults that are planted into copies of the product's sources, to see that the simulator finds
// them.
//
// Each is a small wrong change of one place of one file, such as somebody might make. write_copies
// makes the copies: all faults of a file are in its one copy, behind the number of the fault that
// counts, so one program has them all and the sources know nothing of it. A place that is no longer
// there, or is there twice, ends the build: then it is to be named anew here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace videosync::sim {

struct PlantedFault {
  enum class Kind : unsigned char { expression, statement };

  std::string_view name;
  std::string_view what;     // is wrong, in words
  std::string_view promise;  // that is broken then: see promise_of
  std::string_view file;
  Kind kind;
  // The place, with as much around it as makes it the only one. Where there is more than the place
  // itself, it stands between « and ».
  std::string_view text;
  std::string_view instead;
  // Rare: the first seed to try, where none soon after the usual one finds it.
  std::uint64_t from = 0;
};

// The fault that counts, from 1; 0: none.
extern std::size_t planted;

std::span<const PlantedFault> planted_faults() noexcept;

// The promise of docs/NODES.md that a check of the simulator is about.
std::string_view promise_of(std::string_view check) noexcept;

}  // namespace videosync::sim
