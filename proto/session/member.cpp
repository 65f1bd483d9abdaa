#include "proto/session/member.h"

#include <utility>

#include "core/base/assert.h"

namespace videosync {

Member& MemberSlab::take() {
  if (first_free_ == no_place) {
    const auto base = static_cast<MemberPlace>(chunks_.size()) * chunk;
    VS_ASSERT(base < no_place - chunk);
    chunks_.push_back(std::make_unique<Member[]>(chunk));
    for (MemberPlace i = chunk; i-- > 0;) {
      at(base + i).place = base + i;
      at(base + i).next = std::exchange(first_free_, base + i);
    }
  }
  Member& member = at(first_free_);
  VS_ASSERT(!member.id);
  VS_ASSERT(&at(member.place) == &member);
  first_free_ = std::exchange(member.next, no_place);
  return member;
}

void MemberSlab::give_back(Member& member) noexcept {
  VS_ASSERT(member.previous == no_place);
  VS_ASSERT(member.next == no_place);  // in no list
  VS_ASSERT(member.lower == no_place);
  VS_ASSERT(member.higher == no_place);
  const MemberPlace place = member.place;
  VS_ASSERT(&at(place) == &member);
  member = Member();
  member.place = place;
  member.next = std::exchange(first_free_, place);
}

void MemberList::push_back(Member& member) noexcept {
  VS_ASSERT(member.previous == no_place);
  VS_ASSERT(member.next == no_place);
  VS_ASSERT(empty() == (last_ == no_place));
  member.previous = last_;
  (last_ == no_place ? first_ : slab_.at(last_).next) = member.place;
  last_ = member.place;
}

void MemberList::remove(Member& member) noexcept {
  const MemberPlace previous = std::exchange(member.previous, no_place);
  const MemberPlace next = std::exchange(member.next, no_place);
  VS_ASSERT(previous != no_place || first_ == member.place);
  VS_ASSERT(next != no_place || last_ == member.place);
  (previous == no_place ? first_ : slab_.at(previous).next) = next;
  (next == no_place ? last_ : slab_.at(next).previous) = previous;
}

}  // namespace videosync
