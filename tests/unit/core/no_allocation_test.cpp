// In the steady state the reactor allocates nothing.
#include <sys/socket.h>

#include <array>
#include <memory>
#include <vector>

#include "tests/support/allocations.h"
#include "tests/unit/core/stream_fixture.h"

namespace videosync::test {

namespace {

constexpr int members = 100;
constexpr int warm_up_rounds = 20;
constexpr int rounds = 200;

// Answers with what it got.
struct EchoOwner final : StreamOwner {
  TcpStream* stream = nullptr;
  std::size_t echoed_bytes = 0;
  bool is_retired = false;

  void on_received(std::span<std::uint8_t> bytes) noexcept override {
    echoed_bytes += bytes.size();
    stream->send(BufferRef::copy_of({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
  }
  void on_input_ended() noexcept override {}
  void on_output_empty() noexcept override {}
  void on_closed(CloseReason) noexcept override {}
  void on_retired() noexcept override { is_retired = true; }
};

// One that arms itself again each time.
struct Ticker {
  Reactor& reactor;
  int ticks = 0;
  TimerEntry timer{[](void* self) noexcept {
                     auto& ticker = *static_cast<Ticker*>(self);
                     ++ticker.ticks;
                     ticker.start();
                   },
                   this};

  void start() noexcept { reactor.timers().schedule(timer, reactor.now_ms() + 1); }
};

// Members that listen, one connection that echoes, a timer that ticks.
struct Room {
  SystemClock clock;
  std::unique_ptr<Reactor> reactor = make_reactor(clock);
  std::vector<std::unique_ptr<Connection>> listeners;
  EchoOwner echo;
  TcpStream echo_stream{*reactor, echo};
  int echo_peer = -1;
  Ticker ticker{*reactor};
  std::size_t bytes_heard = 0;

  Room() {
    for (int i = 0; i < members; ++i)
      listeners.push_back(std::make_unique<Connection>(*reactor));
    int ends[2];
    cr_assert_eq(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    echo.stream = &echo_stream;
    echo_stream.open(UniqueFd(ends[0]));
    echo_peer = ends[1];
    ticker.start();
  }
  ~Room() {
    echo_stream.close(CloseReason::by_owner);
    turn_until(*reactor, [&] { return echo.is_retired; }, "the echo to end");
    ::close(echo_peer);
  }

  // Everybody gets one frame, the echo one message, and both are read.
  void round() {
    const BufferRef frame = BufferRef::copy_of("the film goes on from here");
    for (auto& listener : listeners)
      listener->stream.send(frame, SendClass::latest);
    const ssize_t written = ::write(echo_peer, "hello", 5);
    VS_ASSERT(written == 5);
    for (int turns = 0; turns < 3; ++turns)
      reactor->turn(1);
    for (auto& listener : listeners)
      read_from(listener->peer);
    read_from(echo_peer);
  }

 private:
  void read_from(int socket) {
    std::array<char, 4096> bytes;
    const ssize_t n = ::recv(socket, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (n > 0) bytes_heard += static_cast<std::size_t>(n);
  }
};

}  // namespace

Test(no_allocation, echoes_broadcasts_and_timers_reach_no_allocator) {
  if (!can_count_allocations) cr_skip_test("a sanitizer has its own allocator");
  Room room;
  for (int i = 0; i < warm_up_rounds; ++i)
    room.round();
  const std::size_t heard_before = room.bytes_heard;
  const int ticks_before = room.ticker.ticks;

  const std::uint64_t allocations = allocations_of([&room] {
    for (int i = 0; i < rounds; ++i)
      room.round();
  });

  cr_assert_eq(allocations, 0, "%zu allocations in %d rounds", std::size_t{allocations}, rounds);
  const std::size_t all_heard = std::size_t{rounds} * (members * 26 + 5);
  cr_assert_geq(room.bytes_heard - heard_before, all_heard * 9 / 10, "it did the work");
  cr_assert_gt(room.ticker.ticks, ticks_before, "timers ran");
}

Test(no_allocation, an_allocation_would_have_been_counted) {
  if (!can_count_allocations) cr_skip_test("a sanitizer has its own allocator");
  std::vector<int> numbers;
  cr_assert_eq(allocations_of([&numbers] { numbers.reserve(1'000); }), 1);
  cr_assert_eq(allocations_of([&numbers] { numbers.push_back(1); }), 0);
}

}  // namespace videosync::test
