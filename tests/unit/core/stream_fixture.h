// What the reactor's tests share: a reactor on the real kernel and a stream whose other end is a
// blocking socket in the test's hand.
#pragma once

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/reactor/reactor.h"

namespace videosync::test {

inline std::unique_ptr<Reactor> make_reactor(const Clock& clock) {
  auto reactor = Reactor::create(clock);
  cr_assert(reactor.has_value(), "%s", reactor ? "" : reactor.error().message.c_str());
  cr_assert((*reactor)->start().has_value());
  return std::move(*reactor);
}

// Turns until it is met, for ten seconds at most. By the clock: a turn is as short as the next
// timer or completion makes it, so a number of turns says nothing about how long a disk was waited
// for.
template <class Condition>
bool turns_until(Reactor& reactor, Condition&& is_met) {
  const SystemClock clock;
  const std::int64_t end_us = clock.monotonic_us() + 10'000'000;
  while (!is_met()) {
    if (clock.monotonic_us() >= end_us) return false;
    reactor.turn(5);
  }
  return true;
}

template <class Condition>
void turn_until(Reactor& reactor, Condition&& is_met, const char* what) {
  cr_assert(turns_until(reactor, is_met), "waited in vain for: %s", what);
}

struct RecordingOwner final : StreamOwner {
  std::string received;
  int input_ends = 0, output_empties = 0, closes = 0, retirements = 0;
  CloseReason reason = CloseReason::by_owner;

  void on_received(std::span<std::uint8_t> bytes) noexcept override {
    received.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void on_input_ended() noexcept override { ++input_ends; }
  void on_output_empty() noexcept override { ++output_empties; }
  void on_closed(CloseReason why) noexcept override {
    ++closes;
    reason = why;
  }
  void on_retired() noexcept override { ++retirements; }
};

// A connected pair: `stream` is ours, `peer` the test's.
struct Connection {
  Reactor& reactor;
  RecordingOwner owner;
  TcpStream stream;
  int peer = -1;
  // Never cleared: a test looks thousands of times, and a sanitizer takes note of each byte.
  static constexpr std::size_t arrival_bytes_max = 1 << 20;
  std::unique_ptr<char[]> arrival = std::make_unique_for_overwrite<char[]>(arrival_bytes_max);

  explicit Connection(Reactor& on, int send_buffer_bytes = 0) : reactor(on), stream(on, owner) {
    int ends[2];
    cr_assert_eq(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    peer = ends[1];
    if (send_buffer_bytes > 0) {
      ::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &send_buffer_bytes, sizeof send_buffer_bytes);
    }
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    stream.open(UniqueFd(ends[0]));
  }
  ~Connection() {
    stream.close(CloseReason::by_owner);
    turns_until(reactor, [&] { return owner.retirements > 0; });
    if (peer >= 0) ::close(peer);
  }

  void write_from_peer(std::string_view text) {
    cr_assert_eq(::write(peer, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void close_peer() {
    ::close(peer);
    peer = -1;
  }
  // What has arrived at the peer so far.
  std::string read_at_peer() {
    const ssize_t n = ::recv(peer, arrival.get(), arrival_bytes_max, MSG_DONTWAIT);
    return {arrival.get(), n > 0 ? static_cast<std::size_t>(n) : 0};
  }
};

}  // namespace videosync::test
