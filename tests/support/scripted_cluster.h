// The servers of a Redis Cluster, played by a test: what connections ask at their start they answer
// by themselves, every other command waits for what the test has them say.
//
// On the test's own thread, between turns of its reactor: nothing here waits.
#pragma once

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <iterator>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/unique_fd.h"
#include "storage/redis/redis_servers.h"
#include "tests/support/test_loop.h"

namespace videosync::test {

class ScriptedServer {
 public:
  using Words = std::vector<std::string>;

  ScriptedServer() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof own;
    cr_assert_eq(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&own), size), 0);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&own), &size);
    cr_assert_eq(::listen(listener_.get(), 8), 0);
    address_ = {.host = "127.0.0.1", .port = ntohs(own.sin_port)};
  }

  const RedisAddress& address() const { return address_; }
  // To CLUSTER SLOTS, and as a Sentinel to who is the master, from now on.
  std::string slots = "*0\r\n";
  std::string master = "*-1\r\n";
  // Hears and says nothing.
  bool hangs = false;

  // Nobody is there any more.
  void leave() {
    listener_.reset();
    waiting_.clear();
    connections_.clear();
    hangs = true;
  }

  // What has come and what may go.
  void turn() {
    if (hangs) return;
    for (;;) {
      UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (!socket) break;
      connections_.emplace_back().socket = std::move(socket);
    }
    for (Connection& connection : connections_)
      receive(connection);
  }

  // Commands that wait for an answer, in the order in which they came: of each its last word, or
  // one that comes so many before that.
  std::vector<std::string> waiting(std::size_t before_last = 0) const {
    std::vector<std::string> found;
    for (const Asked* asked : waiting_) {
      cr_assert_lt(before_last, asked->words.size());
      found.push_back(asked->words[asked->words.size() - 1 - before_last]);
    }
    return found;
  }
  // Answers the first of them.
  void answer(std::string_view text) {
    cr_assert_not(waiting_.empty());
    waiting_.front()->answer = text;
    waiting_.pop_front();
    for (Connection& connection : connections_)
      flush(connection);
  }
  // To all who follow the channel.
  void push(std::string_view channel, std::string_view payload) {
    for (Connection& connection : connections_) {
      const bool follows = std::ranges::any_of(connection.asked, [&](const Asked& asked) {
        return asked.words.front() == "SUBSCRIBE" && asked.words.back() == channel;
      });
      if (!follows) continue;
      Asked& said = connection.asked.emplace_back();
      said.words.emplace_back();
      said.answer = "*3\r\n" + text("message") + text(channel) + text(payload);
      flush(connection);
    }
  }
  // How often that command has come.
  std::size_t count(std::string_view name) const {
    std::size_t found = 0;
    for (const Connection& connection : connections_)
      for (const Asked& asked : connection.asked)
        found += asked.words.front() == name ? 1U : 0U;
    return found;
  }

 private:
  struct Asked {
    Words words;
    std::optional<std::string> answer = std::nullopt;
    bool is_said = false;
  };
  struct Connection {
    UniqueFd socket{};
    std::string received{};
    std::list<Asked> asked{};
  };

  static std::string text(std::string_view bytes) {
    return "$" + std::to_string(bytes.size()) + "\r\n" + std::string(bytes) + "\r\n";
  }

  void receive(Connection& connection) {
    std::array<char, 65'536> bytes;
    for (;;) {
      const ssize_t got = ::recv(connection.socket.get(), bytes.data(), bytes.size(), 0);
      if (got <= 0) break;
      connection.received.append(bytes.data(), static_cast<std::size_t>(got));
    }
    while (auto words = take(connection.received)) {
      Asked& asked = connection.asked.emplace_back(std::move(*words));
      asked.answer = usual(asked.words);
      if (!asked.answer) waiting_.push_back(&asked);
    }
    flush(connection);
  }

  // In the order of the commands.
  static void flush(Connection& connection) {
    for (Asked& asked : connection.asked) {
      if (asked.is_said) continue;
      if (!asked.answer) return;
      asked.is_said = true;
      ::send(connection.socket.get(), asked.answer->data(), asked.answer->size(), MSG_NOSIGNAL);
    }
  }

  // "*2\r\n$3\r\nGET\r\n$1\r\nx\r\n"
  static std::optional<Words> take(std::string& bytes) {
    std::size_t at = 0;
    const auto number = [&](char mark) -> std::optional<std::size_t> {
      const std::size_t end = bytes.find("\r\n", at);
      if (end == bytes.npos) return std::nullopt;
      cr_assert_eq(bytes[at], mark);
      const std::size_t value = std::stoul(bytes.substr(at + 1, end - at - 1));
      at = end + 2;
      return value;
    };
    const auto count = number('*');
    if (!count) return std::nullopt;
    Words words;
    for (std::size_t i = 0; i < *count; ++i) {
      const auto length = number('$');
      if (!length || bytes.size() < at + *length + 2) return std::nullopt;
      words.push_back(bytes.substr(at, *length));
      at += *length + 2;
    }
    bytes.erase(0, at);
    return words;
  }

  std::optional<std::string> usual(const Words& words) const {
    const std::string& name = words.front();
    if (name == "PING") return "+PONG\r\n";
    if (name == "CLUSTER") return slots;
    if (name == "SENTINEL") return master;
    if (name == "HELLO") return "*0\r\n";
    if (name == "ROLE") return "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n";
    if (name == "ASKING") return "+OK\r\n";
    if (name == "SCRIPT") return "$6\r\ndigest\r\n";
    if (name.ends_with("SUBSCRIBE")) {
      std::string event = name;
      for (char& letter : event)
        letter = static_cast<char>(letter | 0x20);
      return "*3\r\n" + text(event) + text(words.back()) + ":1\r\n";
    }
    const bool is_small =
        words.size() > 1 && (words[1].ends_with(":pulse") || words[1].ends_with(":probe"));
    if (is_small) return ":1\r\n";
    return std::nullopt;
  }

  UniqueFd listener_;
  RedisAddress address_;
  std::list<Connection> connections_;
  std::deque<Asked*> waiting_;
};

