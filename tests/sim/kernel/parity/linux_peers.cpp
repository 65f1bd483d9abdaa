#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

#include "core/base/assert.h"
#include "tests/sim/kernel/parity/peers.h"

namespace videosync::parity {

namespace {

class LinuxPeer final : public Peer {
 public:
  explicit LinuxPeer(UniqueFd socket) : socket_(std::move(socket)) {}
  void write(std::span<const std::uint8_t> bytes) override {
    VS_ASSERT(::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
              static_cast<ssize_t>(bytes.size()));
  }
  std::string read(std::size_t count) override {
    std::string text(count, '\0');
    for (std::size_t filled = 0; filled < count;) {
      const ssize_t n = ::recv(socket_.get(), text.data() + filled, count - filled, 0);
      VS_ASSERT(n > 0 || (n < 0 && errno == EINTR));
      if (n > 0) filled += static_cast<std::size_t>(n);
    }
    return text;
  }
  void end() override { ::shutdown(socket_.get(), SHUT_WR); }

 private:
  UniqueFd socket_;
};

class LinuxPeers final : public Peers {
 public:
  LinuxPeers() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    VS_ASSERT(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    VS_ASSERT(::listen(listener_.get(), 8) == 0);
  }
  Connection connect() override {
    sockaddr_in address{};
    socklen_t length = sizeof address;
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &length);
    UniqueFd far(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    VS_ASSERT(::connect(far.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
    UniqueFd near(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    VS_ASSERT(bool{near});
    return {std::move(near), std::make_unique<LinuxPeer>(std::move(far))};
  }

 private:
  UniqueFd listener_;
};

}  // namespace

std::unique_ptr<Peers> make_peers() {
  return std::make_unique<LinuxPeers>();
}

}  // namespace videosync::parity
