// The far ends of connections, on either kernel: what the random programs of main.cpp need beside
// core/kernel/kernel.h. linux_peers.cpp and simulated_peers.cpp have it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "core/base/unique_fd.h"

namespace videosync::parity {

class Peer {
 public:
  virtual ~Peer() = default;
  virtual void write(std::span<const std::uint8_t> bytes) = 0;
  // Exactly so many, which have been sent to it.
  virtual std::string read(std::size_t count) = 0;
  // Sends no more.
  virtual void end() = 0;
};

struct Connection {
  UniqueFd socket;  // ours: non-blocking
  std::unique_ptr<Peer> peer;
};

// A kernel, while it lives.
class Peers {
 public:
  virtual ~Peers() = default;
  virtual Connection connect() = 0;
};
std::unique_ptr<Peers> make_peers();

}  // namespace videosync::parity
