// MemberTree: members of one slab in the order of their ids.
//
// A treap (Seidel and Aragon 1996): sorted by id from left to right and, from top to bottom, by a
// hash of the id, which makes the depth logarithmic whatever the order of arrival. Two links a
// member and no memory of its own. A member is in at most one. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "proto/session/member.h"

namespace videosync {

class MemberTree {
 public:
  explicit MemberTree(MemberSlab& slab) noexcept : slab_(slab) {}

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  // Null where there is none.
  Member* find(MemberId id) const noexcept;
  Member* first() const noexcept;

  // REQUIRES that none with its id is in it.
  void insert(Member& member) noexcept;
  // REQUIRES that it is in it.
  void erase(Member& member) noexcept;

  // In order, until `visit(member)` returns false. It changes no tree.
  template <class Visitor>
  void visit(Visitor&& visit) const {
    visit_below(root_, visit);
  }

 private:
  // Depends on nothing but the id, and is not in its order.
  static std::uint32_t rank_of(const Member& member) noexcept;

  template <class Visitor>
  bool visit_below(MemberPlace place, Visitor&& visit) const {
    if (place == no_place) return true;
    Member& member = slab_.at(place);
    return visit_below(member.lower, visit) && visit(std::as_const(member)) &&
           visit_below(member.higher, visit);
  }

  MemberSlab& slab_;
  MemberPlace root_ = no_place;
  std::size_t size_ = 0;
};

}  // namespace videosync
