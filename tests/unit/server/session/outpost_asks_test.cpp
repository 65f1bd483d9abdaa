// What clients wait for while their session's home is another node.
#include "server/session/outpost_asks.h"

#include <criterion/criterion.h>

using namespace videosync;

namespace {

using Ask = OutpostAsks::Ask;

Ask ask_of(std::uint32_t worker, std::int64_t deadline_us, Ask::Kind kind = Ask::Kind::info) {
  return {.kind = kind, .from_worker = worker, .from_peer = {}, .deadline_us = deadline_us};
}

}  // namespace

Test(outpost_asks, the_home_is_asked_what_the_client_asked) {
  OutpostAsks asks;
  Ask join = ask_of(0, 10, Ask::Kind::join);
  join.request.name = "Ann";
  asks.add(1, join);
  asks.add(2, ask_of(0, 10, Ask::Kind::info));
  Ask end = ask_of(0, 10, Ask::Kind::end);
  end.host_token = Token{};
  asks.add(3, end);
  const auto messages = asks.try_all();
  cr_assert_eq(messages.size(), 3);
  cr_assert_str_eq(std::get<JoinAsk>(messages[0]).name.c_str(), "Ann");
  cr_assert((std::get<InfoAsk>(messages[1]).peer == PeerRef{1, 2}));
  cr_assert(std::get<DeleteAsk>(messages[2]).host_token.has_value());
}

Test(outpost_asks, only_the_answer_to_the_latest_try_counts) {
  OutpostAsks asks;
  asks.add(7, ask_of(3, 10));
  const PeerRef first = std::get<InfoAsk>(asks.try_one(7)).peer;
  const PeerRef second = std::get<InfoAsk>(asks.try_all().front()).peer;
  cr_assert(!asks.take_answered(first));
  const auto answered = asks.take_answered(second);
  cr_assert(answered && answered->from_worker == 3);
  cr_assert(!asks.take_answered(second), "it is answered once");
  cr_assert(asks.empty());
}

Test(outpost_asks, who_asked_first_is_late_first) {
  OutpostAsks asks;
  asks.add(1, ask_of(1, 100));
  asks.add(2, ask_of(2, 200));
  asks.add(3, ask_of(3, 300));
  cr_assert(asks.take_late(99).empty());
  const auto late = asks.take_late(200);
  cr_assert_eq(late.size(), 2);
  cr_assert_eq(late[0].from_worker, 1);
  cr_assert_eq(late[1].from_worker, 2);
  const auto rest = asks.take_all();
  cr_assert(rest.size() == 1 && rest[0].from_worker == 3);
  cr_assert(asks.empty());
}
