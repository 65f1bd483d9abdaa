// What members said, until their session's home has heard it.
#include "server/session/outbox.h"

#include <criterion/criterion.h>

#include <string>

using namespace videosync;

namespace {

Outbox::Saying saying(std::uint64_t number, std::int64_t said_us = 0, bool is_repeatable = true) {
  return {.member = MemberId{1},
          .type = "seek",
          .text = std::to_string(number),
          .said_us = said_us,
          .number = number,
          .is_repeatable = is_repeatable};
}

std::string texts_of(const std::vector<Outbox::Saying>& sayings) {
  std::string texts;
  for (const auto& each : sayings)
    texts += each.text;
  return texts;
}

// "number after previous" of each.
std::string chain_of(const std::vector<node::Said>& said) {
  std::string chain;
  for (const auto& each : said)
    chain += std::to_string(each.number) + "<" + std::to_string(each.previous) + " ";
  return chain;
}

}  // namespace

Test(outbox, each_names_the_one_before_it) {
  Outbox outbox;
  outbox.keep(saying(3));
  outbox.keep(saying(5));
  cr_assert(chain_of(outbox.send()) == "3<0 5<3 ");
  cr_assert(outbox.send().empty(), "once");
  outbox.keep(saying(8));
  cr_assert(chain_of(outbox.send()) == "8<5 ");
}

Test(outbox, what_the_home_has_heard_is_kept_no_longer) {
  Outbox outbox;
  for (std::uint64_t number = 1; number <= 4; ++number)
    outbox.keep(saying(number));
  outbox.send();
  outbox.on_heard(2);
  cr_assert(texts_of(outbox.take_all()) == "34");
  cr_assert(outbox.empty());
}

Test(outbox, from_a_gap_on_all_is_said_again_in_its_order) {
  Outbox outbox;
  for (std::uint64_t number = 1; number <= 4; ++number)
    outbox.keep(saying(number));
  outbox.send();
  outbox.restart(2);
  cr_assert(chain_of(outbox.send()) == "3<2 4<3 ");
}

Test(outbox, for_another_home_the_chain_begins_anew) {
  Outbox outbox;
  outbox.keep(saying(1));
  outbox.keep(saying(2));
  outbox.send();
  outbox.on_heard(1);
  outbox.restart(0);
  outbox.keep(saying(3));
  cr_assert(chain_of(outbox.send()) == "2<0 3<2 ");
}

Test(outbox, where_the_home_is_lost_only_the_record_tells_what_was_done) {
  Outbox outbox;
  for (std::uint64_t number = 1; number <= 3; ++number)
    outbox.keep(saying(number));
  outbox.send();
  outbox.keep(saying(4));
  outbox.doubt(true);
  outbox.restart(0);
  cr_assert(outbox.has_doubts());
  outbox.on_heard(1);
  cr_assert(texts_of(outbox.settle_doubts()) == "23");
  cr_assert(!outbox.has_doubts());
  cr_assert(chain_of(outbox.send()) == "4<0 ");
}

Test(outbox, what_others_may_have_seen_is_not_said_again) {
  Outbox outbox;
  outbox.keep(saying(1, 0, false));
  outbox.keep(saying(2));
  outbox.send();
  outbox.keep(saying(3, 0, false));
  outbox.doubt(false);
  cr_assert(texts_of(outbox.settle_doubts()) == "1", "3 has not been sent");
  outbox.restart(0);
  cr_assert(chain_of(outbox.send()) == "2<0 3<2 ");
}

Test(outbox, the_chain_goes_on_behind_what_was_taken_out) {
  Outbox outbox;
  outbox.keep(saying(1));
  outbox.send();
  cr_assert(texts_of(outbox.take_all()) == "1");
  outbox.keep(saying(2));
  cr_assert(chain_of(outbox.send()) == "2<1 ");
}

Test(outbox, what_is_older_is_taken_sent_or_not) {
  Outbox outbox;
  outbox.keep(saying(1, 100));
  outbox.keep(saying(2, 150));
  outbox.send();
  outbox.keep(saying(3, 200));
  cr_assert(outbox.take_older(100).empty());
  cr_assert(texts_of(outbox.take_older(200)) == "12");
  cr_assert(texts_of(outbox.take_all()) == "3");
}

Test(outbox, it_has_a_bound) {
  Outbox outbox;
  for (std::uint64_t number = 1; number <= Outbox::size_max; ++number) {
    cr_assert(!outbox.is_full());
    outbox.keep(saying(number));
    if (number % 2 == 0) outbox.send();
  }
  cr_assert(outbox.is_full());
  outbox.on_heard(2);
  cr_assert(!outbox.is_full());
}
