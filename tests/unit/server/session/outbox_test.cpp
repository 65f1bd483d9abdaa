// What members said, until their session's home has heard it.
#include "server/session/outbox.h"

#include <criterion/criterion.h>

#include <string>

using namespace videosync;

namespace {

const Uuid first = Uuid::random_v4();
const Uuid second = Uuid::random_v4();

Outbox::Saying saying(std::uint64_t number, std::int64_t said_us = 0) {
  return {MemberId{1}, "seek", std::to_string(number), said_us, number};
}

std::string texts_of(const std::vector<Outbox::Saying>& sayings) {
  std::string texts;
  for (const auto& each : sayings)
    texts += each.text;
  return texts;
}

}  // namespace

Test(outbox, what_the_home_has_heard_is_kept_no_longer) {
  Outbox outbox;
  for (std::uint64_t number = 1; number <= 4; ++number)
    cr_assert_eq(outbox.send(first, saying(number)).number, number);
  outbox.on_heard(first, 2);
  cr_assert(texts_of(outbox.take_sent_to(first)) == "34");
  cr_assert(outbox.empty());
}

Test(outbox, a_node_speaks_for_what_was_sent_to_it_alone) {
  Outbox outbox;
  outbox.send(first, saying(1));
  outbox.send(second, saying(2));
  outbox.on_heard(second, 2);
  cr_assert(texts_of(outbox.take_sent_to(second)) == "");
  cr_assert(texts_of(outbox.take_sent_to(first)) == "1");
}

Test(outbox, what_reached_nobody_is_sent_again_in_the_order_of_saying) {
  Outbox outbox;
  std::uint64_t last_number = 0;
  outbox.send(first, saying(++last_number));
  outbox.send(first, saying(++last_number));
  outbox.keep(saying(++last_number));
  outbox.take_back(2);
  outbox.take_back(1);
  const std::vector<Said> again = outbox.send_unsent(second, last_number);
  cr_assert_eq(again.size(), 3);
  for (std::size_t i = 0; i < again.size(); ++i) {
    cr_assert(again[i].text == std::to_string(i + 1));
    cr_assert_eq(again[i].number, i + 4, "under a number of its own");
  }
  outbox.on_heard(second, 6);
  cr_assert(outbox.empty());
}

Test(outbox, what_has_been_taken_out_does_not_come_back) {
  Outbox outbox;
  std::uint64_t last_number = 1;
  outbox.send(first, saying(1));
  cr_assert(texts_of(outbox.take_sent(1)) == "1");
  outbox.take_back(1);
  cr_assert(outbox.send_unsent(first, last_number).empty());
}

Test(outbox, what_is_older_is_taken_sent_or_not) {
  Outbox outbox;
  outbox.send(first, saying(1, 100));
  outbox.send(first, saying(2, 200));
  outbox.keep(saying(3, 150));
  cr_assert(outbox.take_older(100).empty());
  cr_assert(texts_of(outbox.take_older(200)) == "13");
  cr_assert(texts_of(outbox.take_sent()) == "2");
}

Test(outbox, it_has_a_bound) {
  Outbox outbox;
  for (std::uint64_t number = 1; number <= Outbox::size_max; ++number) {
    cr_assert(!outbox.is_full());
    if (number % 2 == 0) {
      outbox.send(first, saying(number));
    } else {
      outbox.keep(saying(number));
    }
  }
  cr_assert(outbox.is_full());
  outbox.on_heard(first, 2);
  cr_assert(!outbox.is_full());
}
