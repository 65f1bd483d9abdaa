// Stands in for a service manager: takes the datagrams that come to a Unix socket (node has none of
// that kind) and prints each as a line, its own lines separated by '|', until it is ended.
//
// Usage: notify_socket PATH, or @NAME for one that no file has. Prints "ready" when it listens.
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <string>

int main(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.empty() || name.size() >= sizeof address.sun_path) return 2;
  std::memcpy(address.sun_path, name.data(), name.size());
  if (name[0] == '@') address.sun_path[0] = '\0';
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&address), length) != 0) return 1;
  std::puts("ready");
  std::fflush(stdout);
  for (;;) {
    std::array<char, 4096> text;
    const ssize_t size = ::recv(socket, text.data(), text.size(), 0);
    if (size < 0) return 1;
    std::string line(text.data(), static_cast<std::size_t>(size));
    while (line.ends_with('\n'))
      line.pop_back();
    std::ranges::replace(line, '\n', '|');
    std::puts(line.c_str());
    std::fflush(stdout);
  }
}
