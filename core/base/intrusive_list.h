// IntrusiveList: a doubly linked list whose links live in the elements. Never allocates.
//
// An element derives from ListLink<Tag> once for each kind of list it can be in, and is in at most
// one list of a kind at a time. The list owns nothing: elements unlink themselves before they die
// (asserted). One thread.
#pragma once

#include "core/base/assert.h"

namespace videosync {

template <class Tag>
struct ListLink {
  ListLink* next_link = nullptr;  // null exactly when unlinked
  ListLink* prev_link = nullptr;

  ListLink() noexcept = default;
  ListLink(const ListLink&) = delete;
  ListLink& operator=(const ListLink&) = delete;
  ~ListLink() { VS_ASSERT(!is_linked()); }

  bool is_linked() const noexcept { return next_link != nullptr; }

  void unlink() noexcept {
    VS_ASSERT(is_linked());
    prev_link->next_link = next_link;
    next_link->prev_link = prev_link;
    next_link = prev_link = nullptr;
  }
};

template <class T, class Tag>
class IntrusiveList {
 public:
  using Link = ListLink<Tag>;

  IntrusiveList() noexcept { head_.next_link = head_.prev_link = &head_; }
  ~IntrusiveList() {
    VS_ASSERT(empty());
    head_.next_link = head_.prev_link = nullptr;
  }

  bool empty() const noexcept { return head_.next_link == &head_; }

  void push_back(T& element) noexcept {
    Link& link = element;
    VS_ASSERT(!link.is_linked());
    link.prev_link = head_.prev_link;
    link.next_link = &head_;
    head_.prev_link->next_link = &link;
    head_.prev_link = &link;
  }

  T* pop_front() noexcept {
    if (empty()) return nullptr;
    Link* const first = head_.next_link;
    first->unlink();
    return static_cast<T*>(first);
  }

 private:
  Link head_;
};

}  // namespace videosync