// Several of them, and a loop for whoever is their client.
struct ScriptedCluster : TestLoop {
  std::list<ScriptedServer> servers;

  explicit ScriptedCluster(std::size_t count) {
    while (servers.size() < count)
      servers.emplace_back();
  }

  ScriptedServer& at(std::size_t index) {
    return *std::next(servers.begin(), static_cast<std::ptrdiff_t>(index));
  }

  RedisLocation location() const {
    RedisLocation location;
    for (const ScriptedServer& server : servers)
      location.cluster_seeds.push_back(server.address());
    return location;
  }

  // Each server says that these, in their order, have equal shares of the slots.
  void share(std::initializer_list<std::size_t> owners) {
    std::string all = "*" + std::to_string(owners.size()) + "\r\n";
    std::size_t begin = 0, number = 0;
    for (const std::size_t owner : owners) {
      const std::size_t end = key_slots * ++number / owners.size();
      all += range(begin, end - 1, at(owner).address());
      begin = end;
    }
    for (ScriptedServer& server : servers)
      server.slots = all;
  }

  static std::string range(std::size_t first, std::size_t last, const RedisAddress& owner) {
    return "*3\r\n:" + std::to_string(first) + "\r\n:" + std::to_string(last) + "\r\n*2\r\n$" +
           std::to_string(owner.host.size()) + "\r\n" + owner.host +
           "\r\n:" + std::to_string(owner.port) + "\r\n";
  }

  template <class Condition>
  void until(Condition&& is_met, const char* what) {
    TestLoop::until(
        [&] {
          for (ScriptedServer& server : servers)
            server.turn();
          return is_met();
        },
        what);
  }
};

}  // namespace videosync::test
