// A worker turned by a test, over a store that answers when the test says so.
#pragma once

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/reactor/listener.h"
#include "server/nodes/nodes.h"
#include "server/session/stored_session.h"
#include "server/worker.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/server/session/distant_store.h"

namespace videosync::test {

// One worker with a listener on loopback, turned by the test.
struct Node : NodesOwner {
  test::TempFolder www;
  Config config;
  SystemClock clock;
  DistantStore store{clock};
  Metrics metrics{1, "test"};
  std::unique_ptr<Service> service;
  std::unique_ptr<Worker> worker;
  std::unique_ptr<Nodes> nodes;  // as far as its sessions can tell, there are others
  std::uint16_t port = 0;

  explicit Node(bool is_shared = false) {
    www.write("index.html");
    config.drain_us = 0;
    service.reset(new Service{
        .config = config,
        .clock = clock,
        .store = store,
        .metrics = metrics,
        .pages = *Pages::load(www.path()),
        .origins = *OriginPolicy::create({}),
        .session_limits = {},
        .session_limiter = RateLimiter({}),
        .code_limiter = RateLimiter({}),
        .per_address = ConnectionCounter(0),
        .workers = {},
    });
    auto reactor = Reactor::create(clock);
    cr_assert(reactor.has_value());
    worker = std::make_unique<Worker>(*service, std::move(*reactor),
                                      make_catalog(MediaLibrary::make_empty()), nullptr);
    service->workers.push_back(worker.get());
    if (is_shared) {
      const NodesPorts ports{.clock = clock,
                             .timers = worker->reactor().timers(),
                             .store = store,
                             .around = worker->surroundings(),
                             .workers = 1,
                             .self = Uuid::random_v4()};
      nodes = std::make_unique<Nodes>(ports, *this);
      service->nodes = nodes.get();
    }
    worker->open_sessions();
    auto socket = open_listening_socket({"127.0.0.1", 0, ""});
    port = listening_port(socket->get());
    worker->listen(std::move(*socket), false);
    cr_assert(worker->start().has_value());
  }
  virtual ~Node() {
    worker->begin_drain();
    worker->run();
  }

  Totals totals() noexcept override { return {}; }
  void on_degraded(const SharedSlots&, bool) noexcept override {}
  void on_round_trip(std::int64_t) noexcept override {}
  void void_store_calls(const SharedSlots&) noexcept override {}

  void turn(int times = 5) {
    for (int i = 0; i < times; ++i)
      worker->reactor().turn(5);
  }
};

struct Client {
  Node& node;
  int socket = -1;

  explicit Client(Node& at) : node(at), socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(node.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    cr_assert_eq(::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~Client() { ::close(socket); }

  // The request reaches the store, whose answer is still to come.
  void ask(const std::string& line, const std::string& fields = "") const {
    const std::string text = line + " HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n";
    cr_assert_eq(::send(socket, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    node.turn();
  }
  std::string receive() const {
    node.turn();
    std::string text(65'536, '\0');
    const ssize_t n = ::recv(socket, text.data(), text.size(), MSG_DONTWAIT);
    text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return text;
  }
};

inline void join(const Client& client, const std::string& key) {
  client.ask("GET /ws?session=" + key,
             "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
}

}  // namespace videosync::test
