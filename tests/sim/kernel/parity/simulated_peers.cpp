#include "core/base/assert.h"
#include "tests/sim/kernel/parity/peers.h"
#include "tests/sim/kernel/simulated_kernel.h"

namespace videosync::parity {

namespace {

class SimulatedPeer final : public Peer {
 public:
  explicit SimulatedPeer(std::shared_ptr<sim::Socket> socket) : socket_(std::move(socket)) {}
  void write(std::span<const std::uint8_t> bytes) override {
    socket_->in.put(bytes);
    ++socket_->changes;
  }
  std::string read(std::size_t count) override {
    std::string text(count, '\0');
    VS_ASSERT(socket_->out.take({reinterpret_cast<std::uint8_t*>(text.data()), count}) == count);
    ++socket_->changes;
    return text;
  }
  void end() override {
    socket_->has_peer_ended = true;
    ++socket_->changes;
  }

 private:
  std::shared_ptr<sim::Socket> socket_;
};

class SimulatedPeers final : public Peers {
 public:
  // Whoever waits on one ring waits on no other.
  SimulatedPeers() { kernel_.turn_alone(); }
  Connection connect() override {
    auto socket = std::make_shared<sim::Socket>();
    socket->room_bytes = 1 << 20;
    UniqueFd near(kernel_.add(socket));
    return {std::move(near), std::make_unique<SimulatedPeer>(std::move(socket))};
  }

 private:
  sim::SimulatedKernel kernel_{1, {}, 1'024, 16'384};
};

}  // namespace

std::unique_ptr<Peers> make_peers() {
  return std::make_unique<SimulatedPeers>();
}

}  // namespace videosync::parity
