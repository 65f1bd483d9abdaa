// What clients wait for while their session's home is another node.
#include "server/session/asks.h"

#include <criterion/criterion.h>

using namespace videosync;

namespace {

using Ask = Asks::Ask;
using node::AskRef;

Ask ask_of(std::uint32_t worker, std::int64_t deadline_us, Ask::Kind kind = Ask::Kind::info) {
  return {.kind = kind, .from = {worker, {}}, .deadline_us = deadline_us};
}

}  // namespace

Test(asks, the_home_is_asked_what_the_client_asked) {
  Asks asks;
  Ask join = ask_of(0, 10, Ask::Kind::join);
  join.request.name = "Ann";
  join.request.connection = ConnectionNumber{1};
  asks.add(1, join);
  asks.add(2, ask_of(0, 10, Ask::Kind::info));
  Ask end = ask_of(0, 10, Ask::Kind::end);
  end.host_token = Token{};
  asks.add(3, end);
  const auto messages = asks.attempt_all();
  cr_assert_eq(messages.size(), 3);
  cr_assert_str_eq(std::get<node::Join>(messages[0]).name.c_str(), "Ann");
  cr_assert((std::get<node::AskInfo>(messages[1]).ask == AskRef{1, 2}));
  cr_assert(std::get<node::AskDelete>(messages[2]).host_token.has_value());
}

Test(asks, only_the_answer_to_the_latest_attempt_counts) {
  Asks asks;
  asks.add(7, ask_of(3, 10));
  const AskRef first = std::get<node::AskInfo>(asks.attempt_one(7)).ask;
  const AskRef second = std::get<node::AskInfo>(asks.attempt_all().front()).ask;
  cr_assert(!asks.take_answered(first));
  const auto answered = asks.take_answered(second);
  cr_assert(answered && answered->from.worker == 3);
  cr_assert(!asks.take_answered(second), "it is answered once");
  cr_assert(asks.empty());
}

Test(asks, who_asked_first_is_late_first) {
  Asks asks;
  asks.add(1, ask_of(1, 100));
  asks.add(2, ask_of(2, 200));
  asks.add(3, ask_of(3, 300));
  cr_assert(asks.take_late(99).empty());
  const auto late = asks.take_late(200);
  cr_assert_eq(late.size(), 2);
  cr_assert_eq(late[0].from.worker, 1);
  cr_assert_eq(late[1].from.worker, 2);
  const auto rest = asks.take_all();
  cr_assert(rest.size() == 1 && rest[0].from.worker == 3);
  cr_assert(asks.empty());
}
