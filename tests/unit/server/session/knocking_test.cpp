// Who waits before a door: here, and of sessions whose home is another node.
#include <optional>
#include <string>

#include "server/session/residence.h"
#include "tests/unit/server/session/other_node.h"

using namespace videosync;
using namespace videosync::test;

namespace {

constexpr std::int64_t patience = 120 * seconds;

// A home here, whose host, Ann, lets in who knocks.
struct Doorway : HomeHere {
  explicit Doorway(DirectoryFixture& at) : HomeHere(at) {
    ann_says(SettingsMessage{.door = Door::knock});
  }
  ConnectionRef knock() {
    const ConnectionRef from = node.connect();
    node.directory().on_join(key, {}, from);
    node.answer_all();
    cr_assert(node.client(from).waits.has_value());
    return from;
  }
  void pass(std::int64_t us) {
    for (; us > 0; us -= seconds) {
      node.pass(std::min(us, seconds));
      node.answer_all();
    }
  }
};

std::uint8_t number_of(SessionFault fault) {
  return static_cast<std::uint8_t>(fault);
}

// What the home, another node, answers to the last join.
void answers(Other& other, SessionFault fault) {
  other.says(node::Answer{.ask = last_told<node::Join>(other.node).ask, .fault = number_of(fault)});
  other.node.answer_all();
}

}  // namespace

Test(knocking, who_waits_here_is_let_in_as_soon_as_the_host_says_so) {
  DirectoryFixture node;
  Doorway door(node);
  const ConnectionRef ben = door.knock();
  const KnockId id = knock_id_of(node.self(), *node.client(ben).waits);
  door.ann_says(AdmitMessage{id});
  cr_assert(node.client(ben).begun.has_value());
  cr_assert(node.client(ben).begun->number == *node.client(ben).waits);
  node.directory().on_knocker_left(door.key, *node.client(ben).waits);  // it came too late
  node.answer_all();
  cr_assert_not(node.client(ben).closed.has_value());
}

Test(knocking, who_waits_here_is_refused_by_a_word_a_lock_or_the_end) {
  for (int way = 0; way < 3; ++way) {
    DirectoryFixture node;
    Doorway door(node);
    const ConnectionRef ben = door.knock();
    if (way == 0) door.ann_says(RefuseMessage{knock_id_of(node.self(), *node.client(ben).waits)});
    if (way == 1) door.ann_says(SettingsMessage{.door = Door::locked});
    if (way == 2) door.ann_says(EndMessage{});
    const std::uint16_t code = way == 2 ? close_code::session_ended : close_code::turned_away;
    cr_assert(node.client(ben).closed == code, "%d", way);
    cr_assert(node.client(ben).replies.empty());
  }
}

Test(knocking, two_minutes_without_a_word_are_a_refusal) {
  DirectoryFixture node;
  Doorway door(node);
  const ConnectionRef ben = door.knock();
  door.pass(patience - seconds);
  cr_assert_not(node.client(ben).closed.has_value());
  door.pass(2 * seconds);
  cr_assert(node.client(ben).closed == close_code::turned_away);
  door.ann_says(AdmitMessage{knock_id_of(node.self(), *node.client(ben).waits)});
  cr_assert_not(node.client(ben).begun.has_value());
}

Test(knocking, one_of_another_node_is_told_to_ask_again_and_is_let_in_once) {
  DirectoryFixture node;
  Doorway door(node);
  const node::Join join = door.join(2);
  door.says(join);
  node.answer_all();
  cr_assert(last_told<node::Answer>(node).fault == number_of(SessionFault::must_knock));
  const KnockId id = knock_id_of(door.id, join.connection);
  door.ann_says(AdmitMessage{id});
  cr_assert(last_told<node::KnockDecided>(node).id == id);
  const std::size_t joined = told<node::Joined>(node).size();
  node::Join again = door.join(3);
  again.connection = join.connection;
  again.ask.attempt = 2;
  door.says(again);
  node.answer_all();
  cr_assert_eq(told<node::Joined>(node).size(), joined + 1);
  const MemberId member = last_told<node::Joined>(node).member;
  again.ask.number = 4;  // the answer was lost
  door.says(again);
  node.answer_all();
  cr_assert(last_told<node::Joined>(node).member == member);
}

