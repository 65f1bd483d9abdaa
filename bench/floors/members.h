// Members: the sockets of a broadcast floor, and what they are sent.
#pragma once

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace videosync::bench {

inline constexpr std::string_view upgraded =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

// 150 bytes, as many as one of our state frames has: a header of four and a text.
inline std::string state_frame() {
  std::string frame("\x81\x7e\x00\x92", 4);
  frame += R"({"type":"state","padding":")";
  frame.append(148 - frame.size(), 'x');
  return frame + "\"}";
}

// Answers upgrades; whatever a member sends after its own is a wish to broadcast.
class Members {
 public:
  void on_accepted(int socket) { sockets_.push_back(socket); }
  void on_closed(int socket) { std::erase(sockets_, socket); }

  // Whether `bytes` ask for a broadcast.
  bool receive(int socket, std::string_view bytes) const {
    if (!bytes.starts_with("GET ")) return true;
    ::send(socket, upgraded.data(), upgraded.size(), MSG_NOSIGNAL);
    return false;
  }
  const std::vector<int>& sockets() const noexcept { return sockets_; }

 private:
  std::vector<int> sockets_;
};

}  // namespace videosync::bench
