// Floor of small requests and of joins: reads, and sends one fixed answer for every request's end.
#include "bench/floors/epoll_server.h"
#include "bench/floors/members.h"

namespace videosync::bench {

namespace {

constexpr std::string_view valid =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n"
    R"({"valid":true})";
constexpr std::string_view end_of_head = "\r\n\r\n";

class AnswerLoop {
 public:
  void on_accepted(int) {}
  void on_closed(int) {}
  void on_writable(int) {}
  // A request's end that two reads share would be missed: load generators send whole requests.
  void on_received(int socket, std::string_view bytes) {
    answers_.clear();
    const auto answer = bytes.contains("Upgrade: websocket") ? upgraded : valid;
    for (std::size_t at = 0; (at = bytes.find(end_of_head, at)) != std::string_view::npos;
         at += end_of_head.size())
      answers_ += answer;
    ::send(socket, answers_.data(), answers_.size(), MSG_NOSIGNAL);
  }

 private:
  std::string answers_;
};

}  // namespace

}  // namespace videosync::bench

int main() {
  videosync::bench::AnswerLoop floor;
  videosync::bench::EpollServer server(floor);
  server.run();
}
