// Slots of keys, as Redis Cluster has them: 16,384, of which each server has some. What stands in a
// name's first braces decides, so that a session's hash and its channel are in one slot.
//
// Source: the Redis Cluster specification, "Key distribution model" (CRC-16/XMODEM). Pure.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace videosync {

struct ShortCode;
struct Uuid;

inline constexpr std::size_t key_slots = 16'384;
using SlotSet = std::bitset<key_slots>;
// For those on several threads, none of whom changes it.
using SharedSlots = std::shared_ptr<const SlotSet>;

namespace key_slots_detail {

inline constexpr std::array<std::uint16_t, 256> crc_table = [] {
  std::array<std::uint16_t, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    auto value = static_cast<std::uint16_t>(i << 8);
    for (int bit = 0; bit < 8; ++bit)
      value = static_cast<std::uint16_t>((value & 0x8000U) != 0 ? value << 1 ^ 0x1021 : value << 1);
    table[i] = value;
  }
  return table;
}();

}  // namespace key_slots_detail

// Of a key or a channel by its name in Redis.
constexpr std::uint16_t slot_of_name(std::string_view name) noexcept {
  const std::size_t open = name.find('{');
  const std::size_t close = open == name.npos ? name.npos : name.find('}', open + 1);
  if (close != name.npos && close > open + 1) name = name.substr(open + 1, close - open - 1);
  std::uint16_t crc = 0;
  for (const char letter : name) {
    const auto index = static_cast<std::uint8_t>(crc >> 8 ^ static_cast<std::uint8_t>(letter));
    crc = static_cast<std::uint16_t>(crc << 8 ^ key_slots_detail::crc_table[index]);
  }
  return crc % key_slots;
}

// Of a session's key; of the record that says whose a code is.
std::uint16_t slot_of(const Uuid& key) noexcept;
std::uint16_t slot_of(ShortCode code) noexcept;

}  // namespace videosync
