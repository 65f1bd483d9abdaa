// Connection: Boost.Beast, one thread. Sends every text unchanged to all who are connected, the
// sender too: one shared text and a queue a session, as Beast's own chat example has it; no
// compression.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <cstdio>
#include <deque>
#include <memory>
#include <string>
#include <unordered_set>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using Tcp = asio::ip::tcp;
using Text = std::shared_ptr<const std::string>;

class Session;

struct Audience {
  std::unordered_set<Session*> sessions;
  void broadcast(const Text& text);
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Tcp::socket socket, Audience& audience)
      : stream_(std::move(socket)), audience_(audience) {}
  ~Session() { audience_.sessions.erase(this); }

  void start() {
    stream_.set_option(beast::websocket::stream_base::timeout::suggested(beast::role_type::server));
    beast::get_lowest_layer(stream_).expires_never();
    stream_.async_accept([self = shared_from_this()](beast::error_code error) {
      if (error) return;
      self->audience_.sessions.insert(self.get());
      self->stream_.text(true);
      self->read();
    });
  }

  void send(Text text) {
    queue_.push_back(std::move(text));
    if (queue_.size() == 1) write();
  }

 private:
  void read() {
    stream_.async_read(buffer_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (error) return;
      auto text =
          std::make_shared<const std::string>(beast::buffers_to_string(self->buffer_.data()));
      self->buffer_.consume(self->buffer_.size());
      self->audience_.broadcast(text);
      self->read();
    });
  }
  void write() {
    stream_.async_write(asio::buffer(*queue_.front()),
                        [self = shared_from_this()](beast::error_code error, std::size_t) {
                          if (error) return;
                          self->queue_.pop_front();
                          if (!self->queue_.empty()) self->write();
                        });
  }

  beast::websocket::stream<beast::tcp_stream> stream_;
  Audience& audience_;
  beast::flat_buffer buffer_;
  std::deque<Text> queue_;
};

void Audience::broadcast(const Text& text) {
  for (Session* session : sessions)
    session->send(text);
}

void accept_next(Tcp::acceptor& acceptor, Audience& audience) {
  acceptor.async_accept([&](beast::error_code error, Tcp::socket socket) {
    if (!error) {
      socket.set_option(Tcp::no_delay(true));
      std::make_shared<Session>(std::move(socket), audience)->start();
    }
    accept_next(acceptor, audience);
  });
}

}  // namespace

int main() {
  asio::io_context context(1);
  Tcp::acceptor acceptor(context, Tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  acceptor.listen(4096);
  Audience audience;
  accept_next(acceptor, audience);
  std::printf("listening on 127.0.0.1:%u\n", unsigned{acceptor.local_endpoint().port()});
  std::fflush(stdout);
  context.run();
}
