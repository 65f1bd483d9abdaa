// ShortText: a text that is kept in 16 bytes; one of more than 15 lies in a block of its own.
//
// For the names of viewers: a std::string takes twice as much. One owner; moved, not copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include "core/base/assert.h"

namespace videosync {

class ShortText {
 public:
  static constexpr std::size_t in_place_max = 15;

  ShortText() noexcept = default;
  ShortText(ShortText&& other) noexcept { swap(other); }
  ShortText& operator=(ShortText&& other) noexcept {
    swap(other);
    return *this;
  }
  ~ShortText() { clear(); }

  // `text` must not be a view of this one.
  void assign(std::string_view text) {
    VS_ASSERT(text.size() <= UINT32_MAX);
    clear();
    if (text.size() <= in_place_max) {
      std::memcpy(bytes_, text.data(), text.size());
      size_ = static_cast<std::uint8_t>(text.size());
      return;
    }
    char* block = new char[text.size()];
    std::memcpy(block, text.data(), text.size());
    const auto size = static_cast<std::uint32_t>(text.size());
    std::memcpy(bytes_, static_cast<const void*>(&block), sizeof block);
    std::memcpy(bytes_ + sizeof block, &size, sizeof size);
    size_ = in_block;
  }

  std::string_view view() const noexcept {
    if (size_ != in_block) return {bytes_, size_};
    std::uint32_t size;
    std::memcpy(&size, bytes_ + sizeof(char*), sizeof size);
    return {block(), size};
  }

 private:
  static constexpr std::uint8_t in_block = UINT8_MAX;

  char* block() const noexcept {
    char* place;
    std::memcpy(static_cast<void*>(&place), bytes_, sizeof place);
    return place;
  }
  void clear() noexcept {
    if (size_ == in_block) delete[] block();
    size_ = 0;
  }
  void swap(ShortText& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(size_, other.size_);
  }

  alignas(8) char bytes_[in_place_max] = {};  // the text; or its block's address and its size
  std::uint8_t size_ = 0;                     // or in_block
};
static_assert(sizeof(ShortText) == 16);

}  // namespace videosync
