// A server that says what a test has it say: what no Redis says when a test wants it.
//
// Speaks on the test's own thread, between turns of its reactor: nothing it does waits.
#pragma once

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/unique_fd.h"
#include "storage/redis/link/redis_address.h"
#include "tests/support/test_loop.h"

namespace videosync::test {

class ScriptedRedis {
 public:
  ScriptedRedis() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof own;
    cr_assert_eq(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&own), size), 0);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&own), &size);
    cr_assert_eq(::listen(listener_.get(), 8), 0);
    port_ = ntohs(own.sin_port);
  }

  RedisAddress address() const { return {.host = "127.0.0.1", .port = port_}; }

  // Takes the next connection, and nothing more of the one before.
  void accept(TestLoop& loop) {
    loop.until(
        [&] {
          socket_ =
              UniqueFd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
          return static_cast<bool>(socket_);
        },
        "a connection");
  }
  // Until exactly that has come, since the last time.
  void expect(TestLoop& loop, std::string_view words) {
    std::string heard;
    loop.until(
        [&] {
          std::array<char, 65'536> bytes;
          const ssize_t got = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
          if (got > 0) heard.append(bytes.data(), static_cast<std::size_t>(got));
          return heard.size() >= words.size();
        },
        "words of the client");
    cr_assert(heard == words, "%s", heard.c_str());
  }
  void say(std::string_view words) {
    const ssize_t sent = ::send(socket_.get(), words.data(), words.size(), MSG_NOSIGNAL);
    cr_assert_eq(sent, static_cast<ssize_t>(words.size()));
  }
  void hang_up() { socket_.reset(); }

 private:
  UniqueFd listener_;
  UniqueFd socket_;
  std::uint16_t port_ = 0;
};

// As RESP2 has them.
inline std::string resp_array(std::initializer_list<std::string_view> texts) {
  std::string all = "*" + std::to_string(texts.size()) + "\r\n";
  for (const std::string_view text : texts) {
    all += "$" + std::to_string(text.size()) + "\r\n";
    all += std::string(text) + "\r\n";
  }
  return all;
}

}  // namespace videosync::test
