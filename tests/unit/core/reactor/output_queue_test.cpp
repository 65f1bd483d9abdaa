#include "core/reactor/output_queue.h"

#include <criterion/criterion.h>

#include <array>
#include <string>
#include <string_view>

#include "tests/unit/core/output_queue_model.h"

using namespace videosync;
using namespace videosync::test;

namespace {

constexpr std::size_t bytes_max = 100;

struct OutputFixture {
  SegmentPool pool;
  OutputQueue queue;
  FrameLosses losses;

  ~OutputFixture() {
    queue.consume(pool, 0);
    queue.clear_unsent(pool);
  }
  OutputQueue::Outcome push(std::string_view text, SendClass send_class = SendClass::reliable) {
    return queue.push(pool, BufferRef::copy_of(text), send_class, bytes_max, losses);
  }
  void push_file(std::int64_t length) { queue.push_file(pool, {nullptr, 0, 0, length}); }
  // The buffers at the front, one text each, joined by '|'.
  std::string front(bool keep_in_flight = false) {
    std::array<iovec, 8> vectors;
    return join(std::span(vectors).first(queue.gather(vectors, keep_in_flight)));
  }
};

}  // namespace

Test(output_queue, frames_leave_in_order_and_in_parts) {
  OutputFixture fixture;
  fixture.push("first");
  fixture.push("second");
  cr_assert_eq(fixture.queue.queued_bytes(), 11u);
  cr_assert(fixture.front(true) == "first|second");
  fixture.queue.consume(fixture.pool, 7);
  cr_assert(fixture.front() == "cond");
  cr_assert_eq(fixture.queue.queued_bytes(), 4u);
  fixture.queue.consume(fixture.pool, 4);
  cr_assert(fixture.queue.empty());
}

Test(output_queue, a_gather_takes_no_more_than_there_are_vectors) {
  OutputFixture fixture;
  for (int i = 0; i < 5; ++i)
    fixture.push("x");
  std::array<iovec, 3> vectors;
  cr_assert_eq(fixture.queue.gather(vectors, false), 3u);
}

Test(output_queue, states_of_one_turn_wait_together) {
  OutputFixture fixture;
  fixture.push("old state", SendClass::latest);
  fixture.push("chat");
  cr_assert_eq(fixture.push("new", SendClass::latest), OutputQueue::Outcome::queued);
  cr_assert(fixture.front() == "old state|chat|new");
}

Test(output_queue, once_the_reader_is_behind_a_state_takes_the_place_of_all_that_wait) {
  OutputFixture fixture;
  fixture.push("state 1", SendClass::latest);
  fixture.push("a quarter of the limit ...");
  fixture.push("state 2", SendClass::latest);
  cr_assert_eq(fixture.losses.states, 1u);
  cr_assert_eq(fixture.push("state 3", SendClass::latest), OutputQueue::Outcome::replaced);
  cr_assert_eq(fixture.losses.states, 2u);
  cr_assert(fixture.front() == "a quarter of the limit ...|state 3");
}

Test(output_queue, states_and_pongs_replace_only_their_own_kind) {
  OutputFixture fixture;
  fixture.push("state", SendClass::latest);
  cr_assert_eq(fixture.push("pong", SendClass::latest_pong), OutputQueue::Outcome::queued);
  cr_assert_eq(fixture.push("PONG", SendClass::latest_pong), OutputQueue::Outcome::replaced);
  cr_assert_eq(fixture.losses.pongs, 1u);
  cr_assert_eq(fixture.losses.states, 0u);
  cr_assert(fixture.front() == "state|PONG");
}

Test(output_queue, what_the_kernel_reads_is_neither_replaced_nor_dropped) {
  OutputFixture fixture;
  fixture.push("state of twenty-one B", SendClass::latest);
  fixture.push("chat", SendClass::droppable);
  cr_assert(fixture.front(true) == "state of twenty-one B|chat");
  cr_assert_eq(fixture.push("newer", SendClass::latest), OutputQueue::Outcome::queued);
  cr_assert_eq(fixture.push(std::string(90, 'x')), OutputQueue::Outcome::overflow);
  cr_assert_eq(fixture.losses.news, 0u);
  fixture.queue.clear_unsent(fixture.pool);
  cr_assert_eq(fixture.queue.queued_bytes(), 25u);
  fixture.queue.consume(fixture.pool, 25);
  cr_assert(fixture.queue.empty());
}

