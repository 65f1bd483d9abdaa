// What a mill and its customers say to each other: requests of a fixed size, each answered by a
// head and as many bytes, of which both know how they go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "tests/sim/kernel/objects.h"

namespace videosync::sim {

enum class Verb : std::uint8_t {
  frame,   // one buffer
  pieces,  // `count` buffers
  file,    // `bytes` of file `count`, from `extra` times 4,096
  later,   // after `extra` milliseconds
  other,   // by way of worker `count`
  deaf,    // after `extra` milliseconds without input
  news,    // `count` frames of class latest, of which the last arrives
  end,     // and nothing more
  leave,   // the mill goes, whatever has not left
};
inline constexpr unsigned verbs = 9;

struct MillRequest {
  Verb verb = Verb::frame;
  std::uint8_t count = 0;
  std::uint16_t extra = 0;
  std::uint32_t bytes = 0;
  std::uint32_t number = 0;  // of all that any customer asks

  std::uint64_t pattern() const noexcept { return Random::mix(number + 77u); }
};
static_assert(sizeof(MillRequest) == 12);

struct MillHead {
  std::uint32_t number = 0;
  std::uint32_t bytes = 0;
  std::uint32_t news = 0;  // which of them
};
static_assert(sizeof(MillHead) == 12);

template <class Value>
std::span<const std::uint8_t> bytes_of(const Value& value) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof value};
}

// What file `index` of a trial holds.
inline std::uint64_t file_pattern(std::size_t index) noexcept {
  return Random::mix(index + 990u);
}

}  // namespace videosync::sim
