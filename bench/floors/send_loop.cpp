// Floor of a broadcast: one send(2) a member, in a loop.
#include "bench/floors/epoll_server.h"
#include "bench/floors/members.h"

namespace videosync::bench {

namespace {

class SendLoop {
 public:
  void on_accepted(int socket) { members_.on_accepted(socket); }
  void on_closed(int socket) { members_.on_closed(socket); }
  void on_writable(int) {}
  void on_received(int from, std::string_view bytes) {
    if (!members_.receive(from, bytes)) return;
    for (const int socket : members_.sockets())
      ::send(socket, frame_.data(), frame_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }

 private:
  Members members_;
  const std::string frame_ = state_frame();
};

}  // namespace

}  // namespace videosync::bench

int main() {
  videosync::bench::SendLoop floor;
  videosync::bench::EpollServer server(floor);
  server.run();
}
