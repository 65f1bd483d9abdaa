// Seat: where a member's connection is. There is one for each member of a session, so what means
// something on this node only lies where lies what means something elsewhere only. A value.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "core/base/assert.h"
#include "core/base/connection_ref.h"
#include "proto/session/session_values.h"

namespace videosync {

class Seat {
 public:
  static Seat here(ConnectionRef at, ConnectionNumber number = {}) noexcept {
    Seat seat;
    seat.number = number;
    seat.words_ = std::bit_cast<Words>(at);
    return seat;
  }
  // `node` as below, above 0.
  static Seat elsewhere(std::uint32_t node, ConnectionNumber number = {}) noexcept {
    VS_ASSERT(node > 0);
    VS_ASSERT(node <= most_nodes);
    Seat seat;
    seat.node = node & most_nodes;
    seat.number = number;
    return seat;
  }
  Seat() = default;

  bool is_here() const noexcept { return node == 0; }
  ConnectionRef at() const noexcept {
    VS_ASSERT(is_here());
    return std::bit_cast<ConnectionRef>(words_);
  }
  // Of one elsewhere: Home::casts when it was taken.
  std::uint64_t casts() const noexcept {
    VS_ASSERT(!is_here());
    return std::uint64_t{words_[1]} << 32 | words_[0];
  }
  void set_casts(std::uint64_t casts) noexcept {
    VS_ASSERT(!is_here());
    words_[0] = static_cast<std::uint32_t>(casts);
    words_[1] = static_cast<std::uint32_t>(casts >> 32);
  }

  ConnectionNumber number;      // of the connection
  std::uint32_t node : 31 = 0;  // 0: this one; else one more than the place in Home::remotes
  bool is_unheard : 1 = false;  // its node is being asked who is there

 private:
  static constexpr std::uint32_t most_nodes = UINT32_MAX >> 1;
  using Words = std::array<std::uint32_t, 3>;
  static_assert(sizeof(Words) == sizeof(ConnectionRef));

  Words words_ = std::bit_cast<Words>(ConnectionRef{});
};
static_assert(sizeof(Seat) == 20, "a session has one for each member, in a table with free places");

}  // namespace videosync
