// What a descriptor of the simulated kernel stands for. Plain values; the kernel has the rules.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <span>
#include <variant>
#include <vector>

#include "tests/sim/random.h"

namespace videosync::kernel {
struct Ring;
}

namespace videosync::sim {

// Bytes in order: put in at the end, taken from the front.
class Fifo {
 public:
  std::size_t size() const noexcept { return bytes_.size() - taken_; }
  bool empty() const noexcept { return size() == 0; }
  std::span<const std::uint8_t> bytes() const noexcept { return std::span(bytes_).subspan(taken_); }
  void put(std::span<const std::uint8_t> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  std::size_t take(std::span<std::uint8_t> into) noexcept {
    const std::size_t count = into.size() < size() ? into.size() : size();
    if (count > 0) std::memcpy(into.data(), bytes_.data() + taken_, count);
    taken_ += count;
    if (taken_ == bytes_.size()) clear();
    return count;
  }
  void clear() noexcept {
    bytes_.clear();
    taken_ = 0;
  }

 private:
  std::vector<std::uint8_t> bytes_;
  std::size_t taken_ = 0;
};

// What a file holds at a place: of its pattern and the place alone.
inline std::uint8_t file_byte(std::uint64_t pattern, std::int64_t offset) noexcept {
  const auto place = static_cast<std::uint64_t>(offset);
  return static_cast<std::uint8_t>(Random::mix(pattern ^ (place >> 3)) >> (8 * (place & 7)));
}

// What operations may wait for. Whoever changes it from outside says so.
struct Awaited {
  std::uint64_t changes = 1;
};

// A connection, both its ends. `in` comes from the peer, `out` goes to it.
struct Socket : Awaited {
  Fifo in;
  Fifo out;
  std::size_t room_bytes = 0;   // that `out` may hold
  bool is_waiting = false;      // or was: to be accepted
  bool has_peer_ended = false;  // sends no more (FIN)
  bool has_peer_left = false;   // reads no more either: what it is sent brings a reset
  bool is_reset = false;
  bool has_ended = false;           // our side sends no more
  bool is_shut = false;             // nor receives
  bool is_closed = false;           // our descriptor is gone
  bool was_refused_memory = false;  // an operation of it failed for no fault of the peer

  std::size_t room() const noexcept {
    return out.size() < room_bytes ? room_bytes - out.size() : 0;
  }
  bool can_read() const noexcept { return !in.empty() || has_peer_ended || is_reset || is_shut; }
  bool can_write() const noexcept { return room() > 0 || has_ended || is_shut || is_reset; }
};

struct ListenerQueue : Awaited {
  std::deque<std::shared_ptr<Socket>> waiting;
};

struct PipeBytes {
  Fifo bytes;
  std::size_t capacity = 0;
};
struct PipeEnd {
  std::shared_ptr<PipeBytes> pipe;
  bool reads = false;
};

struct FileShape {
  std::uint64_t pattern = 0;
  std::int64_t bytes = 0;
  std::vector<bool> cached;  // by page
  int real = -1;             // a descriptor of the real kernel's, whose bytes these are

  // REQUIRES that they are there.
  void read(std::int64_t offset, std::span<std::uint8_t> into) const;
};

struct Event : Awaited {
  std::uint64_t count = 0;
};

struct RingEnd {
  kernel::Ring* ring = nullptr;
};

using Object = std::variant<std::monostate, std::shared_ptr<Socket>, std::shared_ptr<ListenerQueue>,
                            PipeEnd, FileShape, std::shared_ptr<Event>, RingEnd>;

}  // namespace videosync::sim
