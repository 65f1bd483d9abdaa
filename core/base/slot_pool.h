// SlotPool: objects at stable addresses, named by slot and generation.
//
// Slots come in chunks that are never given back, so a pool that has reached its working size does
// not allocate. Others keep a SlotHandle, never a pointer: when the object is released its slot's
// generation moves on and the handle finds nothing, which is a normal answer. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "core/base/assert.h"

namespace videosync {

struct SlotHandle {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;  // even ones are never live: a default handle finds nothing

  friend bool operator==(SlotHandle, SlotHandle) noexcept = default;
};

template <class T>
class SlotPool {
 public:
  explicit SlotPool(std::size_t capacity) noexcept : capacity_(capacity) {}
  SlotPool(const SlotPool&) = delete;
  SlotPool& operator=(const SlotPool&) = delete;
  ~SlotPool() { VS_ASSERT(live_ == 0); }

  std::size_t live() const noexcept { return live_; }
  std::size_t capacity() const noexcept { return capacity_; }

  // Constructs a T in a free slot; null when `capacity` objects live.
  template <class... Arguments>
  T* acquire(Arguments&&... arguments) {
    if (live_ == capacity_) return nullptr;
    if (first_free_ == none) grow();
    Slot& slot = slot_at(first_free_);
    std::swap(first_free_, slot.place);
    ++slot.generation;
    ++live_;
    return new (slot.storage) T(std::forward<Arguments>(arguments)...);
  }

  void release(T& object) noexcept {
    Slot& slot = slot_of(object);
    VS_ASSERT(slot.is_live());
    object.~T();
    ++slot.generation;
    std::swap(first_free_, slot.place);
    --live_;
  }

  SlotHandle handle_of(const T& object) const noexcept {
    const Slot& slot = slot_of(object);
    VS_ASSERT(slot.is_live());
    return {slot.place, slot.generation};
  }

  T* find(SlotHandle handle) noexcept {
    if (handle.slot >= chunks_.size() * chunk_slots) return nullptr;
    Slot& slot = slot_at(handle.slot);
    const bool is_same = slot.is_live() && slot.generation == handle.generation;
    return is_same ? object_in(slot) : nullptr;
  }

  // The visitor may release the object it is given.
  template <class Visitor>
  void for_each(Visitor&& visit) {
    for (std::uint32_t i = 0; i < chunks_.size() * chunk_slots; ++i) {
      Slot& slot = slot_at(i);
      if (slot.is_live()) visit(*object_in(slot));
    }
  }

 private:
  static constexpr std::uint32_t chunk_slots = 64;
  static constexpr std::uint32_t none = UINT32_MAX;

  struct Slot {
    alignas(T) std::byte storage[sizeof(T)];  // first, so that an object's address is its slot's
    std::uint32_t generation = 0;             // odd exactly while an object lives in it
    std::uint32_t place = none;               // its own index while live, else the next free slot's

    bool is_live() const noexcept { return (generation & 1) != 0; }
  };

  static T* object_in(Slot& slot) noexcept {
    return std::launder(reinterpret_cast<T*>(slot.storage));
  }
  static Slot& slot_of(T& object) noexcept { return reinterpret_cast<Slot&>(object); }
  static const Slot& slot_of(const T& object) noexcept {
    return reinterpret_cast<const Slot&>(object);
  }
  Slot& slot_at(std::uint32_t index) noexcept {
    return chunks_[index / chunk_slots][index % chunk_slots];
  }

  void grow() {
    const auto base = static_cast<std::uint32_t>(chunks_.size() * chunk_slots);
    VS_ASSERT(base < none - chunk_slots);
    chunks_.push_back(std::make_unique<Slot[]>(chunk_slots));
    for (std::uint32_t i = chunk_slots; i-- > 0;) {
      chunks_.back()[i].place = std::exchange(first_free_, base + i);
    }
  }

  const std::size_t capacity_;
  std::size_t live_ = 0;
  std::uint32_t first_free_ = none;
  std::vector<std::unique_ptr<Slot[]>> chunks_;
};

}  // namespace videosync
