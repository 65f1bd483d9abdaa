#include "core/reactor/mailbox.h"

#include <criterion/criterion.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/shared_buffer.h"
#include "core/reactor/reactor.h"
#include "core/reactor/ring.h"

using namespace videosync;

namespace {

std::unique_ptr<Ring> make_ring() {
  auto ring = Ring::create();
  cr_assert(ring.has_value(), "%s", ring ? "" : ring.error().message.c_str());
  cr_assert((*ring)->enable().has_value());
  return std::move(*ring);
}

// Submits, waits at most `wait_us`, handles what has come; returns how many completions that were.
std::size_t turn(Ring& ring, std::int64_t wait_us) {
  ring.submit_and_wait(wait_us);
  const auto completions = ring.drain();
  for (const Completion& completion : completions)
    completion.operation->on_complete(*completion.operation, completion);
  return completions.size();
}

// Reactors of one process, each run by a thread of its own.
struct Team {
  SystemClock clock;
  std::vector<std::unique_ptr<Reactor>> reactors;
  std::vector<std::thread> threads;

  explicit Team(std::size_t count) {
    std::vector<Reactor*> all;
    for (std::size_t i = 0; i < count; ++i) {
      auto reactor = Reactor::create(clock, i, count);
      cr_assert(reactor.has_value());
      all.push_back(reactor->get());
      reactors.push_back(std::move(*reactor));
    }
    for (Reactor* reactor : all)
      reactor->connect(all);
  }
  // On reactor `self`'s thread, when nothing that was posted waits any more: a reactor that ends
  // takes what its mailboxes could not yet hold with it.
  void stop_all(std::size_t self) {
    for (auto& reactor : reactors) {
      Reactor* other = reactor.get();
      reactors[self]->post(other->index(), [other]() noexcept { other->stop(1'000); });
    }
  }
  // `prepare(i)` runs on reactor i's thread before its first turn and after all have started.
  template <class Prepare>
  void run(Prepare prepare) {
    std::atomic<std::size_t> started{0};
    for (std::size_t i = 0; i < reactors.size(); ++i) {
      threads.emplace_back([&, i] {
        if (!reactors[i]->start()) std::abort();
        ++started;
        while (started < reactors.size())
          std::this_thread::yield();
        prepare(i);
        reactors[i]->run();
      });
    }
    for (std::thread& thread : threads)
      thread.join();
  }
};

}  // namespace

Test(mailbox, a_task_waits_for_its_senders_flush) {
  auto owner_ring = make_ring();
  auto sender_ring = make_ring();
  Mailbox mailbox(1, owner_ring->descriptor());
  int runs = 0;
  mailbox.post(0, [&]() noexcept { ++runs; });
  cr_assert(mailbox.needs_flush(0));
  mailbox.deliver();
  cr_assert_eq(runs, 0);
  mailbox.flush(0, *sender_ring);
  cr_assert(!mailbox.needs_flush(0));
  turn(*sender_ring, 0);
  turn(*owner_ring, 1'000'000);
  cr_assert_eq(runs, 1);
}

Test(mailbox, many_posts_wake_the_owner_once) {
  auto owner_ring = make_ring();
  auto sender_ring = make_ring();
  Mailbox mailbox(1, owner_ring->descriptor());
  int runs = 0;
  for (int i = 0; i < 100; ++i) {
    mailbox.post(0, [&]() noexcept { ++runs; });
    mailbox.flush(0, *sender_ring);
    turn(*sender_ring, 0);
  }
  cr_assert_eq(turn(*owner_ring, 1'000'000), 1u);
  cr_assert_eq(runs, 100);
}

Test(mailbox, a_full_lane_keeps_the_rest_for_later_and_the_order) {
  constexpr int tasks = 5'000;
  auto owner_ring = make_ring();
  auto sender_ring = make_ring();
  Mailbox mailbox(1, owner_ring->descriptor());
  std::vector<int> order;
  for (int i = 0; i < tasks; ++i)
    mailbox.post(0, [&order, i]() noexcept { order.push_back(i); });
  mailbox.flush(0, *sender_ring);
  turn(*sender_ring, 0);
  cr_assert(mailbox.needs_flush(0), "more was posted than a lane holds");
  while (mailbox.needs_flush(0)) {
    turn(*owner_ring, 1'000'000);
    mailbox.flush(0, *sender_ring);
    turn(*sender_ring, 0);
  }
  turn(*owner_ring, 1'000'000);
  cr_assert_eq(order.size(), static_cast<std::size_t>(tasks));
  for (int i = 0; i < tasks; ++i)
    cr_assert_eq(order[static_cast<std::size_t>(i)], i);
}

Test(mailbox, tasks_that_never_ran_are_destroyed_with_the_mailbox) {
  auto owner_ring = make_ring();
  const auto witness = std::make_shared<int>(0);
  {
    Mailbox mailbox(2, owner_ring->descriptor());
    for (int i = 0; i < 3'000; ++i)
      mailbox.post(static_cast<std::size_t>(i % 2), [witness]() noexcept { ++*witness; });
    cr_assert_eq(witness.use_count(), 3'001);
  }
  cr_assert_eq(witness.use_count(), 1);
  cr_assert_eq(*witness, 0);
}

Test(mailbox, four_threads_send_each_other_everything_in_order) {
  constexpr std::uint32_t count = 4;
  constexpr std::uint32_t tasks = 6'000;
  Team team(count);
  struct Inbox {
    std::array<std::uint32_t, count> next{};  // expected of each sender
    std::uint32_t ended = 0;
    bool is_in_order = true;
  };
  std::array<Inbox, count> inboxes;
  std::atomic<std::uint32_t> complete{0};
  team.run([&](std::size_t self) {
    for (std::uint32_t i = 0; i < tasks; ++i) {
      for (std::size_t to = 0; to < count; ++to) {
        team.reactors[self]->post(to, [&inbox = inboxes[to], self, i]() noexcept {
          inbox.is_in_order = inbox.is_in_order && inbox.next[self] == i;
          ++inbox.next[self];
        });
      }
      if (i % 100 == 99) team.reactors[self]->turn(0);
    }
    for (std::size_t to = 0; to < count; ++to) {
      team.reactors[self]->post(to, [&inbox = inboxes[to], to, &complete, &team]() noexcept {
        const std::size_t all = inbox.next.size();
        if (++inbox.ended == all && ++complete == all) team.stop_all(to);
      });
    }
  });
  for (const Inbox& inbox : inboxes) {
    cr_assert(inbox.is_in_order);
    for (const std::uint32_t received : inbox.next)
      cr_assert_eq(received, tasks);
  }
}

// What a broadcast does: one frame, referred to from every thread, freed by whoever is the last.
Test(mailbox, a_shared_buffer_crosses_threads_and_is_freed_by_the_last) {
  constexpr int rounds = 2'000;
  Team team(3);
  std::atomic<int> ended{0};
  std::atomic<std::uint64_t> sum{0};
  team.run([&](std::size_t self) {
    if (self != 0) return;
    for (int i = 0; i < rounds; ++i) {
      const BufferRef frame = BufferRef::copy_of("frame " + std::to_string(i));
      for (std::size_t to = 0; to < 3; ++to)
        team.reactors[0]->post(to, [frame, &sum]() noexcept { sum += frame.bytes()[0]; });
      if (i % 64 == 63) team.reactors[0]->turn(0);
    }
    for (std::size_t to = 0; to < 3; ++to) {
      team.reactors[0]->post(to, [&ended, to, &team]() noexcept {
        if (++ended == 3) team.stop_all(to);
      });
    }
  });
  cr_assert_eq(ended, 3);
  cr_assert_eq(sum, std::uint64_t{3} * rounds * 'f');
}
