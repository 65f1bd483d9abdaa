#include "core/reactor/file_pump.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <sys/resource.h>

#include <vector>

#include "tests/unit/core/stream_fixture.h"
#include "tests/unit/core/temporary_file.h"

using namespace videosync;
using namespace videosync::test;

namespace {

void expect_arrival(Reactor& reactor, Connection& connection, const std::string& expected) {
  std::string got;
  turn_until(
      reactor,
      [&] {
        got += connection.read_at_peer();
        return got.size() >= expected.size();
      },
      "the whole range");
  cr_assert(got == expected, "the bytes differ");
}

}  // namespace

Test(file_pump, a_cached_range_arrives_to_the_byte_behind_its_head) {
  SystemClock clock;
  auto reactor = make_reactor(clock);
  TemporaryFile file(3'000'000);
  Connection connection(*reactor);
  connection.stream.send(BufferRef::copy_of("head "));
  connection.stream.send_file(file.range(12'345, 2'000'001));
  connection.stream.send(BufferRef::copy_of(" between "));
  connection.stream.send_file(file.range(0, 1));
  expect_arrival(
      *reactor, connection,
      "head " + file.content.substr(12'345, 2'000'001) + " between " + file.content.substr(0, 1));
  const bool went_directly = reactor->counters().file_bytes_cached > 0;
  cr_assert_eq(went_directly, can_ask_for_residency(file.descriptor));
  cr_assert_eq(connection.owner.output_empties, 1);
}

Test(file_pump, a_cold_range_takes_the_pipe_while_timers_keep_firing) {
  SystemClock clock;
  auto reactor = make_reactor(clock);
  TemporaryFile file(16 << 20);
  file.drop_from_page_cache();
  Connection connection(*reactor);
  struct Ticker {
    Reactor& on;
    int ticks = 0;
    TimerEntry entry{[](void* self) noexcept {
                       auto& ticker = *static_cast<Ticker*>(self);
                       ++ticker.ticks;
                       ticker.on.timers().schedule(ticker.entry, ticker.on.now_ms() + 1);
                     },
                     this};
  } ticker{*reactor};
  reactor->timers().schedule(ticker.entry, reactor->now_ms() + 1);
  connection.stream.send_file(file.range(7, (16 << 20) - 7));
  expect_arrival(*reactor, connection, file.content.substr(7));
  cr_assert_gt(reactor->counters().file_bytes_cold, 0u, "nothing was read through the pipe");
  cr_assert_gt(ticker.ticks, 0);
}

Test(file_pump, a_file_that_was_cut_short_closes_the_stream) {
  SystemClock clock;
  auto reactor = make_reactor(clock);
  TemporaryFile file(100'000);
  Connection connection(*reactor);
  connection.stream.send_file(file.range(0, 200'000));
  turn_until(*reactor, [&] { return connection.owner.retirements == 1; }, "the end");
  cr_assert(connection.owner.reason == CloseReason::file_lost);
}

Test(file_pump, a_saturating_download_does_not_delay_another_stream) {
  SystemClock clock;
  auto reactor = make_reactor(clock);
  TemporaryFile file(64 << 20);
  Connection download(*reactor);
  Connection viewer(*reactor);
  download.stream.send_file(file.range(0, 64 << 20));
  std::size_t downloaded = 0;
  for (int i = 0; downloaded < (64u << 20) && i < 100'000; ++i) {
    const std::string frame = "frame " + std::to_string(i);
    viewer.stream.send(BufferRef::copy_of(frame));
    reactor->turn(1);
    // The frame leaves in the very turn in which it was queued, whatever the download does.
    cr_assert(viewer.read_at_peer() == frame);
    downloaded += download.read_at_peer().size();
  }
  cr_assert_eq(downloaded, 64u << 20);
}

Test(file_pump, closing_while_a_cold_range_is_read_gives_the_pipe_back) {
  SystemClock clock;
  auto reactor = make_reactor(clock);
  TemporaryFile file(1 << 20);
  for (int i = 0; i < 100; ++i) {
    file.drop_from_page_cache();
    Connection connection(*reactor);
    connection.stream.send_file(file.range(0, 1 << 20));
    reactor->turn(0);
    connection.close_peer();
  }
  // Pipes that were lost would have run out by now (32 at most are out).
  file.drop_from_page_cache();
  Connection connection(*reactor);
  connection.stream.send_file(file.range(0, 1 << 20));
  expect_arrival(*reactor, connection, file.content);
}

Test(file_pump, more_cold_downloads_than_pipes_all_end) {
  SystemClock clock;
  auto reactor = make_reactor(clock);
  TemporaryFile file(1 << 20);
  file.drop_from_page_cache();
  std::vector<std::unique_ptr<Connection>> connections;
  std::vector<std::size_t> got(80);
  for (std::size_t i = 0; i < got.size(); ++i) {
    connections.push_back(std::make_unique<Connection>(*reactor));
    connections.back()->stream.send_file(file.range(0, 1 << 20));
  }
  turn_until(
      *reactor,
      [&] {
        bool is_done = true;
        for (std::size_t i = 0; i < got.size(); ++i) {
          got[i] += connections[i]->read_at_peer().size();
          is_done = is_done && got[i] == 1 << 20;
        }
        return is_done;
      },
      "all downloads");
}

Test(file_pump, a_cold_range_waits_for_descriptors_and_then_leaves) {
  SystemClock clock;
  auto reactor = make_reactor(clock);
  TemporaryFile file(1 << 20);
  file.drop_from_page_cache();
  Connection connection(*reactor);
  reactor->turn(0);
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit none_left{3, limit.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &none_left);
  connection.stream.send_file(file.range(0, 1 << 20));
  const std::int64_t begun_us = clock.monotonic_us();
  for (int i = 0; i < 5; ++i)
    reactor->turn(10);
  cr_assert_geq(clock.monotonic_us() - begun_us, 30'000, "the loop is busy");
  cr_assert(connection.read_at_peer().empty());
  ::setrlimit(RLIMIT_NOFILE, &limit);
  // No other stream holds a pipe whose return would wake this one.
  expect_arrival(*reactor, connection, file.content);
}
