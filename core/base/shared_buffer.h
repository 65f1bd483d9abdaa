// SharedBuffer: counted immutable bytes. One encoded frame, many recipients, across threads.
//
// The header and the bytes are one block. A buffer is filled by its maker before anyone else sees
// it and never changes afterwards; the last BufferRef to go, on whatever thread, frees it. Blocks
// are kept in per-thread lists by size class, so a steady flow of frames does not reach malloc.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <span>
#include <string_view>
#include <utility>

#include "core/base/assert.h"

namespace videosync {

class SharedBuffer {
 public:
  std::uint8_t* data() noexcept { return reinterpret_cast<std::uint8_t*>(this + 1); }
  const std::uint8_t* data() const noexcept {
    return reinterpret_cast<const std::uint8_t*>(this + 1);
  }
  std::size_t size() const noexcept { return size_; }

 private:
  friend class BufferRef;
  friend struct BufferCache;

  SharedBuffer(std::uint32_t size, std::uint8_t size_class) noexcept
      : references_(1), size_(size), size_class_(size_class) {}

  std::atomic<std::uint32_t> references_;
  std::uint32_t size_;
  std::uint8_t size_class_;  // log2 of the block's size; 0: too large to be kept
};

// Free blocks of one thread, by power-of-two size. At most `kept_max` a class are kept.
struct BufferCache {
  static constexpr std::uint8_t class_min = 6;   // 64 bytes
  static constexpr std::uint8_t class_max = 17;  // 128 KiB
  static constexpr std::uint32_t kept_max = 64;

  struct FreeBlock {
    FreeBlock* next;
  };
  struct Class {
    FreeBlock* first = nullptr;
    std::uint32_t count = 0;
  };

  std::array<Class, class_max + 1> classes{};

  BufferCache() = default;
  BufferCache(const BufferCache&) = delete;
  BufferCache& operator=(const BufferCache&) = delete;
  ~BufferCache() {
    for (Class& list : classes) {
      while (list.first != nullptr)
        std::free(std::exchange(list.first, list.first->next));
    }
  }

  static BufferCache& of_this_thread() noexcept {
    thread_local BufferCache cache;
    return cache;
  }

  static std::uint8_t class_for(std::size_t block_bytes) noexcept {
    const auto log2 = static_cast<std::uint8_t>(std::bit_width(block_bytes - 1));
    if (log2 > class_max) return 0;
    return log2 < class_min ? class_min : log2;
  }

  SharedBuffer* allocate(std::size_t size) noexcept {
    const std::size_t block_bytes = sizeof(SharedBuffer) + size;
    const std::uint8_t size_class = class_for(block_bytes);
    void* block = nullptr;
    if (size_class != 0 && classes[size_class].first != nullptr) {
      Class& list = classes[size_class];
      block = std::exchange(list.first, list.first->next);
      --list.count;
    } else {
      block = std::malloc(size_class != 0 ? std::size_t{1} << size_class : block_bytes);
      VS_ASSERT(block != nullptr);
    }
    return new (block) SharedBuffer(static_cast<std::uint32_t>(size), size_class);
  }

  void release(SharedBuffer* buffer) noexcept {
    const std::uint8_t size_class = buffer->size_class_;
    buffer->~SharedBuffer();
    Class& list = classes[size_class];
    if (size_class == 0 || list.count >= kept_max) {
      std::free(buffer);
      return;
    }
    list.first = new (buffer) FreeBlock{list.first};
    ++list.count;
  }
};

// An owning reference; a null one refers to nothing.
class BufferRef {
 public:
  BufferRef() noexcept = default;
  BufferRef(const BufferRef& other) noexcept : buffer_(other.buffer_) {
    if (buffer_ != nullptr) buffer_->references_.fetch_add(1, std::memory_order_relaxed);
  }
  BufferRef(BufferRef&& other) noexcept : buffer_(std::exchange(other.buffer_, nullptr)) {}
  BufferRef& operator=(BufferRef other) noexcept {
    std::swap(buffer_, other.buffer_);
    return *this;
  }
  ~BufferRef() { reset(); }

  // An unshared buffer of `size` bytes for the caller to fill through mutable_bytes().
  static BufferRef allocate(std::size_t size) noexcept {
    VS_ASSERT(size <= UINT32_MAX);
    return BufferRef(BufferCache::of_this_thread().allocate(size));
  }

  static BufferRef copy_of(std::string_view text) noexcept {
    BufferRef ref = allocate(text.size());
    std::memcpy(ref.buffer_->data(), text.data(), text.size());
    return ref;
  }

  void reset() noexcept {
    SharedBuffer* buffer = std::exchange(buffer_, nullptr);
    if (buffer != nullptr && buffer->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      free_last(buffer);
    }
  }

  explicit operator bool() const noexcept { return buffer_ != nullptr; }
  friend bool operator==(const BufferRef& a, const BufferRef& b) noexcept {
    return a.buffer_ == b.buffer_;
  }
  std::size_t size() const noexcept { return buffer_->size(); }
  std::span<const std::uint8_t> bytes() const noexcept {
    return {buffer_->data(), buffer_->size()};
  }
  std::string_view text() const noexcept {
    return {reinterpret_cast<const char*>(buffer_->data()), buffer_->size()};
  }

  // Only while this is the one reference.
  std::span<std::uint8_t> mutable_bytes() noexcept {
    VS_ASSERT(buffer_->references_.load(std::memory_order_relaxed) == 1);
    return {buffer_->data(), buffer_->size()};
  }

 private:
  explicit BufferRef(SharedBuffer* buffer) noexcept : buffer_(buffer) {}

  // Apart, so that all the rest is inlined: on its way into a member's queue a reference is moved
  // three times, and what has been moved from was a call each.
  [[gnu::noinline]] static void free_last(SharedBuffer* buffer) noexcept {
    BufferCache::of_this_thread().release(buffer);
  }

  SharedBuffer* buffer_ = nullptr;
};

}  // namespace videosync
