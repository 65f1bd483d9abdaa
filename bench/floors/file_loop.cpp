// Floor of video ranges: what the kernel takes for moving a piece of a cached file to a socket.
// Usage: file_loop FILE [WAY]. Understands `Range: bytes=A-B` and nothing else.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <cstring>
#include <string>
#include <unordered_map>
#include <vector>

#include "bench/floors/epoll_server.h"

namespace videosync::bench {

namespace {

constexpr std::size_t quantum_bytes = 256 * 1024;

struct Range {
  off_t at = 0;
  off_t end = 0;

  std::size_t quantum() const noexcept {
    return std::min(static_cast<std::size_t>(end - at), quantum_bytes);
  }
};

// One way of sending a head and then a range; `send` is called again whenever there is room. What
// of a head did not fit is lost: a socket that just sent its answer is empty.
struct Way {
  const char* name;
  void (*send)(class FileLoop&, int socket, Range&, std::string_view head);
};

class FileLoop {
 public:
  FileLoop(const char* path, const Way& way)
      : way_(way), file_(::open(path, O_RDONLY | O_CLOEXEC)), buffer_(quantum_bytes) {
    check(file_ >= 0, path);
    struct stat status{};
    check(::fstat(file_, &status) == 0, path);
    void* mapped =
        ::mmap(nullptr, static_cast<std::size_t>(status.st_size), PROT_READ, MAP_SHARED, file_, 0);
    check(mapped != MAP_FAILED, "mmap");
    mapped_ = static_cast<char*>(mapped);
    check(::pipe2(pipe_.data(), O_CLOEXEC | O_NONBLOCK) == 0, "pipe2");
    ::fcntl(pipe_[1], F_SETPIPE_SZ, static_cast<int>(quantum_bytes));
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
    way_.send(*this, socket, range, {head.data(), static_cast<std::size_t>(length)});
  }
  void on_writable(int socket) {
    Range& range = ranges_[socket];
    if (range.at < range.end) way_.send(*this, socket, range, {});
  }

  void send_file(int socket, Range& range) const {
    while (range.at < range.end && ::sendfile(socket, file_, &range.at, range.quantum()) > 0) {
    }
  }
  void send_mapped(int socket, Range& range, std::string_view head) const {
    while (range.at < range.end &&
           send_both(socket, range, head, mapped_ + range.at, range.quantum())) {
      head = {};
    }
  }
  void send_read(int socket, Range& range, std::string_view head) {
    while (range.at < range.end) {
      const iovec into{buffer_.data(), range.quantum()};
      const ssize_t read = ::preadv2(file_, &into, 1, range.at, RWF_NOWAIT);
      if (read <= 0) check(false, "a file that is not in the page cache");
      const auto length = static_cast<std::size_t>(read);
      if (!send_both(socket, range, head, buffer_.data(), length)) return;
      head = {};
    }
  }
  void send_spliced(int socket, Range& range) const {
    while (range.at < range.end) {
      loff_t from = range.at;
      const ssize_t in =
          ::splice(file_, &from, pipe_[1], nullptr, range.quantum(), SPLICE_F_NONBLOCK);
      if (in <= 0) return;
      const unsigned more = range.at + in < range.end ? unsigned{SPLICE_F_MORE} : 0u;
      const ssize_t out = ::splice(pipe_[0], nullptr, socket, nullptr, static_cast<std::size_t>(in),
                                   SPLICE_F_NONBLOCK | more);
      range.at += std::max<ssize_t>(out, 0);
      if (out < in) return empty_pipe();
    }
  }

 private:
  // False: the socket is full.
  static bool send_both(int socket, Range& range, std::string_view head, char* data,
                        std::size_t length) {
    iovec pieces[2] = {{const_cast<char*>(head.data()), head.size()}, {data, length}};
    msghdr message{};
    message.msg_iov = head.empty() ? pieces + 1 : pieces;
    message.msg_iovlen = head.empty() ? 1 : 2;
    const ssize_t sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) return false;
    range.at += sent - static_cast<ssize_t>(head.size());
    return static_cast<std::size_t>(sent) == head.size() + length;
  }
  void empty_pipe() const {
    std::array<char, 4096> dropped;
    while (::read(pipe_[0], dropped.data(), dropped.size()) > 0) {
    }
  }

  const Way& way_;
  const int file_;
  char* mapped_ = nullptr;
  std::array<int, 2> pipe_{};
  std::vector<char> buffer_;
  std::unordered_map<int, Range> ranges_;
};

void send_head(int socket, std::string_view head, int flags) {
  if (!head.empty()) ::send(socket, head.data(), head.size(), MSG_NOSIGNAL | flags);
}

void set_cork(int socket, int value) {
  ::setsockopt(socket, IPPROTO_TCP, TCP_CORK, &value, sizeof value);
}

constexpr Way ways[] = {
    {"more",
     [](FileLoop& loop, int socket, Range& range, std::string_view head) {
       send_head(socket, head, MSG_MORE);
       loop.send_file(socket, range);
     }},
    {"apart",
     [](FileLoop& loop, int socket, Range& range, std::string_view head) {
       send_head(socket, head, 0);
       loop.send_file(socket, range);
     }},
    {"cork",
     [](FileLoop& loop, int socket, Range& range, std::string_view head) {
       if (!head.empty()) set_cork(socket, 1);
       send_head(socket, head, 0);
       loop.send_file(socket, range);
       if (range.at == range.end) set_cork(socket, 0);
     }},
    {"splice",
     [](FileLoop& loop, int socket, Range& range, std::string_view head) {
       send_head(socket, head, MSG_MORE);
       loop.send_spliced(socket, range);
     }},
    {"mapped", [](FileLoop& loop, int socket, Range& range,
                  std::string_view head) { loop.send_mapped(socket, range, head); }},
    {"read", [](FileLoop& loop, int socket, Range& range,
                std::string_view head) { loop.send_read(socket, range, head); }},
};

const Way* find_way(std::string_view name) {
  for (const Way& way : ways) {
    if (way.name == name) return &way;
  }
  return nullptr;
}

}  // namespace

}  // namespace videosync::bench

int main(int argc, char** argv) {
  using namespace videosync::bench;
  const Way* way = argc == 2 ? &ways[0] : argc == 3 ? find_way(argv[2]) : nullptr;
  check(way != nullptr, "usage: file_loop FILE [more|apart|cork|splice|mapped|read]");
  FileLoop floor(argv[1], *way);
  EpollServer server(floor);
  server.run();
}
