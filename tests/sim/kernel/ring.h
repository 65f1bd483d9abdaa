// A ring of the simulated kernel, and what it has in flight.
#pragma once

#include <liburing.h>
#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "core/kernel/kernel.h"
#include "core/reactor/operation.h"
#include "tests/sim/kernel/objects.h"

namespace videosync::sim {

// One entry that was taken and has not seen its last completion.
struct InFlight {
  kernel::Ring* ring = nullptr;
  io_uring_sqe entry{};
  std::vector<iovec> vectors;                       // of a send: what was lent
  std::uint64_t lent_digest = 0;                    // of those bytes
  videosync::Operation::Handler handler = nullptr;  // of its owner, when it was armed
  const Awaited* awaited = nullptr;                 // null: it can always be tried
  std::uint64_t changes_seen = 0;                   // of that, when it was tried in vain
  std::int64_t not_before_us = 0;                   // nothing happens to it earlier
  std::int64_t blocked_since_us = 0;                // a send of which the peer has ended its side
  bool is_cancelled = false;
  bool is_done = false;

  videosync::Operation* owner() const noexcept {
    return reinterpret_cast<videosync::Operation*>(entry.user_data);
  }
};

// The buffers that a multishot receive takes from.
struct LentBuffers {
  struct Entry {
    std::uint64_t address;
    std::uint32_t length;
    std::uint16_t id;
    std::uint16_t tail;
  };

  const Entry* entries = nullptr;
  unsigned count = 0;
  std::uint16_t seen = 0;  // of the tail: given to us up to here
  std::deque<Entry> available;
  std::vector<bool> is_ours;           // by id
  std::vector<std::uint32_t> written;  // by id: so many bytes at its last time
};

}  // namespace videosync::sim

namespace videosync::kernel {

struct Ring {
  int descriptor = -1;
  bool is_enabled = false;
  std::vector<io_uring_sqe> entries;  // a circle
  unsigned first = 0;
  unsigned filled = 0;
  unsigned capacity = 0;             // of `ready`
  std::deque<io_uring_cqe> waiting;  // not yet fetched
  std::deque<io_uring_cqe> ready;
  sim::LentBuffers buffers;
  std::int64_t asleep_until_us = 0;  // since its last wait
};

}  // namespace videosync::kernel
