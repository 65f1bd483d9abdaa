// StrongId: an integer that cannot be mistaken for another kind of integer.
//
// Usage: `using MemberId = StrongId<struct MemberIdTag, std::uint32_t>;`. Value 0 means "none".
#pragma once

#include <compare>
#include <cstddef>
#include <functional>

namespace videosync {

template <class Tag, class Integer>
struct StrongId {
  Integer value = 0;

  constexpr explicit operator bool() const noexcept { return value != 0; }
  friend constexpr auto operator<=>(StrongId, StrongId) noexcept = default;
};

}  // namespace videosync

template <class Tag, class Integer>
struct std::hash<videosync::StrongId<Tag, Integer>> {
  std::size_t operator()(videosync::StrongId<Tag, Integer> id) const noexcept {
    return std::hash<Integer>{}(id.value);
  }
};