// A frame of which the peer has some bytes must go on, or the stream is no WebSocket any more.
Test(output_queue, what_has_left_in_part_is_neither_replaced_nor_dropped) {
  OutputFixture fixture;
  fixture.push("a state of more than 25 bytes", SendClass::latest);
  cr_assert(fixture.front(true) == "a state of more than 25 bytes");
  fixture.queue.consume(fixture.pool, 2);
  cr_assert_eq(fixture.push("newer", SendClass::latest), OutputQueue::Outcome::queued);
  cr_assert(fixture.front() == "state of more than 25 bytes|newer");
  fixture.queue.drop_untouched(fixture.pool);
  cr_assert(fixture.front() == "state of more than 25 bytes");
  cr_assert_eq(fixture.queue.queued_bytes(), 27u);
}

Test(output_queue, chat_goes_first_when_there_is_no_room) {
  OutputFixture fixture;
  fixture.push(std::string(40, 'c'), SendClass::droppable);
  fixture.push("word");
  fixture.push(std::string(40, 'd'), SendClass::droppable);
  cr_assert_eq(fixture.push(std::string(20, 'e'), SendClass::droppable),
               OutputQueue::Outcome::dropped);
  cr_assert_eq(fixture.losses.news, 1u);
  cr_assert_eq(fixture.push(std::string(20, 'r')), OutputQueue::Outcome::queued);
  cr_assert_eq(fixture.losses.news, 3u);
  cr_assert(fixture.front() == "word|" + std::string(20, 'r'));
}

Test(output_queue, an_answer_goes_before_chat_and_has_no_room_of_its_own) {
  OutputFixture fixture;
  fixture.push("word");
  fixture.push(std::string(90, 'c'), SendClass::droppable);
  cr_assert_eq(fixture.push(std::string(60, 'a'), SendClass::answer), OutputQueue::Outcome::queued);
  cr_assert_eq(fixture.losses.news, 1u);
  cr_assert_eq(fixture.push(std::string(60, 'b'), SendClass::answer),
               OutputQueue::Outcome::dropped);
  cr_assert_eq(fixture.losses.answers, 1u);
  cr_assert_eq(fixture.losses.news, 1u);
  cr_assert(fixture.front() == "word|" + std::string(60, 'a'));
}

Test(output_queue, a_state_always_finds_room_and_a_reliable_frame_does_not) {
  OutputFixture fixture;
  fixture.push(std::string(100, 'r'));
  cr_assert_eq(fixture.push("more"), OutputQueue::Outcome::overflow);
  cr_assert_eq(fixture.push("state", SendClass::latest), OutputQueue::Outcome::queued);
  cr_assert_eq(fixture.push("STATE", SendClass::latest), OutputQueue::Outcome::replaced);
  cr_assert_eq(fixture.queue.queued_bytes(), 105u);
}

Test(output_queue, a_file_range_stands_in_line_and_costs_no_bytes) {
  OutputFixture fixture;
  fixture.push("head");
  fixture.push_file(1'000);
  fixture.push("next head");
  cr_assert(fixture.queue.has_file());
  cr_assert_eq(fixture.queue.queued_bytes(), 13u);
  cr_assert(fixture.front() == "head");
  fixture.queue.consume(fixture.pool, 4);
  cr_assert(fixture.front().empty());
  fixture.queue.consume_file(fixture.pool, 600);
  cr_assert_eq(fixture.queue.front_file()->range.offset, 600);
  fixture.queue.consume_file(fixture.pool, 400);
  cr_assert(!fixture.queue.has_file());
  cr_assert(fixture.front() == "next head");
}

Test(output_queue, a_random_walk_agrees_with_the_model) {
  for (unsigned seed = 1; seed <= 30; ++seed)
    walk_beside_the_model(seed, 2'000);
}
