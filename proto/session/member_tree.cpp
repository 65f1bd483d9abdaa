#include "proto/session/member_tree.h"

#include "core/base/assert.h"

namespace videosync {

std::uint32_t MemberTree::rank_of(const Member& member) noexcept {
  // The finalizer of MurmurHash3.
  std::uint32_t hash = member.id.value;
  hash = (hash ^ (hash >> 16)) * 0x85ebca6b;
  hash = (hash ^ (hash >> 13)) * 0xc2b2ae35;
  return hash ^ (hash >> 16);
}

Member* MemberTree::find(MemberId id) const noexcept {
  MemberPlace place = root_;
  while (place != no_place) {
    Member& member = slab_.at(place);
    if (member.id == id) return &member;
    place = id < member.id ? member.lower : member.higher;
  }
  return nullptr;
}

Member* MemberTree::first() const noexcept {
  Member* member = nullptr;
  for (MemberPlace place = root_; place != no_place; place = member->lower)
    member = &slab_.at(place);
  return member;
}

// Goes down to where its rank belongs; what is below there is split between its two sides.
void MemberTree::insert(Member& member) noexcept {
  VS_ASSERT(member.id);
  VS_ASSERT((size_ == 0) == (root_ == no_place));
  MemberPlace* link = &root_;
  const std::uint32_t rank = rank_of(member);
  while (*link != no_place) {
    Member& above = slab_.at(*link);
    VS_ASSERT(above.id != member.id);
    if (rank_of(above) < rank) break;
    link = member.id < above.id ? &above.lower : &above.higher;
  }
  MemberPlace rest = *link;
  *link = member.place;
  MemberPlace* lower = &member.lower;
  MemberPlace* higher = &member.higher;
  while (rest != no_place) {
    Member& split = slab_.at(rest);
    VS_ASSERT(split.id != member.id);
    if (split.id < member.id) {
      *lower = rest;
      lower = &split.higher;
      rest = *lower;
    } else {
      *higher = rest;
      higher = &split.lower;
      rest = *higher;
    }
  }
  *lower = *higher = no_place;
  ++size_;
}

// Its two sides are merged, by rank, into its place.
void MemberTree::erase(Member& member) noexcept {
  VS_ASSERT(size_ > 0);
  MemberPlace* link = &root_;
  while (*link != member.place) {
    VS_ASSERT(*link != no_place);
    Member& above = slab_.at(*link);
    link = member.id < above.id ? &above.lower : &above.higher;
  }
  MemberPlace lower = std::exchange(member.lower, no_place);
  MemberPlace higher = std::exchange(member.higher, no_place);
  while (lower != no_place && higher != no_place) {
    if (rank_of(slab_.at(lower)) > rank_of(slab_.at(higher))) {
      *link = lower;
      link = &slab_.at(lower).higher;
      lower = *link;
    } else {
      *link = higher;
      link = &slab_.at(higher).lower;
      higher = *link;
    }
  }
  *link = lower != no_place ? lower : higher;
  --size_;
  VS_ASSERT((size_ == 0) == (root_ == no_place));
}

}  // namespace videosync
