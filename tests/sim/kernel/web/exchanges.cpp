// The requests, and what they are answered where nothing goes wrong.
#include <fmt/core.h>

#include <string_view>

#include "core/base/assert.h"
#include "tests/sim/kernel/web/asker.h"
#include "tests/sim/kernel/web/service_world.h"

namespace videosync::sim {

namespace {

// Nobody is answered later than that.
constexpr std::int64_t settled_us = 1'500'000;

std::string get(std::string_view target, std::string_view fields = "",
                std::string_view method = "GET") {
  return fmt::format("{} {} HTTP/1.1\r\nHost: films.example\r\n{}\r\n", method, target, fields);
}

std::string post(std::string_view target, std::string_view body, std::string_view fields = "") {
  return fmt::format(
      "POST {} HTTP/1.1\r\nHost: films.example\r\nContent-Type: application/json\r\n"
      "Content-Length: {}\r\n{}\r\n{}",
      target, body.size(), fields, body);
}

std::vector<std::string> requests() {
  std::vector<std::string> all{
      get("/"),
      get("/player.html", "Accept-Encoding: gzip, br\r\n"),
      get("/player.js"),
      get("/nothing-here"),
      get("/", "", "HEAD"),
      get("/", "If-None-Match: *\r\n"),
      get("/", "Connection: close\r\n"),
      get("/api/videos"),
      get("/api/videos?limit=2"),
      get("/api/videos?limit=none"),
      get("/api/video?id=nobody"),
      get("/api/sessions/6f1c4f5e-0d9f-4f39-8f57-5f0b7f2f6f0e/validate"),
      get("/api/sessions/6f1c4f5e-0d9f-4f39-8f57-5f0b7f2f6f0e"),
      get("/api/sessions/6f1c4f5e-0d9f-4f39-8f57-5f0b7f2f6f0e", "", "DELETE"),
      get("/r/ABCD-EFGH"),
      get("/ws?session=6f1c4f5e-0d9f-4f39-8f57-5f0b7f2f6f0e",
          "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
      get("/ws?session=nobody"),
      get("/", "", "BREW"),
      "GET / HTTP/1.1\r\nHost: a:b:c\r\n\r\n",
      "GET / HTTP/1.0\r\n\r\n",
      "GET /\r\n\r\n",
      "GET / HTTP/1.1\r\n\r\n",
      "GET /%zz HTTP/1.1\r\nHost: films.example\r\n\r\n",
      get("/" + std::string(9'000, 'x')),
      get("/", "X-Long: " + std::string(40'000, 'x') + "\r\n"),
      post("/api/sessions", "{\"video\":\"nobody\"}"),
      post("/api/sessions", "{\"video\":"),
      post("/api/sessions", std::string(70'000, ' ')),
      post("/api/sessions", "[]", "Expect: 100-continue\r\n"),
      "POST /api/sessions HTTP/1.1\r\nHost: films.example\r\nContent-Type: application/json\r\n"
      "Transfer-Encoding: "
      "chunked\r\n\r\n4;a=\"x;y\"\r\n{\"vi\r\n6\r\ndeo\":1\r\n1\r\n}\r\n0\r\n\r\n",
  };
  for (const std::string_view film : {"short", "middle", "long"}) {
    const std::string target = fmt::format("/api/video?id={}", film);
    for (const std::string_view range :
         {"", "Range: bytes=0-99\r\n", "Range: bytes=300-\r\n", "Range: bytes=-250\r\n",
          "Range: bytes=5-9, 20-69,-1\r\n", "Range: bytes=99999999-\r\n", "Range: bytes=9-2\r\n",
          "Range: bytes=100-4195\r\nIf-Range: \"another\"\r\n"}) {
      all.push_back(get(target, range));
      all.push_back(get(target, range, "HEAD"));
    }
  }
  return all;
}

// Connects, sends all at once and reads whatever comes.
struct Listening final : Actor {
  Listening(SimulatedKernel& its_kernel, std::shared_ptr<Socket> its_socket)
      : kernel(its_kernel), socket(std::move(its_socket)) {
    due_us = kernel.monotonic_us() + 1;
  }
  void act() override {
    due_us = kernel.monotonic_us() + 100;
    std::uint8_t bytes[65'536];
    while (const std::size_t count = socket->out.take(bytes)) {
      answer.append(reinterpret_cast<const char*>(bytes), count);
      last_us = kernel.monotonic_us();
      ++socket->changes;
    }
    if (socket->is_closed || kernel.monotonic_us() > last_us + settled_us) {
      due_us = never;
      is_done = true;
    }
  }

  SimulatedKernel& kernel;
  std::shared_ptr<Socket> socket;
  std::string answer;
  std::int64_t last_us = kernel.monotonic_us();
  bool is_done = false;
};

WebExchange ask(const std::string& request, std::uint64_t seed) {
  SimulatedKernel kernel(seed, {}, 1'024, 16'384);
  ServiceWorld world(kernel, 1);
  auto socket = std::make_shared<Socket>();
  socket->room_bytes = 1'000'000;
  kernel.connect(world.listeners().front(), socket);
  socket->in.put({reinterpret_cast<const std::uint8_t*>(request.data()), request.size()});
  Listening listening(kernel, socket);
  kernel.add_actor(listening);
  world.turn_until([&] { return listening.is_done; }, 60'000'000, [] { return "an asker waits"; });
  WebExchange exchange{request, listening.answer, {}, socket->is_closed || socket->has_ended};
  socket->has_peer_ended = socket->has_peer_left = true;
  ++socket->changes;
  world.end();
  return exchange;
}

std::vector<WebExchange> ask_all() {
  std::vector<WebExchange> all;
  for (const std::string& request : requests()) {
    WebExchange exchange = ask(request, 1);
    const WebExchange again = ask(request, 2);
    VS_ASSERT(exchange.answer.size() == again.answer.size() && !exchange.answer.empty());
    exchange.varies.resize(exchange.answer.size());
    for (std::size_t i = 0; i < exchange.answer.size(); ++i)
      exchange.varies[i] = exchange.answer[i] != again.answer[i];
    // The date is the same in both: it differs later.
    const std::size_t date = exchange.answer.find("\r\ndate: ");
    const std::size_t begin = date != std::string::npos ? date : exchange.answer.find("\r\nDate: ");
    if (begin != std::string::npos) {
      for (std::size_t i = begin + 8; exchange.answer[i] != '\r'; ++i)
        exchange.varies[i] = true;
    }
    all.push_back(std::move(exchange));
  }
  return all;
}

}  // namespace

const std::vector<WebExchange>& web_exchanges() {
  static const std::vector<WebExchange> all = ask_all();
  return all;
}

}  // namespace videosync::sim
