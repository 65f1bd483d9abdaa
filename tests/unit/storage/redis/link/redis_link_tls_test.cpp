// RedisLink and RedisSubscriber over TLS against a real redis-server: what is larger than TLS'
// records and the sockets' room, both ways at once. Where hiredis has no TLS an address for it
// cannot be read.
#include <criterion/criterion.h>

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/base/unique_fd.h"
#include "storage/redis/link/redis_link.h"
#include "storage/redis/link/redis_tls.h"
#include "tests/support/certificates.h"
#include "tests/support/redis_server.h"
#include "tests/support/test_link.h"
#include "tests/support/test_subscriber.h"

using namespace videosync;
using namespace videosync::test;

namespace {

struct TlsRedis {
  TempFolder folder;
  Authority authority{folder, "ca"};
  Issued own = authority.issue("server");
  std::uint16_t port = free_tcp_port();
  RedisServer server{{"--tls-port", std::to_string(port), "--tls-cert-file", own.certificate_file,
                      "--tls-key-file", own.key_file, "--tls-ca-cert-file", authority.file(),
                      "--tls-auth-clients", "no"}};
  std::unique_ptr<RedisTls> tls = RedisTls::create({.ca_file = authority.file()}).value();

  RedisAddress address() const { return {.host = "127.0.0.1", .port = port, .is_tls = true}; }
  RedisLink::Options options() const { return {.tls = tls.get()}; }
};

// There is nothing else to test without TLS.
bool is_refused_here() {
  const auto location = parse_redis_url("rediss://127.0.0.1:1");
  cr_assert_eq(location.has_value(), has_redis_tls());
  if (!has_redis_tls()) cr_assert(location.error().code == ErrorCode::unsupported);
  return !has_redis_tls();
}

std::string pattern(std::size_t bytes, std::size_t seed) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i)
    text[i] = static_cast<char>('a' + (i * 7 + i / 1'000 + seed) % 26);
  return text;
}

// A server that speaks as one for a moment: it sends half of its answer to the first command and
// the rest when it has the second one whole, which is larger than the sockets' room.
class HalfSpeaker {
 public:
  explicit HalfSpeaker(const Issued& own) : context_(SSL_CTX_new(TLS_server_method())) {
    SSL_CTX_use_certificate_file(context_.get(), own.certificate_file.c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(context_.get(), own.key_file.c_str(), SSL_FILETYPE_PEM);
    listener_ = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    cr_assert_eq(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    ::listen(listener_.get(), 1);
    port = ntohs(address.sin_port);
  }

  // Until the client has gone. first, second: bytes of the two commands as they are sent.
  void serve(std::size_t first, std::size_t second) {
    socket_ = UniqueFd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    tls_.reset(SSL_new(context_.get()));
    SSL_set_bio(tls_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(tls_.get());
    read(std::string_view("*1\r\n$4\r\nPING\r\n").size());
    send(answer("+PONG\r\n"));
    read(first);
    const std::string record = answer("+OK\r\n");
    send(record.substr(0, record.size() / 2));
    has_begun = true;
    read(second);
    send(record.substr(record.size() / 2) + answer("+OK\r\n"));
    while (receive()) {
    }
  }

  std::uint16_t port = 0;
  std::atomic<bool> has_begun = false;

 private:
  struct Free {
    void operator()(SSL_CTX* it) const noexcept { SSL_CTX_free(it); }
    void operator()(SSL* it) const noexcept { SSL_free(it); }
  };

  std::string take_written() {
    std::string bytes(BIO_ctrl_pending(SSL_get_wbio(tls_.get())), '\0');
    if (!bytes.empty())
      BIO_read(SSL_get_wbio(tls_.get()), bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
  }
  std::string answer(std::string_view text) {
    SSL_write(tls_.get(), text.data(), static_cast<int>(text.size()));
    return take_written();
  }
  void send(const std::string& bytes) const {
    ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  bool receive() {
    std::array<char, 65'536> bytes;
    const ssize_t got = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (got > 0) BIO_write(SSL_get_rbio(tls_.get()), bytes.data(), static_cast<int>(got));
    return got > 0;
  }
  void read(std::size_t bytes) {
    std::array<char, 16'384> text;
    while (bytes > 0) {
      const int got = SSL_read(tls_.get(), text.data(), text.size());
      send(take_written());
      if (got > 0) bytes -= static_cast<std::size_t>(got);
      if (got <= 0 && !receive()) return;
    }
  }

  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> tls_;
  UniqueFd listener_;
  UniqueFd socket_;
};

}  // namespace

Test(redis_link_tls, values_of_megabytes_go_both_ways_at_once) {
  if (is_refused_here()) return;
  TlsRedis redis;
  TestLink link(redis.address(), redis.options());
  link.until_ready(1);
  constexpr std::size_t rounds = 12;
  std::vector<std::string> values;
  for (std::size_t i = 0; i < rounds; ++i)
    values.push_back(pattern(1'000'000 + i * 4'099, i));
  std::size_t same = 0, stored = 0;
  for (std::size_t i = 0; i < rounds; ++i) {
    const std::string key = "key" + std::to_string(i);
    link.link->command(std::array<std::string_view, 3>{"SET", key, values[i]},
                       [&](Result<RedisReply> reply) noexcept { stored += reply.has_value(); });
    link.link->command(
        std::array<std::string_view, 2>{"GET", key},
        [&, i](Result<RedisReply> reply) noexcept { same += reply && reply->text() == values[i]; });
  }
  link.until([&] { return same == rounds; }, "all values, as they were");
  cr_assert_eq(stored, rounds);
  cr_assert(link.losses.empty());
}

Test(redis_link_tls, what_waited_for_a_server_that_hung_goes_on) {
  if (is_refused_here()) return;
  TlsRedis redis;
  TestLink link(redis.address(), redis.options());
  link.until_ready(1);
  const std::string value = pattern(20'000'000, 1);
  redis.server.pause();
  std::string answer;
  link.link->command(std::array<std::string_view, 3>{"SET", "key", value},
                     [&](Result<RedisReply> reply) noexcept { answer = text_of(reply); });
  for (int i = 0; i < 50; ++i)
    link.reactor->turn(5);
  cr_assert(answer.empty());
  redis.server.resume();
  link.until([&] { return !answer.empty(); }, "the answer");
  cr_assert_eq(answer, "OK");
}

Test(redis_link_tls, a_write_goes_on_although_half_an_answer_has_come) {
  if (is_refused_here()) return;
  const TempFolder folder;
  const Authority authority(folder, "ca");
  HalfSpeaker server(authority.issue("server"));
  const std::string value = pattern(20'000'000, 5);
  const std::size_t first = std::string_view("*1\r\n$4\r\nPING\r\n").size();
  const std::size_t second =
      std::string_view("*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$20000000\r\n\r\n").size() + value.size();
  std::jthread serving([&] { server.serve(first, second); });
  const auto tls = RedisTls::create({.ca_file = authority.file()}).value();
  {
    TestLink link({.host = "127.0.0.1", .port = server.port, .is_tls = true}, {.tls = tls.get()});
    link.until_ready(1);
    std::vector<std::string> answers;
    const auto note = [&](Result<RedisReply> reply) noexcept { answers.push_back(text_of(reply)); };
    link.link->command(std::array<std::string_view, 1>{"PING"}, note);
    link.until([&] { return server.has_begun.load(); }, "half an answer");
    for (int i = 0; i < 10; ++i)
      link.reactor->turn(5);
    cr_assert(answers.empty());
    link.link->command(std::array<std::string_view, 3>{"SET", "key", value}, note);
    link.until([&] { return answers.size() == 2; }, "both answers");
    cr_assert_eq(answers[0], "OK", "%s", answers[0].c_str());
    cr_assert_eq(answers[1], "OK", "%s", answers[1].c_str());
  }
}

Test(redis_link_tls, a_killed_server_is_found_again_with_its_subscriptions) {
  if (is_refused_here()) return;
  TlsRedis redis;
  TestSubscriber heard(redis.address(), {.tls = redis.tls.get()});
  heard.subscriber->subscribe("news");
  heard.until_subscribed();
  redis.server.kill();
  heard.until([&] { return !heard.losses.empty(); }, "the loss");
  redis.server.start();
  heard.until_ready(2);
  heard.until_subscribed();
  TestLink publisher(redis.address(), redis.options());
  publisher.until_ready(1);
  const std::string text = pattern(300'000, 3);
  cr_assert_eq(publisher.ask({"PUBLISH", "news", text}), "1");
  heard.until_messages(1);
  cr_assert(heard.messages[0] == "news:" + text);
}

// More commands than the sockets have room for, while messages come that fill them the other way.
Test(redis_link_tls, subscriptions_go_out_while_messages_come_in) {
  if (is_refused_here()) return;
  TlsRedis redis;
  TestSubscriber heard(redis.address(), {.tls = redis.tls.get()});
  heard.subscriber->subscribe("news");
  heard.until_subscribed();
  TestLink publisher(redis.address(), redis.options());
  publisher.until_ready(1);
  const std::string text = pattern(2'000'000, 4);
  constexpr std::size_t rounds = 8, channels_a_round = 2'000;
  for (std::size_t i = 0; i < rounds; ++i) {
    cr_assert_eq(publisher.ask({"PUBLISH", "news", text}), "1");
    for (std::size_t k = 0; k < channels_a_round; ++k)
      heard.subscriber->subscribe(std::string(1'000, 'c') + std::to_string(i * 10'000 + k));
    heard.reactor->turn(0);
  }
  heard.until_subscribed();
  heard.until_messages(rounds);
  for (const std::string& message : heard.messages)
    cr_assert(message == "news:" + text);
  cr_assert_eq(heard.confirmed.size(), 1 + rounds * channels_a_round);
  cr_assert(heard.losses.empty());
}

Test(redis_link_tls, a_server_that_hung_gets_the_subscriptions_that_waited_for_it) {
  if (is_refused_here()) return;
  TlsRedis redis;
  TestSubscriber heard(redis.address(), {.tls = redis.tls.get()});
  heard.until_ready(1);
  redis.server.pause();
  constexpr std::size_t channels = 8'000;  // of a kilobyte: more than the sockets' room
  for (std::size_t i = 0; i < channels; ++i) {
    heard.subscriber->subscribe(std::string(1'000, 'c') + std::to_string(i));
    if (i % 1'000 == 0) heard.reactor->turn(5);
  }
  for (int i = 0; i < 20; ++i)
    heard.reactor->turn(5);
  cr_assert(heard.confirmed.empty());
  redis.server.resume();
  heard.until_subscribed();
  cr_assert_eq(heard.confirmed.size(), channels);
  cr_assert(heard.losses.empty());
}

Test(redis_link_tls, what_redis_says_right_behind_the_handshake_is_told_as_it_is) {
  if (is_refused_here()) return;
  TlsRedis redis;
  TestLink admin(redis.address(), redis.options());
  admin.until_ready(1);
  cr_assert_eq(admin.ask({"CONFIG", "SET", "requirepass", "secret"}), "OK");
  TestSubscriber heard(redis.address(), {.tls = redis.tls.get()});
  heard.until([&] { return !heard.losses.empty(); }, "the refusal");
  cr_assert_eq(heard.losses[0], "NOAUTH Authentication required.", "%s", heard.losses[0].c_str());
}

Test(redis_link_tls, a_stranger_is_told_with_every_attempt) {
  if (is_refused_here()) return;
  TlsRedis redis;
  const Authority stranger(redis.folder, "stranger");
  const auto wrong = RedisTls::create({.ca_file = stranger.file()}).value();
  TestLink link(redis.address(), {.tls = wrong.get()});
  link.until([&] { return link.losses.size() >= 2; }, "two refusals");
  for (const std::string& why : link.losses)
    cr_assert(why.contains("nobody who is trusted"), "%s", why.c_str());
  TestSubscriber heard(redis.address(), {.tls = wrong.get()});
  heard.until([&] { return heard.losses.size() >= 2; }, "two refusals of subscriptions");
  for (const std::string& why : heard.losses)
    cr_assert(why.contains("nobody who is trusted"), "%s", why.c_str());
}
