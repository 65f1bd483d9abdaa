// Floor of a broadcast: one SEND submission a member, 256 a system call, registered files.
#include <liburing.h>

#include <utility>

#include "bench/floors/epoll_server.h"
#include "bench/floors/members.h"

namespace videosync::bench {

namespace {

class SendRing {
 public:
  SendRing() {
    io_uring_params params{};
    params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
    check(io_uring_queue_init_params(batch, &ring_, &params) == 0, "io_uring");
    check(io_uring_register_files_sparse(&ring_, sockets_max) == 0, "registered files");
  }

  void on_accepted(int socket) {
    check(members_.sockets().size() < sockets_max, "too many members");
    const auto place = static_cast<unsigned>(members_.sockets().size());
    check(io_uring_register_files_update(&ring_, place, &socket, 1) == 1, "register a file");
    members_.on_accepted(socket);
  }
  // Places are not taken back: a floor's members all stay until it is ended.
  void on_closed(int) { std::exit(0); }
  void on_writable(int) {}

  void on_received(int from, std::string_view bytes) {
    if (!members_.receive(from, bytes)) return;
    unsigned waiting = 0;
    for (std::size_t place = 0; place < members_.sockets().size(); ++place) {
      io_uring_sqe* entry = io_uring_get_sqe(&ring_);
      io_uring_prep_send(entry, static_cast<int>(place), frame_.data(), frame_.size(),
                         MSG_NOSIGNAL);
      entry->flags |= IOSQE_FIXED_FILE;
      if (++waiting == batch) submit(std::exchange(waiting, 0));
    }
    if (waiting > 0) submit(waiting);
  }

 private:
  static constexpr unsigned batch = 256;
  static constexpr unsigned sockets_max = 19'000;

  void submit(unsigned count) {
    check(io_uring_submit_and_wait(&ring_, count) >= 0, "submit");
    io_uring_cq_advance(&ring_, io_uring_cq_ready(&ring_));
  }

  io_uring ring_{};
  Members members_;
  const std::string frame_ = state_frame();
};

}  // namespace

}  // namespace videosync::bench

int main() {
  videosync::bench::SendRing floor;
  videosync::bench::EpollServer server(floor);
  server.run();
}
