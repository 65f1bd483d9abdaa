#include "core/reactor/tcp_stream.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <vector>

#include "tests/unit/core/stream_fixture.h"

using namespace videosync;
using namespace videosync::test;

Test(tcp_stream, delivers_what_the_peer_writes) {
  SystemClock clock;
  auto reactor = make_reactor(clock);
  Connection connection(*reactor);
  connection.write_from_peer("hello");
  turn_until(*reactor, [&] { return connection.owner.received == "hello"; }, "the first bytes");
  connection.write_from_peer(" again");
  turn_until(*reactor, [&] { return connection.owner.received == "hello again"; }, "more");
}

Test(tcp_stream, what_is_queued_in_a_turn_leaves_in_order) {
  SystemClock clock;
  auto reactor = make_reactor(clock);
  Connection connection(*reactor);
  std::string expected;
  for (int i = 0; i < 40; ++i) {
    const std::string text = "frame " + std::to_string(i) + "\n";
    expected += text;
    connection.stream.send(BufferRef::copy_of(text));
  }
  turn_until(*reactor, [&] { return connection.owner.output_empties > 0; }, "empty output");
  cr_assert(connection.read_at_peer() == expected);
}

Test(tcp_stream, a_short_send_is_continued) {
  SystemClock clock;
  auto reactor = make_reactor(clock);
  Connection connection(*reactor, 4096);
  std::string large(1 << 20, 'x');
  for (std::size_t i = 0; i < large.size(); i += 4096)
    large[i] = static_cast<char>('a' + i % 26);
  connection.stream.send(BufferRef::copy_of(large));
  std::string got;
  turn_until(
      *reactor,
      [&] {
        got += connection.read_at_peer();
        return got.size() == large.size();
      },
      "the whole megabyte");
  cr_assert(got == large);
}

