#include "core/base/inline_task.h"

#include <criterion/criterion.h>

#include <array>
#include <csignal>
#include <memory>
#include <utility>

using namespace videosync;

namespace {

// Lives in a capture: counts the living, copies and moves included.
struct Token {
  int* living;
  explicit Token(int& count) noexcept : living(&count) { ++*living; }
  Token(Token&& other) noexcept : living(other.living) { ++*living; }
  Token(const Token& other) noexcept : living(other.living) { ++*living; }
  ~Token() { --*living; }
};

}  // namespace

Test(inline_task, runs_what_it_was_given_as_often_as_asked) {
  int runs = 0;
  InlineTask task([&]() noexcept { ++runs; });
  task();
  task();
  cr_assert_eq(runs, 2);
}

Test(inline_task, carries_a_capture_that_can_only_be_moved) {
  int result = 0;
  InlineTask task([number = std::make_unique<int>(42), &result]() noexcept { result = *number; });
  InlineTask moved(std::move(task));
  moved();
  cr_assert_eq(result, 42);
}

Test(inline_task, carries_a_capture_of_the_full_size) {
  std::array<unsigned char, InlineTask::capture_bytes - sizeof(int*)> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<unsigned char>(i);
  int sum = 0;
  InlineTask task([bytes, to = &sum]() noexcept {
    for (const unsigned char byte : bytes)
      *to += byte;
  });
  InlineTask moved;
  moved = std::move(task);
  moved();
  cr_assert_eq(sum, static_cast<int>(bytes.size() * (bytes.size() - 1) / 2));
}

Test(inline_task, its_capture_dies_exactly_once_whether_it_ran_or_not) {
  int living = 0;
  {
    InlineTask never_run([token = Token(living)]() noexcept {});
    InlineTask run([token = Token(living)]() noexcept {});
    run();
    InlineTask moved(std::move(run));
    InlineTask replaced([token = Token(living)]() noexcept {});
    replaced = std::move(moved);
    cr_assert_eq(living, 2);
    replaced();
  }
  cr_assert_eq(living, 0);
}

Test(inline_task, moving_it_onto_itself_changes_nothing) {
  int runs = 0;
  InlineTask task([&]() noexcept { ++runs; });
  InlineTask& same = task;
  task = std::move(same);
  task();
  cr_assert_eq(runs, 1);
}

Test(inline_task, running_an_empty_one_is_caught, .signal = SIGABRT) {
  InlineTask task([]() noexcept {});
  InlineTask taken(std::move(task));
  taken();
  task();
}

// What it would hold at a wrong address, or not at all, does not compile.
namespace {

struct alignas(8) Aligned {
  char bytes[InlineTask::capture_bytes];
};
struct alignas(16) OverAligned {
  char bytes[16];
};
struct TooLarge {
  char bytes[InlineTask::capture_bytes + 1];
};
struct ThrowsWhenMoved {
  ThrowsWhenMoved(ThrowsWhenMoved&&) noexcept(false);
};

}  // namespace

static_assert(InlineTask::can_hold<Aligned>);
static_assert(!InlineTask::can_hold<OverAligned>);
static_assert(!InlineTask::can_hold<TooLarge>);
static_assert(!InlineTask::can_hold<ThrowsWhenMoved>);
