// Members of one session on two nodes, in one thread: how many commands a second it sustains, and
// how soon the last member of each node has a new state. Started by bench/redis_nodes.mjs, which
// starts the nodes; prints one line of JSON. See README.md.
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/support/load_process.h"
#include "core/base/assert.h"
#include "core/reactor/reactor.h"
#include "core/reactor/tcp_stream.h"
#include "proto/websocket/websocket_frames.h"

namespace videosync::bench {

namespace {

struct Options {
  std::uint16_t home_port = 0;   // the first to join: there the session's home is
  std::uint16_t other_port = 0;  // of the other node
  std::string session;
  std::size_t members = 1;  // on each node
  std::size_t seeks = 0;    // one after the other, each until all have it
  std::int64_t pause_ms = 10;
  std::int64_t commands_ms = 0;  // for so long as many as get through
  std::uint64_t window = 64;  // commands under way; their states fit what a member may have queued
  std::string commands_from = "both";  // or one of the two
  std::int64_t seconds_max = 60;
};

constexpr std::size_t joins_in_flight = 64;

class Load;

// One WebSocket. Knows the newest state that it was told, and when that was.
class Member final : public StreamOwner {
 public:
  Member(Load& load, Reactor& reactor, int socket, std::string_view session)
      : load_(load), stream_(reactor, *this) {
    stream_.open(UniqueFd(socket));
    stream_.send(BufferRef::copy_of(
        fmt::format("GET /ws?session={} HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\n"
                    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                    session)));
  }

  bool is_in() const noexcept { return is_in_; }
  std::uint64_t seq() const noexcept { return seq_; }
  std::int64_t told_us() const noexcept { return told_us_; }

  void say(std::string_view text) { send(WebSocketOpcode::text, text); }
  void close() noexcept { stream_.close(CloseReason::by_owner); }

  void on_received(std::span<std::uint8_t> bytes) noexcept override {
    held_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    std::size_t used = 0;
    if (!is_upgraded_) {
      const std::size_t end = held_.find("\r\n\r\n");
      if (end == std::string::npos) return;
      is_upgraded_ = held_.starts_with("HTTP/1.1 101 ");
      used = end + 4;
    }
    while (is_upgraded_) {
      const std::size_t frame = take_frame(std::string_view(held_).substr(used));
      if (frame == 0) break;
      used += frame;
    }
    held_.erase(0, used);
  }
  void on_input_ended() noexcept override { close(); }
  void on_output_empty() noexcept override {}
  void on_closed(CloseReason) noexcept override;
  void on_retired() noexcept override;

 private:
  void send(WebSocketOpcode opcode, std::string_view payload) {
    std::string frame;
    append_masked_frame(frame, opcode, payload, {1, 2, 3, 4});
    stream_.send(BufferRef::copy_of(frame));
  }

  // The size of the frame at the front, 0 where it is not whole. A server's has no mask, and no
  // message to a member is longer than 64 KiB.
  std::size_t take_frame(std::string_view bytes) {
    const auto at = [&](std::size_t i) { return std::size_t{static_cast<std::uint8_t>(bytes[i])}; };
    if (bytes.size() < 4) return 0;
    const bool is_long = at(1) == 126;
    VS_ASSERT(at(1) < 127);
    const std::size_t head = is_long ? 4 : 2;
    const std::size_t length = is_long ? at(2) << 8 | at(3) : at(1);
    if (bytes.size() < head + length) return 0;
    const std::string_view payload = bytes.substr(head, length);
    const auto opcode = static_cast<WebSocketOpcode>(at(0) & 0xf);
    if (opcode == WebSocketOpcode::ping) send(WebSocketOpcode::pong, payload);
    if (opcode == WebSocketOpcode::text) on_text(payload);
    return head + length;
  }

  void on_text(std::string_view text);
  void take_seq(std::string_view state) noexcept;

  Load& load_;
  TcpStream stream_;
  std::string held_;  // an incomplete head or frame
  bool is_upgraded_ = false;
  bool is_in_ = false;
  std::uint64_t seq_ = 0;
  std::int64_t told_us_ = 0;
};

// The members of one node.
struct Crowd {
  std::uint16_t port = 0;
  std::vector<std::unique_ptr<Member>> members{};

