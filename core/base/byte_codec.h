// ByteWriter and ByteReader: values to little-endian bytes and back, for what we store and what
// nodes say to each other.
//
// The reader never trusts: after the first value that does not fit `ok()` is false for good, and
// every value from then on is empty. No length is believed before the bytes for it are there, so
// what it allocates is bounded by what it was given. Plain values; the reader keeps a view.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/assert.h"
#include "core/base/utf8.h"

namespace videosync {

class ByteWriter {
 public:
  ByteWriter() { bytes_.reserve(bytes_expected); }

  template <std::unsigned_integral Integer>
  void put(Integer value) {
    std::array<char, sizeof value> little;
    for (std::size_t i = 0; i < sizeof value; ++i)
      little[i] = static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xff);
    bytes_.append(little.data(), little.size());
  }
  void put_flag(bool value) { put(static_cast<std::uint8_t>(value)); }
  void put_time(std::int64_t us) { put(static_cast<std::uint64_t>(us)); }
  void put_real(double value) { put(std::bit_cast<std::uint64_t>(value)); }
  void put_raw(std::span<const std::uint8_t> raw) {
    bytes_.append(reinterpret_cast<const char*>(raw.data()), raw.size());
  }
  // Its length, then its bytes. REQUIRES that the length fits.
  template <std::unsigned_integral Length = std::uint32_t>
  void put_text(std::string_view text) {
    VS_ASSERT(text.size() <= std::numeric_limits<Length>::max());
    put(static_cast<Length>(text.size()));
    bytes_ += text;
  }

  std::size_t size() const noexcept { return bytes_.size(); }
  std::string take_bytes() noexcept { return std::move(bytes_); }

 private:
  // A stored session fits: it is written with every command, and grew five times on its way.
  static constexpr std::size_t bytes_expected = 256;

  std::string bytes_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) noexcept : rest_(bytes) {}

  template <std::unsigned_integral Integer>
  Integer get() noexcept {
    if (rest_.size() < sizeof(Integer)) return broken<Integer>();
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(Integer); ++i) {
      value |= std::uint64_t{static_cast<std::uint8_t>(rest_[i])} << (8 * i);
    }
    rest_.remove_prefix(sizeof(Integer));
    return static_cast<Integer>(value);
  }
  // An enumeration or flag with values up to `last`.
  template <class Enum>
  Enum get_enum(Enum last) noexcept {
    const auto value = get<std::uint8_t>();
    if (value > static_cast<std::uint8_t>(last)) return broken<Enum>();
    return static_cast<Enum>(value);
  }
  bool get_flag() noexcept { return get_enum<bool>(true); }
  std::int64_t get_time() noexcept {
    const auto us = static_cast<std::int64_t>(get<std::uint64_t>());
    // Far from where sums of times would overflow.
    return us < 0 || us > INT64_MAX / 2 ? broken<std::int64_t>() : us;
  }
  double get_real(double min, double max) noexcept {
    const double value = std::bit_cast<double>(get<std::uint64_t>());
    return value >= min && value <= max ? value : broken<double>();
  }
  // Fills all of `raw`.
  void get_raw(std::span<std::uint8_t> raw) noexcept {
    for (std::uint8_t& byte : raw)
      byte = get<std::uint8_t>();
  }
  template <std::unsigned_integral Length = std::uint32_t>
  std::string get_bytes(std::size_t bytes_max) {
    const std::size_t size = get<Length>();
    if (size > bytes_max || size > rest_.size()) return broken<std::string>();
    std::string bytes(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return bytes;
  }
  // The same, but valid UTF-8.
  template <std::unsigned_integral Length = std::uint32_t>
  std::string get_text(std::size_t bytes_max) {
    std::string text = get_bytes<Length>(bytes_max);
    return is_valid_utf8(text) ? text : broken<std::string>();
  }

  void require(bool holds) noexcept {
    if (!holds) broken<bool>();
  }
  bool ok() const noexcept { return ok_; }
  bool at_end() const noexcept { return rest_.empty(); }

 private:
  template <class Value>
  Value broken() noexcept {
    ok_ = false;
    rest_ = {};
    return Value{};
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace videosync
