// Effects: what a call of the session machine wants done, in order.
//
// The caller owns one, hands it to the machine, carries out what it finds, and clears it for the
// next call: the room is kept, so a steady flow of effects does not reach malloc. One thread.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "core/base/assert.h"
#include "proto/session/session_types.h"

namespace videosync {

class Effects {
 public:
  using const_iterator = std::vector<Effect>::const_iterator;

  void push(Effect effect) { list_.push_back(std::move(effect)); }

  // Puts `effect` before the one that is now at `index`.
  void insert(std::size_t index, Effect effect) {
    VS_ASSERT(index <= list_.size());
    list_.insert(list_.begin() + static_cast<std::ptrdiff_t>(index), std::move(effect));
  }

  void clear() noexcept { list_.clear(); }
  bool empty() const noexcept { return list_.empty(); }
  std::size_t size() const noexcept { return list_.size(); }
  const Effect& operator[](std::size_t index) const noexcept { return list_[index]; }
  const_iterator begin() const noexcept { return list_.begin(); }
  const_iterator end() const noexcept { return list_.end(); }

 private:
  std::vector<Effect> list_;
};

}  // namespace videosync
