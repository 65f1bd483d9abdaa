// The sessions' home over a store across the network: one that answers in a later turn, or is away.
#include "server/session_home.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/reactor/listener.h"
#include "server/worker.h"
#include "storage/memory_store.h"
#include "tests/support/temp_folder.h"

using namespace videosync;

namespace {

// Answers when told to, in order; while `is_away` it answers that.
class DistantStore final : public SessionStore {
 public:
  explicit DistantStore(const Clock& clock) noexcept : near_(clock) {}

  bool is_away = false;
  int changes = 0;
  std::vector<std::move_only_function<void()>> answers;

  void answer_all() {
    for (auto& answer : std::exchange(answers, {}))
      answer();
  }

  void listen(SessionListener& listener) noexcept override { near_.listen(listener); }
  void create(const Uuid& key, StoreVersion version, BufferRef bytes, std::int64_t ttl_us,
              OnDone done) override {
    later(std::move(done),
          [=, this](OnDone d) { near_.create(key, version, bytes, ttl_us, std::move(d)); });
  }
  void load(const Uuid& key, OnValue done) override {
    later(std::move(done), [=, this](OnValue d) { near_.load(key, std::move(d)); });
  }
  void exists(const Uuid& key, OnExists done) override {
    later(std::move(done), [=, this](OnExists d) { near_.exists(key, std::move(d)); });
  }
  void change(const Uuid& key, StoreVersion expected, StoreVersion next, BufferRef bytes,
              std::int64_t ttl_us, BufferRef event, OnDone done) override {
    ++changes;
    later(std::move(done), [=, this](OnDone d) {
      near_.change(key, expected, next, bytes, ttl_us, event, [&](Result<> changed) noexcept {
        cr_expect(changed || changed.error().code != ErrorCode::conflict, "a stale version");
        d(std::move(changed));
      });
    });
  }
  void touch(const Uuid& key, std::int64_t ttl_us, OnDone done) override {
    later(std::move(done), [=, this](OnDone d) { near_.touch(key, ttl_us, std::move(d)); });
  }
  void remove(const Uuid& key, StoreVersion version, BufferRef event, OnDone done) override {
    later(std::move(done),
          [=, this](OnDone d) { near_.remove(key, version, event, std::move(d)); });
  }
  void publish(const Uuid& channel, BufferRef event, OnReceivers done) override {
    later(std::move(done),
          [=, this](OnReceivers d) { near_.publish(channel, event, std::move(d)); });
  }
  void follow(const Uuid& channel, OnDone done) override {
    later(std::move(done), [=, this](OnDone d) { near_.follow(channel, std::move(d)); });
  }
  void unfollow(const Uuid& channel) override { near_.unfollow(channel); }

 private:
  template <class Done, class Ask>
  void later(Done done, Ask ask) {
    answers.emplace_back([this, done = std::move(done), ask = std::move(ask)]() mutable {
      if (is_away) {
        done(fail(ErrorCode::unavailable, "the store is away"));
      } else {
        ask(std::move(done));
      }
    });
  }

  MemoryStore near_;
};

// One worker with a listener on loopback, turned by the test.
struct Node {
  test::TempFolder www;
  Config config;
  SystemClock clock;
  DistantStore store{clock};
  Metrics metrics{1, "test"};
  std::unique_ptr<Service> service;
  std::unique_ptr<Worker> worker;
  std::uint16_t port = 0;

  Node() {
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
        .per_address = ConnectionCounter(0),
        .workers = {},
        .every_second = {},
    });
    auto reactor = Reactor::create(clock);
    cr_assert(reactor.has_value());
    worker = std::make_unique<Worker>(*service, std::move(*reactor), MediaLibrary::make_empty());
    service->workers.push_back(worker.get());
    const auto socket = open_listening_socket({"127.0.0.1", 0, ""});
    port = listening_port(*socket);
    worker->listen(*socket, false);
    cr_assert(worker->start().has_value());
  }
  ~Node() {
    worker->begin_drain();
    worker->run();
  }

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

std::string value_of(const std::string& json, const std::string& name) {
  const std::size_t begin = json.find("\"" + name + "\":\"") + name.size() + 4;
  return json.substr(begin, json.find('"', begin) - begin);
}

struct MadeSession {
  std::string key, host_token;
};
MadeSession make_session(Node& node) {
  const Client client(node);
  client.ask("POST /api/sessions", "Content-Length: 0\r\n");
  node.store.answer_all();
  const std::string answer = client.receive();
  cr_assert(answer.starts_with("HTTP/1.1 201"), "%s", answer.c_str());
  return {value_of(answer, "key"), value_of(answer, "hostToken")};
}

void join(const Client& client, const std::string& key) {
  client.ask("GET /ws?session=" + key,
             "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
}

}  // namespace

Test(session_home, a_store_that_is_away_is_not_an_unknown_session) {
  Node node;
  const std::string key = "0b8ff5c5-2a9f-4f1d-8d23-3b2a1e6f9c11";
  const Client client(node);
  node.store.is_away = true;
  client.ask("GET /api/sessions/" + key);
  node.store.answer_all();
  const std::string away = client.receive();
  cr_assert(away.starts_with("HTTP/1.1 503") && away.find("Retry-After") != away.npos, "%s",
            away.c_str());
  node.store.is_away = false;
  client.ask("GET /api/sessions/" + key);
  node.store.answer_all();
  const std::string unknown = client.receive();
  cr_assert(unknown.starts_with("HTTP/1.1 404"), "%s", unknown.c_str());
}

Test(session_home, an_answer_that_comes_after_the_session_has_ended_finds_nobody) {
  Node node;
  const MadeSession session = make_session(node);
  const Client member(node);
  join(member, session.key);
  cr_assert_eq(node.store.changes, 1, "the first host is a durable change");
  const Client owner(node);
  owner.ask("DELETE /api/sessions/" + session.key,
            "Authorization: Bearer " + session.host_token + "\r\n");
  const std::string answer = owner.receive();
  cr_assert(answer.starts_with("HTTP/1.1 204"), "%s", answer.c_str());
  node.store.answer_all();
  node.turn();
}

Test(session_home, changes_do_not_wait_for_each_other) {
  Node node;
  const MadeSession session = make_session(node);
  const Client first(node), second(node);
  join(first, session.key);
  cr_assert_eq(node.store.changes, 1);
  // A masked text frame, the mask being zero.
  const std::string pause = R"({"type":"seek","position":0})";
  const std::string head{'\x81', static_cast<char>(0x80 | pause.size()), 0, 0, 0, 0};
  for (int i = 0; i < 3; ++i) {
    ::send(first.socket, (head + pause).data(), head.size() + pause.size(), 0);
    node.turn();
  }
  cr_assert_eq(node.store.changes, 4, "one for each, though the first is still under way");
  node.store.answer_all();  // the store says if one of them expects another version
  cr_assert_eq(node.store.changes, 4);
}