// io_uring tells the end of the peer's side to every poll, and tries what waits for room again.
Test(tcp_stream, a_peer_that_sends_no_more_and_does_not_read_costs_no_turns) {
  SystemClock clock;
  auto reactor = make_reactor(clock);
  for (const bool ends_first : {true, false}) {
    Connection connection(*reactor, 4096);
    const std::string large(1 << 20, 'x');
    if (ends_first) {
      ::shutdown(connection.peer, SHUT_WR);
      turn_until(*reactor, [&] { return connection.owner.input_ends == 1; }, "the end of input");
    }
    connection.stream.send(BufferRef::copy_of(large));
    for (int i = 0; i < 5; ++i)
      reactor->turn(0);
    ::shutdown(connection.peer, SHUT_WR);
    turn_until(*reactor, [&] { return connection.owner.input_ends == 1; }, "the end of input");
    const std::int64_t end_us = clock.monotonic_us() + 200'000;
    int turns = 0;
    for (; clock.monotonic_us() < end_us; ++turns)
      reactor->turn(1'000);
    cr_assert_leq(turns, 20, "%d turns in 200 ms", turns);
    std::size_t got = 0;
    turn_until(
        *reactor, [&] { return (got += connection.read_at_peer().size()) == large.size(); },
        "all of it");
  }
}

Test(tcp_stream, half_close_is_heard_and_an_answer_still_leaves) {
  SystemClock clock;
  auto reactor = make_reactor(clock);
  Connection connection(*reactor);
  ::shutdown(connection.peer, SHUT_WR);
  turn_until(*reactor, [&] { return connection.owner.input_ends == 1; }, "end of input");
  cr_assert_eq(connection.owner.closes, 0);
  connection.stream.send(BufferRef::copy_of("answer"));
  turn_until(*reactor, [&] { return connection.owner.output_empties == 1; }, "the answer to leave");
  cr_assert(connection.read_at_peer() == "answer");
}

Test(tcp_stream, a_lost_peer_closes_once_and_retires) {
  SystemClock clock;
  auto reactor = make_reactor(clock);
  Connection connection(*reactor, 4096);
  connection.stream.send(BufferRef::copy_of(std::string(1 << 20, 'x')));
  reactor->turn(5);
  connection.close_peer();
  turn_until(*reactor, [&] { return connection.owner.retirements == 1; }, "retirement");
  cr_assert_eq(connection.owner.closes, 1);
  cr_assert_eq(connection.stream.queued_bytes(), 0u);
}

Test(tcp_stream, closing_with_a_send_in_flight_waits_for_its_completion) {
  SystemClock clock;
  auto reactor = make_reactor(clock);
  Connection connection(*reactor, 4096);
  connection.stream.send(BufferRef::copy_of(std::string(1 << 20, 'x')));
  connection.stream.send(BufferRef::copy_of("never leaves"));
  reactor->turn(5);
  connection.stream.close(CloseReason::by_owner);
  connection.stream.close(CloseReason::peer_gone);
  cr_assert_eq(connection.owner.closes, 1);
  cr_assert_eq(connection.owner.retirements, 0);
  turn_until(*reactor, [&] { return connection.owner.retirements == 1; }, "retirement");
  cr_assert(connection.owner.reason == CloseReason::by_owner);
}

Test(tcp_stream, paused_input_rests_and_resumes) {
  SystemClock clock;
  auto reactor = make_reactor(clock);
  Connection connection(*reactor);
  reactor->turn(5);
  connection.stream.pause_input();
  reactor->turn(5);
  connection.write_from_peer("later");
  for (int i = 0; i < 5; ++i)
    reactor->turn(2);
  cr_assert(connection.owner.received.empty());
  connection.stream.resume_input();
  turn_until(*reactor, [&] { return connection.owner.received == "later"; }, "resumed input");
}

Test(tcp_stream, pause_and_resume_at_once_lose_nothing) {
  SystemClock clock;
  auto reactor = make_reactor(clock);
  Connection connection(*reactor);
  for (int i = 0; i < 50; ++i) {
    connection.write_from_peer("0123456789");
    connection.stream.pause_input();
    if (i % 3 == 0) reactor->turn(1);
    connection.stream.resume_input();
    reactor->turn(1);
  }
  turn_until(*reactor, [&] { return connection.owner.received.size() == 500; }, "all bytes");
}

Test(tcp_stream, the_newest_state_replaces_those_that_wait_for_a_slow_reader) {
  SystemClock clock;
  auto reactor = make_reactor(clock);
  Connection connection(*reactor, 4096);
  const std::size_t limit = 64 * 1024;
  connection.stream.send(BufferRef::copy_of(std::string(1 << 20, 'x')));
  reactor->turn(5);
  for (int i = 0; i < 100; ++i) {
    connection.stream.send(BufferRef::copy_of("[" + std::to_string(i) + "]"), SendClass::latest,
                           limit);
  }
  cr_assert_eq(reactor->counters().losses.states, 99u);
  std::string got;
  turn_until(
      *reactor,
      [&] {
        got += connection.read_at_peer();
        return connection.owner.output_empties == 1;
      },
      "empty output");
  got += connection.read_at_peer();
  cr_assert(got.ends_with("x[99]"));
}

Test(tcp_stream, a_reader_that_keeps_up_gets_every_state) {
  SystemClock clock;
  auto reactor = make_reactor(clock);
  Connection connection(*reactor);
  std::string expected;
  for (int i = 0; i < 100; ++i) {
    const std::string state = "[" + std::to_string(i) + "]";
    connection.stream.send(BufferRef::copy_of(state), SendClass::latest, 64 * 1024);
    expected += state;
  }
  std::string got;
  turn_until(
      *reactor,
      [&] {
        got += connection.read_at_peer();
        return got.size() >= expected.size();
      },
      "all states");
  cr_assert_eq(got, expected);
}

Test(tcp_stream, a_full_queue_drops_the_droppable_first_and_then_says_overflow) {
  SystemClock clock;
  auto reactor = make_reactor(clock);
  Connection connection(*reactor, 4096);
  const std::size_t limit = 64 * 1024;
  connection.stream.send(BufferRef::copy_of(std::string(60'000, 'x')));
  reactor->turn(5);
  const std::size_t filler = 60'000 - connection.stream.queued_bytes();
  connection.stream.send(BufferRef::copy_of(std::string(filler, 'x')));
  auto send = [&](std::size_t size, SendClass send_class) {
    return connection.stream.send(BufferRef::copy_of(std::string(size, 'y')), send_class, limit);
  };
  cr_assert(send(4'000, SendClass::droppable) == OutputQueue::Outcome::queued);
  cr_assert(send(4'000, SendClass::droppable) == OutputQueue::Outcome::dropped);
  cr_assert(send(4'000, SendClass::reliable) == OutputQueue::Outcome::queued);
  cr_assert(send(4'000, SendClass::reliable) == OutputQueue::Outcome::overflow);
  cr_assert(send(4'000, SendClass::latest) == OutputQueue::Outcome::queued);
  cr_assert_eq(reactor->counters().losses.news, 2u);
}

Test(tcp_stream, running_out_of_receive_buffers_grows_them_and_loses_nothing) {
  SystemClock clock;
  auto reactor = make_reactor(clock);
  std::vector<std::unique_ptr<Connection>> connections;
  const std::string text(64 * 1024, 'z');
  for (int i = 0; i < 32; ++i) {
    connections.push_back(std::make_unique<Connection>(*reactor));
    connections.back()->write_from_peer(text);
  }
  turn_until(
      *reactor,
      [&] {
        for (auto& each : connections) {
          if (each->owner.received.size() != text.size()) return false;
        }
        return true;
      },
      "every byte of every connection");
  cr_assert_gt(reactor->counters().receive_buffers_exhausted, 0u);
}

Test(tcp_stream, each_gets_its_own_frames_when_more_leave_than_submissions_fit) {
  constexpr std::size_t streams = 1'100;  // the submission queue has 1,024 entries
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 3 * streams);
  ::setrlimit(RLIMIT_NOFILE, &limit);
  SystemClock clock;
  auto reactor = make_reactor(clock);
  std::vector<std::unique_ptr<Connection>> connections;
  for (std::size_t i = 0; i < streams; ++i)
    connections.push_back(std::make_unique<Connection>(*reactor));
  reactor->turn(0);
  // Two frames each, so that every send is a message with vectors.
  for (std::size_t i = 0; i < streams; ++i) {
    connections[i]->stream.send(BufferRef::copy_of("for "));
    connections[i]->stream.send(BufferRef::copy_of(std::to_string(10'000 + i)));
  }
  for (int i = 0; i < 5; ++i)
    reactor->turn(10);
  for (std::size_t i = 0; i < streams; ++i) {
    const std::string got = connections[i]->read_at_peer();
    cr_assert(got == "for " + std::to_string(10'000 + i), "stream %zu got '%s'", i, got.c_str());
  }
}
