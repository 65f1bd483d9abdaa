// Floor of video ranges: a head with MSG_MORE, then sendfile(2) until the socket is full.
// Usage: file_loop FILE. Understands `Range: bytes=A-B` and nothing else.
#include <fcntl.h>
#include <sys/sendfile.h>

#include <cstring>
#include <unordered_map>

#include "bench/floors/epoll_server.h"

namespace videosync::bench {

namespace {

class FileLoop {
 public:
  explicit FileLoop(const char* path) : file_(::open(path, O_RDONLY | O_CLOEXEC)) {
    check(file_ >= 0, path);
  }

  void on_accepted(int socket) { ranges_[socket] = {}; }
  void on_closed(int socket) { ranges_.erase(socket); }
  void on_received(int socket, std::string_view bytes) {
    Range& range = ranges_[socket];
    const auto mark = bytes.find("bytes=");
    if (mark == std::string_view::npos) return;
    char* end = nullptr;
    range.at = std::strtoll(bytes.data() + mark + std::strlen("bytes="), &end, 10);
    range.end = std::strtoll(end + 1, nullptr, 10) + 1;
    std::array<char, 160> head;
    const int length = std::snprintf(
        head.data(), head.size(),
        "HTTP/1.1 206 Partial Content\r\nContent-Type: video/mp4\r\nContent-Length: %lld\r\n\r\n",
        static_cast<long long>(range.end - range.at));
    ::send(socket, head.data(), static_cast<std::size_t>(length), MSG_NOSIGNAL | MSG_MORE);
    on_writable(socket);
  }
  void on_writable(int socket) {
    Range& range = ranges_[socket];
    while (range.at < range.end) {
      const auto length = static_cast<std::size_t>(range.end - range.at);
      if (::sendfile(socket, file_, &range.at, std::min(length, quantum_bytes)) <= 0) return;
    }
  }

 private:
  static constexpr std::size_t quantum_bytes = 256 * 1024;

  struct Range {
    off_t at = 0;
    off_t end = 0;
  };

  const int file_;
  std::unordered_map<int, Range> ranges_;
};

}  // namespace

}  // namespace videosync::bench

int main(int argc, char** argv) {
  videosync::bench::check(argc == 2, "usage: file_loop FILE");
  videosync::bench::FileLoop floor(argv[1]);
  videosync::bench::EpollServer server(floor);
  server.run();
}
