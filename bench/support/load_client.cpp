#include "bench/support/load_client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "core/base/assert.h"
#include "proto/websocket_frames.h"

namespace videosync::bench {

namespace {

constexpr std::size_t connects_a_turn = 32;

struct ServerFrame {
  WebSocketOpcode opcode;
  std::string_view payload;
  std::size_t bytes;  // header and payload
};

// The unmasked, final frame at the front of `text`, where it is whole.
std::optional<ServerFrame> front_frame(std::string_view text) {
  if (text.size() < 2) return std::nullopt;
  const auto at = [&](std::size_t i) { return std::size_t{static_cast<std::uint8_t>(text[i])}; };
  std::size_t header = 2;
  std::size_t length = at(1) & 0x7f;
  if (length == 126) {
    if (text.size() < 4) return std::nullopt;
    header = 4;
    length = at(2) << 8 | at(3);
  }
  VS_ASSERT(length < 127 || header == 4);  // no message to a viewer is longer than 64 KiB
  if (text.size() < header + length) return std::nullopt;
  return ServerFrame{static_cast<WebSocketOpcode>(at(0) & 0xf), text.substr(header, length),
                     header + length};
}

// A connected, non-blocking socket. On loopback, with room in the backlog, connect() is immediate.
int connect_to(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return -1;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int code = errno;
    ::close(socket);
    errno = code;
    return -1;
  }
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::fcntl(socket, F_SETFL, O_NONBLOCK);
  return socket;
}

}  // namespace

std::int64_t quantile(std::vector<std::int64_t>& samples, double q) {
  if (samples.empty()) return 0;
  std::sort(samples.begin(), samples.end());
  const auto last = static_cast<double>(samples.size() - 1);
  return samples[static_cast<std::size_t>(q * last)];
}

class LoadClient::Member final : public StreamOwner {
 public:
  Member(LoadClient& client, int socket)
      : client_(client), began_us_(client.now_us()), stream_(client.reactor_, *this) {
    stream_.open(socket);
    stream_.send(BufferRef::copy_of(
        fmt::format("GET /ws?session={} HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\n"
                    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                    client.session_key_)));
  }

  std::int64_t began_us() const noexcept { return began_us_; }
  void close() noexcept { stream_.close(CloseReason::by_owner); }
  void send(WebSocketOpcode opcode, std::string_view payload) {
    std::string frame;
    append_masked_frame(frame, opcode, payload, {1, 2, 3, 4});
    stream_.send(BufferRef::copy_of(frame));
  }

  void on_received(std::span<std::uint8_t> bytes) noexcept override {
    std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (!held_.empty()) {
      held_.append(text);
      text = held_;
    }
    const std::size_t used = consume(text);
    if (used < text.size()) {
      held_ = std::string(text.substr(used));
    } else if (!held_.empty()) {
      held_ = std::string();
    }
  }
  void on_input_ended() noexcept override { close(); }
  void on_output_empty() noexcept override {}
  void on_closed(CloseReason) noexcept override { client_.on_lost("a connection was closed"); }
  void on_retired() noexcept override { ++client_.retired_; }

 private:
  std::size_t consume(std::string_view text) {
    std::size_t used = 0;
    if (!is_upgraded_) {
      const auto end = text.find("\r\n\r\n");
      if (end == std::string_view::npos) return 0;
      if (!text.starts_with("HTTP/1.1 101 ")) {
        client_.trouble_ = "refused: " + std::string(text.substr(0, text.find('\r')));
        close();
        return text.size();
      }
      is_upgraded_ = true;
      used = end + 4;
    }
    while (const auto frame = front_frame(text.substr(used))) {
      used += frame->bytes;
      if (frame->opcode == WebSocketOpcode::text) client_.on_message(*this, frame->payload);
      if (frame->opcode == WebSocketOpcode::ping) send(WebSocketOpcode::pong, frame->payload);
    }
    return used;
  }

  LoadClient& client_;
  const std::int64_t began_us_;
  TcpStream stream_;
  std::string held_;  // an incomplete head or frame
  bool is_upgraded_ = false;
};

LoadClient::LoadClient(Reactor& reactor, std::uint16_t port, std::string session_key)
    : reactor_(reactor), port_(port), session_key_(std::move(session_key)) {}

LoadClient::~LoadClient() {
  VS_ASSERT(retired_ == members_.size());
}

void LoadClient::connect_one() {
  const int socket = connect_to(port_);
  if (socket < 0) {
    if (trouble_.empty()) trouble_ = std::string("cannot connect: ") + std::strerror(errno);
    return;
  }
  members_.push_back(std::make_unique<Member>(*this, socket));
}

void LoadClient::on_message(Member& member, std::string_view text) {
  if (text.starts_with(R"({"type":"state")")) {
    arrivals_us_.push_back(now_us() - sought_us_);
  } else if (text.starts_with(R"({"type":"welcome")")) {
    ++welcomed_;
    join_us_.push_back(now_us() - member.began_us());
  } else if (text.starts_with(R"({"type":"error")")) {
    trouble_ = text;
  }
}

void LoadClient::on_lost(std::string_view why) {
  ++lost_;
  if (!is_closing_ && trouble_.empty()) trouble_ = why;
}

void LoadClient::seek(double position) {
  arrivals_us_.clear();
  sought_us_ = now_us();
  members_.front()->send(WebSocketOpcode::text,
                         fmt::format(R"({{"type":"seek","position":{}}})", position));
}

void LoadClient::turn(std::int64_t wait_max_ms) {
  for (std::size_t i = 0; i < connects_a_turn && trouble_.empty(); ++i) {
    const std::size_t in_flight = members_.size() - welcomed_;
    if (members_.size() >= wanted_ || in_flight >= joins_in_flight) break;
    connect_one();
  }
  reactor_.turn(wait_max_ms);
}

void LoadClient::close_all() {
  is_closing_ = true;
  for (auto& member : members_)
    member->close();
  while (retired_ < members_.size())
    reactor_.turn(10);
}

}  // namespace videosync::bench