  std::size_t joined() const {
    return static_cast<std::size_t>(
        std::count_if(members.begin(), members.end(), [](const auto& m) { return m->is_in(); }));
  }
  std::uint64_t least_seq() const {
    std::uint64_t least = UINT64_MAX;
    for (const auto& member : members)
      least = std::min(least, member->seq());
    return least;
  }
  std::int64_t last_us() const {
    std::int64_t last = 0;
    for (const auto& member : members)
      last = std::max(last, member->told_us());
    return last;
  }
};

double quantile_ms(std::vector<std::int64_t> samples, double q) {
  if (samples.empty()) return 0;
  std::sort(samples.begin(), samples.end());
  const auto last = static_cast<double>(samples.size() - 1);
  return static_cast<double>(samples[static_cast<std::size_t>(q * last)]) / 1e3;
}

class Load {
 public:
  Load(const Options& options, Reactor& reactor)
      : options_(options),
        reactor_(reactor),
        home_{options.home_port},
        other_{options.other_port},
        end_us_(now_us() + options.seconds_max * 1'000'000) {}
  ~Load() {
    is_closing_ = true;
    for (Crowd* crowd : {&home_, &other_})
      for (auto& member : crowd->members)
        member->close();
    while (retired_ < home_.members.size() + other_.members.size())
      reactor_.turn(10);
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // "" or what went wrong.
  std::string run() {
    join(home_, 1);  // the host, and so the home
    join(home_, options_.members);
    join(other_, options_.members);
    rest(1'500);  // presence is told at most four times a second
    measure_seeks();
    const double from_home = options_.commands_from == "other" ? 0 : measure_commands(home_);
    const double from_other = options_.commands_from == "home" ? 0 : measure_commands(other_);
    if (!trouble_.empty()) return trouble_;
    fmt::print(R"({{"homeLastP50Ms":{:.2f},"homeLastP99Ms":{:.2f},"otherLastP50Ms":{:.2f},)"
               R"("otherLastP99Ms":{:.2f},"bothLastP50Ms":{:.2f},"bothLastP99Ms":{:.2f},)"
               R"("commandsFromHome":{:.0f},"commandsFromOther":{:.0f}}})"
               "\n",
               quantile_ms(home_us_, 0.5), quantile_ms(home_us_, 0.99), quantile_ms(other_us_, 0.5),
               quantile_ms(other_us_, 0.99), quantile_ms(both_us_, 0.5),
               quantile_ms(both_us_, 0.99), from_home, from_other);
    return {};
  }

  std::int64_t now_us() const noexcept { return reactor_.clock().monotonic_us(); }
  void on_lost() noexcept {
    if (!is_closing_) fail_with("a connection was closed");
  }
  void on_retired() noexcept { ++retired_; }
  void fail_with(std::string_view why) {
    if (trouble_.empty()) trouble_ = why;
  }

 private:
  bool is_well() {
    if (now_us() >= end_us_) fail_with(fmt::format("not done in {} s", options_.seconds_max));
    return trouble_.empty();
  }
  void rest(std::int64_t ms) {
    const std::int64_t until_us = now_us() + ms * 1'000;
    while (now_us() < until_us && is_well())
      reactor_.turn(std::max<std::int64_t>(1, (until_us - now_us()) / 1'000));
  }

  void connect(Crowd& crowd) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(crowd.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (socket < 0 || ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address)) {
      if (socket >= 0) ::close(socket);
      return fail_with("cannot connect");
    }
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::fcntl(socket, F_SETFL, O_NONBLOCK);
    crowd.members.push_back(std::make_unique<Member>(*this, reactor_, socket, options_.session));
  }

  void join(Crowd& crowd, std::size_t count) {
    while (crowd.joined() < count && is_well()) {
      const std::size_t wanted = std::min(count, crowd.joined() + joins_in_flight);
      while (crowd.members.size() < wanted && trouble_.empty())
        connect(crowd);
      reactor_.turn(10);
    }
    fmt::print(stderr, "  {} members have joined\n", home_.joined() + other_.joined());
  }

  void seek(Member& by) { by.say(fmt::format(R"({{"type":"seek","position":{}}})", ++position_)); }
  std::uint64_t least_seq() const { return std::min(home_.least_seq(), other_.least_seq()); }

  void measure_seeks() {
    for (std::size_t i = 0; i < options_.seeks && is_well(); ++i) {
      const std::uint64_t expected = home_.members.front()->seq() + 1;
      const std::int64_t began_us = now_us();
      seek(*home_.members.front());
      while (least_seq() < expected && is_well())
        reactor_.turn(100);
      home_us_.push_back(home_.last_us() - began_us);
      other_us_.push_back(other_.last_us() - began_us);
      both_us_.push_back(std::max(home_us_.back(), other_us_.back()));
      rest(options_.pause_ms);
    }
  }

  // As many as every member gets the state of, `window` of them under way.
  double measure_commands(const Crowd& crowd) {
    if (options_.commands_ms == 0 || !trouble_.empty()) return 0;
    Member& by = *crowd.members.front();
    const std::uint64_t first = least_seq();
    std::uint64_t sent = 0;
    const std::int64_t began_us = now_us();
    while (now_us() - began_us < options_.commands_ms * 1'000 && is_well()) {
      for (; sent - (least_seq() - first) < options_.window; ++sent)
        seek(by);
      reactor_.turn(100);
    }
    const double taken_s = static_cast<double>(now_us() - began_us) / 1e6;
    const double done = static_cast<double>(least_seq() - first);
    while (least_seq() - first < sent && is_well())
      reactor_.turn(100);
    return done / taken_s;
  }

  const Options& options_;
  Reactor& reactor_;
  Crowd home_, other_;
  const std::int64_t end_us_;
  std::size_t retired_ = 0;
  std::uint64_t position_ = 0;
  bool is_closing_ = false;
  std::string trouble_;
  std::vector<std::int64_t> home_us_, other_us_, both_us_;  // from a seek to the last member
};

void Member::on_closed(CloseReason) noexcept {
  load_.on_lost();
}
void Member::on_retired() noexcept {
  load_.on_retired();
}

void Member::on_text(std::string_view text) {
  // A welcome has the state that the session came to before.
  if (text.starts_with(R"({"type":"state")")) {
    take_seq(text);
    told_us_ = load_.now_us();
  } else if (text.starts_with(R"({"type":"welcome")")) {
    take_seq(text.substr(std::min(text.find(R"("state":)"), text.size())));
    is_in_ = true;
  } else if (text.starts_with(R"({"type":"error")")) {
    load_.fail_with(text);
  }
}

void Member::take_seq(std::string_view state) noexcept {
  const std::string_view name = R"("seq":)";
  const std::size_t at = state.find(name);
  VS_ASSERT(at != state.npos);
  std::from_chars(state.data() + at + name.size(), state.data() + state.size(), seq_);
}

int fail_with(std::string_view why) {
  fmt::print(stderr, "node_load: {}\n", why);
  return 1;
}

int measure(const Options& options) {
  raise_descriptor_limit();
  const SystemClock clock;
  const auto reactor = start_reactor(clock);
  if (!reactor) return fail_with(reactor.error().message);
  Load load(options, **reactor);
  const std::string trouble = load.run();
  return trouble.empty() ? 0 : fail_with(trouble);
}

}  // namespace

}  // namespace videosync::bench

int main(int argc, char** argv) {
  using namespace videosync::bench;
  Options options;
  CLI::App app{"Members of one session on two nodes on loopback"};
  app.option_defaults()->always_capture_default();
  app.add_option("--home-port", options.home_port, "the node whose member is host")->required();
  app.add_option("--other-port", options.other_port, "the other node")->required();
  app.add_option("--session", options.session, "its key; everyone may control it")->required();
  app.add_option("--members", options.members, "on each node")->check(CLI::Range(1, 100'000));
  app.add_option("--seeks", options.seeks, "one by one, each until everybody has it");
  app.add_option("--pause-ms", options.pause_ms, "rest after each seek");
  app.add_option("--commands-ms", options.commands_ms, "for how long to send as many as go");
  app.add_option("--commands-from", options.commands_from, "whose member sends them")
      ->check(CLI::IsMember({"home", "other", "both"}));
  app.add_option("--window", options.window, "commands under way then")->check(CLI::Range(1, 64));
  app.add_option("--seconds-max", options.seconds_max, "give up after");
  CLI11_PARSE(app, argc, argv);
  return measure(options);
}