Test(knocking, one_of_another_node_that_has_gone_waits_no_more) {
  DirectoryFixture node;
  Doorway door(node);
  const node::Join join = door.join(2);
  door.says(join);
  node.answer_all();
  const KnockId id = knock_id_of(door.id, join.connection);
  door.says(node::KnockGone{id});
  node.answer_all();
  node.directory().on_message(door.key, door.ann.member, door.ann.number, {}, AdmitMessage{id});
  node.answer_all();
  cr_assert(told<node::KnockDecided>(node).empty());
}

Test(knocking, who_waits_for_a_home_elsewhere_asks_it_again_and_again) {
  DirectoryFixture node;
  Other other(node);
  const ConnectionRef ben = other.ask_to_join();
  answers(other, SessionFault::must_knock);
  cr_assert(node.client(ben).waits.has_value());
  const auto asked = [&] { return told<node::Join>(node).size(); };
  for (int i = 0; i < 3; ++i) {
    const std::size_t before = asked();
    node.pass(4 * seconds);
    node.answer_all();
    cr_assert_gt(asked(), before);
    cr_assert(last_told<node::Join>(node).connection == *node.client(ben).waits);
    cr_assert_gt(last_told<node::Join>(node).ask.attempt, 1u);
    answers(other, i == 1 ? SessionFault::unavailable : SessionFault::must_knock);
  }
  cr_assert(node.client(ben).replies.empty());
  other.says(node::KnockDecided{knock_id_of(node.self(), *node.client(ben).waits)});
  node.answer_all();
  node::Joined joined = other.grants(MemberId{3}, record_of(other.id));
  other.says(joined);
  cr_assert(node.client(ben).begun && node.client(ben).begun->member == MemberId{3});
}

Test(knocking, who_is_asked_for_in_vain_waits_on) {
  DirectoryFixture node;
  Other other(node);
  const ConnectionRef ben = other.ask_to_join();
  answers(other, SessionFault::must_knock);
  node.store.is_away = true;
  node.directory().on_store_lost();
  node.pass(30 * seconds);
  cr_assert_not(node.client(ben).closed.has_value());
  node.pass(patience);
  cr_assert(node.client(ben).closed == close_code::turned_away);
}

Test(knocking, a_home_elsewhere_hears_who_has_gone_and_refuses_the_rest) {
  DirectoryFixture node;
  Other other(node);
  const ConnectionRef ben = other.ask_to_join();
  answers(other, SessionFault::must_knock);
  const ConnectionNumber number = *node.client(ben).waits;
  node.directory().on_knocker_left(other.key, number);
  node.answer_all();
  cr_assert(last_told<node::KnockGone>(node).id == knock_id_of(node.self(), number));
  const ConnectionRef cem = other.ask_to_join();
  answers(other, SessionFault::door_full);
  cr_assert(node.answer_of<SessionFault>(cem) == SessionFault::door_full);
  const ConnectionRef dan = other.ask_to_join();
  answers(other, SessionFault::locked);
  cr_assert(node.answer_of<SessionFault>(dan) == SessionFault::locked);
}

Test(knocking, who_waits_in_a_browser_that_was_removed_is_told_so) {
  DirectoryFixture node;
  Other other(node);
  const ConnectionRef ben = other.ask_to_join();
  answers(other, SessionFault::must_knock);
  node.pass(4 * seconds);
  node.answer_all();
  answers(other, SessionFault::removed);
  cr_assert(node.client(ben).closed == close_code::removed);
  const ConnectionRef cem = other.ask_to_join();
  answers(other, SessionFault::removed);
  cr_assert(node.answer_of<SessionFault>(cem) == SessionFault::removed);
}
