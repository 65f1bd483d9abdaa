// FuzzBytes: a fuzzer's input as choices. When it is used up every choice is the first one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace videosync::fuzz {

class FuzzBytes {
 public:
  explicit FuzzBytes(std::span<const std::uint8_t> bytes) noexcept : rest_(bytes) {}

  bool empty() const noexcept { return rest_.empty(); }
  std::uint8_t byte() noexcept {
    if (rest_.empty()) return 0;
    const std::uint8_t first = rest_.front();
    rest_ = rest_.subspan(1);
    return first;
  }
  std::size_t below(std::size_t end) noexcept { return byte() % end; }
  bool flag() noexcept { return byte() % 2 == 1; }
  // Mostly small, now and then at the ends of what fits, or anything.
  std::uint64_t number() noexcept {
    constexpr std::array<std::uint64_t, 8> ends{0,
                                                UINT64_MAX,
                                                std::uint64_t{1} << 62,
                                                (std::uint64_t{1} << 62) + 1,
                                                (std::uint64_t{1} << 53) - 1,
                                                std::uint64_t{1} << 53,
                                                UINT32_MAX,
                                                INT64_MAX};
    const std::uint8_t first = byte();
    if (first < 200) return first % 8;
    if (first < 240) return ends[first % ends.size()];
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i)
      value = value << 8 | byte();
    return value;
  }
  std::string text(std::size_t size_max) {
    std::string text(below(size_max + 1), 'x');
    for (char& each : text)
      each = static_cast<char>(byte());
    return text;
  }

 private:
  std::span<const std::uint8_t> rest_;
};

}  // namespace videosync::fuzz
