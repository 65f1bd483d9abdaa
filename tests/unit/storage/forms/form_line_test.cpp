// The line for forms: the longest waiting first, and a place kept by who is told to come again.
#include "storage/forms/form_line.h"

#include <criterion/criterion.h>

#include <string>
#include <vector>

using namespace videosync;

namespace {

using Served = FormLine::Served;
using Numbers = std::vector<std::uint64_t>;

struct Line {
  std::unique_ptr<FormDesk> desk = std::move(*FormDesk::create("forms of films"));
  FormLine line;
  std::uint64_t last = 0;

  std::uint64_t add(std::size_t segment, std::int64_t now_ms) {
    line.add({.desk = desk.get(),
              .number = ++last,
              .film = "f",
              .file = {.kind = FormFile::Kind::segment, .segment = segment},
              .asked_ms = now_ms});
    return last;
  }
  // The numbers of those that are asked about, in turn; they are all served so.
  std::vector<std::uint64_t> serve(std::int64_t now_ms, Served served) {
    std::vector<std::uint64_t> order;
    line.serve(now_ms, [&](const FormWaiting& one) {
      order.push_back(one.number);
      return served;
    });
    return order;
  }
};

}  // namespace

Test(form_line, who_waits_longest_is_first) {
  Line line;
  const auto first = line.add(7, 0);
  const auto second = line.add(3, 1);
  cr_assert(line.serve(2, Served::not_yet) == Numbers({first, second}));
  cr_assert_eq(line.line.size(), 2);
  cr_assert(line.serve(2, Served::answered) == Numbers({first, second}));
  cr_assert(line.line.is_empty());
}

Test(form_line, who_is_told_to_ask_again_keeps_the_place) {
  Line line;
  line.add(7, 0);
  line.serve(2'000, Served::told_to_ask_again);
  const auto newer = line.add(3, 2'500);
  const auto back = line.add(7, 4'000);
  cr_assert(line.serve(4'000, Served::not_yet) == Numbers({back, newer}));
}

Test(form_line, a_place_is_lost_with_the_answer_and_with_time) {
  Line line;
  line.add(7, 0);
  line.serve(1'000, Served::answered);
  line.add(8, 1'000);
  line.serve(1'000, Served::told_to_ask_again);
  const std::int64_t late_ms = 1'000 + FormLine::kept_place_ms + 1;
  const auto other = line.add(3, 2'000);
  line.serve(late_ms, Served::not_yet);
  const auto again = line.add(7, late_ms);
  const auto gone = line.add(8, late_ms);
  cr_assert(line.serve(late_ms, Served::not_yet) == Numbers({other, again, gone}));
}

Test(form_line, who_was_looked_at_before_has_waited) {
  Line line;
  line.add(1, 0);
  std::vector<bool> waited;
  const auto look = [&](const FormWaiting& one) {
    waited.push_back(one.has_waited);
    return Served::not_yet;
  };
  line.line.serve(0, look);
  line.add(2, 1);
  line.line.serve(1, look);
  cr_assert(waited == std::vector({false, true, false}));
}

Test(form_line, who_leaves_is_not_served) {
  Line line;
  const auto first = line.add(1, 0);
  const auto second = line.add(2, 0);
  const auto left = line.line.remove(line.desk.get(), first);
  cr_assert(left && left->file.segment == 1);
  cr_assert(!line.line.remove(line.desk.get(), first));
  cr_assert(line.serve(0, Served::not_yet) == Numbers({second}));
}

Test(form_line, what_has_its_answer_waits_no_more) {
  Line line;
  line.add(1, 0);
  line.add(2, 0);
  std::size_t waiting = 0;
  line.line.serve(0, [&](const FormWaiting& one) {
    waiting = 0;
    line.line.any_of([&](const FormWaiting&) { return ++waiting == 0; });
    return one.file.segment == 1 ? Served::answered : Served::not_yet;
  });
  cr_assert_eq(waiting, 1);
}
