// InlineTask: a move-only `void() noexcept` callable in 128 bytes, never on the heap.
//
// What threads send each other through a mailbox. What a task captures must fit in 120 bytes at an
// alignment of 8: larger things travel by unique_ptr or BufferRef.
#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

#include "core/base/assert.h"

namespace videosync {

class InlineTask {
 public:
  static constexpr std::size_t capture_bytes = 120;
  static constexpr std::size_t capture_alignment = 8;

  template <class Callable>
  static constexpr bool can_hold =
      sizeof(Callable) <= capture_bytes && alignof(Callable) <= capture_alignment &&
      std::is_nothrow_move_constructible_v<Callable>;

  InlineTask() noexcept = default;

  template <class Callable>
    requires(!std::is_same_v<std::remove_cvref_t<Callable>, InlineTask>)
  InlineTask(Callable&& callable) noexcept {  // NOLINT: meant to convert
    using Held = std::remove_cvref_t<Callable>;
    static_assert(can_hold<Held>, "send the capture by unique_ptr");
    new (storage_) Held(std::forward<Callable>(callable));
    manage_ = [](Verb verb, std::byte* self, std::byte* target) noexcept {
      Held& held = *std::launder(reinterpret_cast<Held*>(self));
      if (verb == Verb::call) held();
      if (verb == Verb::move) new (target) Held(std::move(held));
      if (verb != Verb::call) held.~Held();  // NOLINT(bugprone-use-after-move): it ends here
    };
  }

  InlineTask(InlineTask&& other) noexcept { take(other); }
  InlineTask& operator=(InlineTask&& other) noexcept {
    if (this != &other) {
      clear();
      take(other);
    }
    return *this;
  }
  ~InlineTask() { clear(); }

  void operator()() noexcept {
    VS_ASSERT(manage_ != nullptr);
    manage_(Verb::call, storage_, nullptr);
  }

 private:
  enum class Verb { call, move, destroy };
  using Manage = void (*)(Verb, std::byte* self, std::byte* target) noexcept;

  void take(InlineTask& other) noexcept {
    manage_ = std::exchange(other.manage_, nullptr);
    if (manage_ != nullptr) manage_(Verb::move, other.storage_, storage_);
  }
  void clear() noexcept {
    if (Manage manage = std::exchange(manage_, nullptr)) manage(Verb::destroy, storage_, nullptr);
  }

  Manage manage_ = nullptr;
  alignas(capture_alignment) std::byte storage_[capture_bytes];
};
static_assert(sizeof(InlineTask) == 128);

}  // namespace videosync
