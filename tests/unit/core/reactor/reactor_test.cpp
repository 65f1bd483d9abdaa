#include "core/reactor/reactor.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <netinet/in.h>

#include <optional>
#include <thread>

#include "core/reactor/fd_watcher.h"
#include "core/reactor/listener.h"
#include "tests/support/descriptor_limit.h"
#include "tests/unit/core/stream_fixture.h"

using namespace videosync;
using namespace videosync::test;

namespace {

int connect_silently(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  cr_assert_eq(::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  return socket;
}

void speak(int socket) {
  cr_assert_eq(::send(socket, "x", 1, MSG_NOSIGNAL), 1);
}

int connect_to(std::uint16_t port) {
  const int socket = connect_silently(port);
  speak(socket);
  return socket;
}

struct Acceptor {
  std::vector<UniqueFd> accepted;
  static void on_accepted(void* self, UniqueFd descriptor) noexcept {
    static_cast<Acceptor*>(self)->accepted.push_back(std::move(descriptor));
  }
};

// A reactor that accepts on a port of its own, once `listener` is resumed.
struct Listening {
  SystemClock clock;
  std::unique_ptr<Reactor> reactor = make_reactor(clock);
  Acceptor acceptor;
  UniqueFd socket = open_listening_socket({"127.0.0.1", 0, ""}).value();
  const std::uint16_t port = listening_port(socket.get());
  Listener listener{*reactor, std::move(socket), Acceptor::on_accepted, &acceptor};

  void close() {
    listener.close();
    turn_until(*reactor, [&] { return listener.is_idle(); }, "the end");
  }
};

}  // namespace

Test(reactor, timers_fire_while_nothing_else_happens) {
  SystemClock clock;
  auto reactor = make_reactor(clock);
  bool has_fired = false;
  TimerEntry timer([](void* flag) noexcept { *static_cast<bool*>(flag) = true; }, &has_fired);
  reactor->timers().schedule(timer, reactor->now_ms() + 30);
  const std::int64_t begin_us = reactor->now_ms() * 1'000;
  turn_until(*reactor, [&] { return has_fired; }, "the timer");
  cr_assert_geq(clock.monotonic_us() - begin_us, 30'000);
}

Test(reactor, a_listener_accepts_pauses_and_resumes) {
  Listening listening;
  auto& [clock, reactor, acceptor, socket, port, listener] = listening;
  listener.resume();
  const int first = connect_to(port);
  turn_until(*reactor, [&] { return acceptor.accepted.size() == 1; }, "the first connection");
  listener.pause();
  turn_until(*reactor, [&] { return listener.is_idle(); }, "the pause");
  const int second = connect_to(port);
  for (int i = 0; i < 5; ++i)
    reactor->turn(2);
  cr_assert_eq(acceptor.accepted.size(), 1u);
  listener.resume();
  turn_until(*reactor, [&] { return acceptor.accepted.size() == 2; }, "the second connection");
  listening.close();
  ::close(first);
  ::close(second);
}

Test(reactor, a_connection_is_accepted_when_it_speaks_or_after_a_second) {
  Listening listening;
  auto& [clock, reactor, acceptor, socket, port, listener] = listening;
  listener.resume();
  const int silent = connect_silently(port);
  const int talker = connect_silently(port);
  for (int i = 0; i < 5; ++i)
    reactor->turn(2);
  cr_assert(acceptor.accepted.empty(), "nobody has said anything");
  speak(talker);
  turn_until(*reactor, [&] { return acceptor.accepted.size() == 1; }, "who speaks");
  char byte = 0;
  cr_assert_eq(::recv(acceptor.accepted[0].get(), &byte, 1, MSG_DONTWAIT), 1,
               "it is there already");
  turn_until(*reactor, [&] { return acceptor.accepted.size() == 2; }, "who does not");
  listening.close();
  ::close(silent);
  ::close(talker);
}

Test(reactor, a_listener_rests_when_descriptors_run_out_and_then_goes_on) {
  Listening listening;
  auto& [clock, reactor, acceptor, socket, port, listener] = listening;
  const int client = connect_to(port);
  std::optional<NoDescriptorsLeft> exhausted(std::in_place);
  listener.resume();  // io_uring reads the limit when the accept is armed
  const std::uint64_t turns_before = reactor->counters().turns;
  std::uint64_t exhaustions = 0;
  const auto is_told = [&] { return (exhaustions += listener.take_exhaustions()) > 0; };
  turn_until(*reactor, is_told, "the exhaustion");
  for (int i = 0; i < 5; ++i)
    reactor->turn(10);
  cr_assert_lt(reactor->counters().turns - turns_before, 20u);
  exhausted.reset();
  turn_until(*reactor, [&] { return acceptor.accepted.size() == 1; }, "the waiting connection");
  listening.close();
  ::close(client);
}

Test(reactor, a_unix_listener_replaces_a_dead_socket_but_not_a_living_one) {
  const std::string path = "/tmp/videosync-test-" + std::to_string(::getpid()) + ".sock";
  auto first = open_listening_socket({"", 0, path});
  cr_assert(first.has_value());
  cr_assert(listening_address(first->get()) == "unix:" + path);
  const auto living = open_listening_socket({"", 0, path});
  cr_assert(!living.has_value() && living.error().code == ErrorCode::conflict);
  first->reset();
  const auto second = open_listening_socket({"", 0, path});
  cr_assert(second.has_value());
  ::unlink(path.c_str());
}

Test(reactor, tasks_cross_threads_in_order_even_when_the_lane_overflows) {
  SystemClock clock;
  auto sender = Reactor::create(clock, 0, 2);
  auto receiver = Reactor::create(clock, 1, 2);
  cr_assert(sender.has_value() && receiver.has_value());
  (*sender)->connect({sender->get(), receiver->get()});
  (*receiver)->connect({sender->get(), receiver->get()});
  constexpr int tasks = 20'000;
  std::vector<int> order;
  std::atomic<bool> is_ready{false};
  std::thread thread([&] {
    cr_assert((*receiver)->start().has_value());
    is_ready = true;
    (*receiver)->run();
  });
  cr_assert((*sender)->start().has_value());
  while (!is_ready)
    std::this_thread::yield();
  for (int i = 0; i < tasks; ++i) {
    (*sender)->post(1, [&order, i]() noexcept { order.push_back(i); });
    if (i % 5'000 == 4'999) (*sender)->turn(0);
  }
  Reactor* other = receiver->get();
  (*sender)->post(1, [other]() noexcept { other->stop(1'000); });
  std::atomic<bool> is_done{false};
  std::thread waiter([&] {
    thread.join();
    is_done = true;
  });
  while (!is_done)
    (*sender)->turn(1);
  waiter.join();
  cr_assert_eq(order.size(), static_cast<std::size_t>(tasks));
  for (int i = 0; i < tasks; ++i)
    cr_assert_eq(order[static_cast<std::size_t>(i)], i);
}

Test(reactor, a_watched_descriptor_tells_when_it_is_readable) {
  SystemClock clock;
  auto reactor = make_reactor(clock);
  int ends[2];
  cr_assert_eq(::pipe(ends), 0);
  struct Reader {
    int descriptor;
    std::string text;
  } reader{ends[0], ""};
  FdWatcher watcher(
      reactor->ring(), ends[0],
      [](void* self, std::uint32_t) noexcept {
        auto& to = *static_cast<Reader*>(self);
        char bytes[16];
        const ssize_t n = ::read(to.descriptor, bytes, sizeof bytes);
        if (n > 0) to.text.append(bytes, static_cast<std::size_t>(n));
      },
      &reader);
  watcher.watch(POLLIN);
  for (const char* word : {"one", "two"}) {
    cr_assert_eq(::write(ends[1], word, 3), 3);
    turn_until(*reactor, [&] { return reader.text.ends_with(word); }, word);
  }
  watcher.stop();
  turn_until(*reactor, [&] { return watcher.is_idle(); }, "the watcher to end");
  ::close(ends[0]);
  ::close(ends[1]);
}

namespace {

struct Told {
  int times = 0;
  std::uint32_t events = 0;
  static void on_ready(void* self, std::uint32_t events) noexcept {
    auto& told = *static_cast<Told*>(self);
    ++told.times;
    told.events = events;
  }
};

}  // namespace

Test(reactor, a_descriptor_that_is_none_is_told_of_once) {
  SystemClock clock;
  auto reactor = make_reactor(clock);
  const int path_only = ::open("/", O_PATH | O_CLOEXEC);
  cr_assert_geq(path_only, 0);
  for (const int bad : {-1, 1'000'000, path_only}) {
    Told told;
    FdWatcher watcher(reactor->ring(), bad, Told::on_ready, &told);
    watcher.watch(POLLIN);
    turn_until(*reactor, [&] { return told.times > 0; }, "the report");
    cr_assert(watcher.is_idle(), "%d", bad);
    for (int i = 0; i < 10; ++i)
      reactor->turn(0);
    cr_assert_eq(told.times, 1, "%d", bad);
    cr_assert_eq(told.events, static_cast<std::uint32_t>(POLLERR | POLLNVAL), "%d", bad);
    watcher.watch(POLLIN);
    turn_until(*reactor, [&] { return told.times > 1; }, "the report to who asks again");
  }
  ::close(path_only);
}

Test(reactor, who_stopped_to_watch_hears_of_no_failure) {
  SystemClock clock;
  auto reactor = make_reactor(clock);
  Told told;
  FdWatcher watcher(reactor->ring(), -1, Told::on_ready, &told);
  watcher.watch(POLLIN);
  watcher.stop();
  turn_until(*reactor, [&] { return watcher.is_idle(); }, "the watcher to end");
  cr_assert_eq(told.times, 0);
}

Test(reactor, a_listening_socket_can_be_shared_until_descriptors_run_out) {
  const auto socket = open_listening_socket({"127.0.0.1", 0, ""});
  cr_assert(socket.has_value());
  const auto copy = copy_listening_socket(socket->get());
  cr_assert(copy.has_value());
  cr_assert_neq(copy->get(), socket->get());
  cr_assert_eq(listening_port(copy->get()), listening_port(socket->get()));
  const NoDescriptorsLeft exhausted;
  const auto refused = copy_listening_socket(socket->get());
  cr_assert_not(refused.has_value());
  cr_assert_eq(refused.error().system_errno, EMFILE);
  cr_assert(refused.error().message.contains(listening_address(socket->get())));
}

Test(reactor, what_the_pump_leaves_for_a_hook_is_done_before_the_wait) {
  SystemClock clock;
  auto reactor = make_reactor(clock);
  struct Asking final : StreamOwner {
    bool has_work = false, is_done = false;
    void on_received(std::span<std::uint8_t>) noexcept override {}
    void on_input_ended() noexcept override {}
    void on_output_empty() noexcept override { has_work = true; }
    void on_closed(CloseReason) noexcept override {}
    void on_retired() noexcept override {}
  } owner;
  reactor->add_hook(
      [](void* self) noexcept {
        auto& asking = *static_cast<Asking*>(self);
        asking.is_done = asking.has_work;
      },
      &owner);
  TcpStream stream(*reactor, owner);
  int ends[2];
  cr_assert_eq(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
  stream.open(UniqueFd(ends[0]));
  char path[] = "/tmp/videosync-turn-XXXXXX";
  const int file = ::mkstemp(path);
  ::unlink(path);
  cr_assert_eq(::write(file, "x", 1), 1);
  stream.send_file({nullptr, file, 0, 1});
  for (int i = 0; i < 100 && !owner.has_work; ++i)
    reactor->turn(1);
  cr_assert(owner.has_work && owner.is_done);
  stream.close(CloseReason::by_owner);
  reactor->turn(10);
  reactor->turn(10);
  ::close(ends[1]);
  ::close(file);
}

Test(reactor, an_end_waits_for_streams_so_long_and_no_longer) {
  SystemClock clock;
  auto reactor = make_reactor(clock);
  {
    Connection connection(*reactor);
    const std::int64_t begun_us = clock.monotonic_us();
    reactor->stop(100);
    reactor->run();
    cr_assert(reactor->has_streams());
    cr_assert_geq(clock.monotonic_us() - begun_us, 90'000);
  }
  cr_assert(!reactor->has_streams());
  const std::int64_t begun_us = clock.monotonic_us();
  reactor->stop(60'000);
  reactor->run();
  cr_assert_lt(clock.monotonic_us() - begun_us, 30'000'000, "nothing is left to wait for");
}
