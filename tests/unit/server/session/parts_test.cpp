// A part of the store is away: what lies in it is kept in memory, all else goes on.
#include <algorithm>
#include <string>

#include "server/session/store_presence.h"
#include "tests/unit/server/session/other_node.h"

using namespace videosync;
using namespace videosync::test;

namespace {

constexpr std::int64_t look_us = seconds / 4;
// Of a node that has just come to the store: it may lack sessions so long.
constexpr std::int64_t unsure_us = 3'500'000;

// In no slot of `not_in`.
Uuid create_beside(DirectoryFixture& node, const Uuid& not_in) {
  Uuid key = node.create();
  while (slot_of(key) == slot_of(not_in))
    key = node.create();
  return key;
}

void seek(DirectoryFixture& node, const Uuid& key, const DirectoryFixture::Begun& member) {
  node.directory().on_message(key, member.member, member.number, {}, SeekMessage{7});
  node.answer_all();
}

// Until the homes have been read again and what they said is answered.
void write_back(DirectoryFixture& node) {
  for (int i = 0; i < 4; ++i) {
    node.pass(look_us);
    node.answer_all();
  }
}

}  // namespace

Test(parts, only_sessions_of_a_part_that_is_away_live_in_memory) {
  DirectoryFixture node;
  const Uuid away = node.create();
  const Uuid there = create_beside(node, away);
  const auto ann = node.join(away), bob = node.join(there);
  const StoreVersion before = node.stored_version(away);
  const auto part = node.part_of(away);
  node.lose_part(part);
  cr_assert(node.directory().is_apart(away) && !node.directory().is_apart(there));
  const StoreVersion other = node.stored_version(there);
  seek(node, away, ann);
  seek(node, there, bob);
  cr_assert(node.stored_version(there) > other, "its part is there");
  cr_assert(node.unsaved.empty(), "nobody refuses anything");

  node.regain_part(part);
  write_back(node);
  cr_assert(node.stored_version(away) > before);
  cr_assert(node.directory().is_settled());
}

Test(parts, what_was_being_written_when_it_went_is_no_refusal) {
  DirectoryFixture node;
  const Uuid key = node.create();
  const auto ann = node.join(key);
  const auto part = node.part_of(key);
  node.store.away = *part;
  seek(node, key, ann);  // the connection breaks, and the word of it comes later
  cr_assert_not(node.unsaved.empty());
  node.directory().on_part_lost(part);
  node.turn();
  cr_assert(node.unsaved.empty(), "%s", node.unsaved.c_str());
  node.regain_part(part);
  write_back(node);
  cr_assert(node.unsaved.empty());
  cr_assert_gt(node.stored_version(key).revision, 1u);
}

Test(parts, a_part_that_returns_empty_gets_its_sessions_back_and_the_rest_is_not_bothered) {
  DirectoryFixture node;
  const Uuid away = node.create();
  const Uuid there = create_beside(node, away);
  const auto ann = node.join(away);
  node.join(there);
  const auto part = node.part_of(away);
  node.lose_part(part);
  seek(node, away, ann);
  node.store.forget_all();
  node.regain_part(part);
  write_back(node);
  cr_assert_gt(node.stored_version(away).fence, 0u);
  cr_assert_eq(node.stored_version(there).fence, 0u, "of that it was not told");
}

Test(parts, who_asks_for_a_session_elsewhere_is_refused_where_its_part_is_away) {
  DirectoryFixture node;
  Other other(node);
  const Uuid there = create_beside(node, other.key);
  const auto part = node.part_of(other.key);
  node.lose_part(part);
  cr_assert(is_unavailable(node, other.ask_to_join()));
  node.join(there);
  node.regain_part(part);
  const ConnectionRef from = other.ask_to_join();
  cr_assert_not(node.is_answered(from), "its home is asked");
  cr_assert_eq(told<node::Join>(node).size(), 1u);
}

Test(parts, what_a_member_says_to_a_home_elsewhere_is_refused_where_its_part_is_away) {
  DirectoryFixture node;
  Other other(node);
  const ConnectionRef ann = other.ask_to_join();
  other.says(other.grants(MemberId{1}, record_of(other.id)));
  const auto begun = node.client(ann).begun;
  cr_assert(begun.has_value());
  const auto part = node.part_of(other.key);
  node.lose_part(part);
  seek(node, other.key, *begun);
  const auto& sent = node.client(ann).sent;
  cr_assert(std::ranges::any_of(sent, [](const std::string& frame) {
    return frame.find("unavailable") != std::string::npos;
  }));
  cr_assert(told<node::Said>(node).empty());

  node.said.clear();
  node.regain_part(part);
  write_back(node);
  cr_assert_eq(told<node::Enroll>(node).size(), 1u, "the home may have missed who is there");
}

Test(parts, a_home_hears_no_command_from_elsewhere_whose_answer_nobody_would_hear) {
  DirectoryFixture node;
  HomeHere home(node);
  const auto said = [&](std::uint64_t number) {
    const auto expires_us = static_cast<std::uint64_t>(node.clock.server_us() + seconds);
    std::string text;
    encode_client_message(text, ChatMessage{.text = "x"});
    return node::Said{.member = home.bob.member,
                      .text = text,
                      .number = number,
                      .previous = number - 1,
                      .expires_us = expires_us};
  };
  const auto part = node.part_of(home.key);
  node.lose_part(part);
  const std::size_t before = node.broadcasts.size();
  home.says(said(1));
  cr_assert_eq(node.broadcasts.size(), before);
  home.says(home.join(2));
  node.answer_all();
  cr_assert(last_told<node::Answer>(node).fault.has_value());
  node.regain_part(part);
  write_back(node);
  home.says(said(1));
  node.answer_all();
  cr_assert_gt(node.broadcasts.size(), before);
}

Test(parts, the_roll_is_called_for_the_part_alone) {
  DirectoryFixture node;
  HomeHere home(node);
  HomeHere beside(node);
  if (slot_of(beside.key) == slot_of(home.key)) cr_skip("the two are in one slot");
  node.said.clear();
  const auto part = node.part_of(home.key);
  node.lose_part(part);
  node.regain_part(part);
  write_back(node);
  std::size_t calls = 0;
  for (const node::Envelope& envelope : told<node::Cast>(node)) {
    const auto& cast = std::get<node::Cast>(envelope.message);
    if (!cast.present || !cast.present->is_roll_call) continue;
    cr_assert(envelope.key == home.key);
    ++calls;
  }
  cr_assert_eq(calls, 1u);
}

Test(parts, sessions_of_a_part_that_is_away_are_not_compared) {
  DirectoryFixture node;
  HomeHere home(node);
  const auto part = node.part_of(home.key);
  node.directory().collect_sums(1);
  node.turn();
  cr_assert_eq(node.sums.size(), 1u);
  node.lose_part(part);
  node.directory().collect_sums(2);
  node.turn();
  cr_assert(node.sums.empty(), "nothing could be mended");
  node.regain_part(part);
  node.directory().collect_sums(3);
  node.turn();
  cr_assert_eq(node.sums.size(), 1u);
}

Test(parts, what_a_part_may_lack_is_not_denied_and_the_rest_is) {
  DirectoryFixture node;
  node.pass(StorePresence::gone_back_us);  // of the whole nothing is in doubt any more
  const Uuid unknown = Uuid::random_v4();
  Uuid beside = Uuid::random_v4();
  while (slot_of(beside) == slot_of(unknown))
    beside = Uuid::random_v4();
  const auto validate = [&](const Uuid& key) {
    const ConnectionRef from = node.connect();
    node.directory().on_validate(key, from);
    node.answer_all();
    return from;
  };
  const auto part = node.part_of(unknown);
  node.lose_part(part);
  cr_assert(is_unavailable(node, validate(unknown)));
  cr_assert(node.answer_of<SessionValidity>(validate(beside)).has_value());
  node.regain_part(part);
  node.directory().on_store_judged(true);  // another node has what it has not stored
  cr_assert_not(node.is_answered(validate(unknown)));
  cr_assert(node.answer_of<SessionValidity>(validate(beside)).has_value());
  node.directory().on_store_judged(false);
  node.pass(unsure_us + look_us);
  node.answer_all();
  cr_assert(node.answer_of<SessionValidity>(validate(unknown)).has_value());
}

Test(parts, a_code_that_its_part_has_lost_is_written_with_its_session) {
  DirectoryFixture node;
  const Uuid key = Uuid::random_v4();
  const ConnectionRef maker = node.connect();
  node.directory().on_create(key, {}, maker);
  node.answer_all();
  const auto created = node.answer_of<SessionCreated>(maker);
  cr_assert(created.has_value());
  if (slot_of(created->code) == slot_of(key)) cr_skip("the two are in one slot");
  node.join(key);
  const StoreVersion before = node.stored_version(key);
  SlotSet slots;
  slots.set(slot_of(created->code));
  const auto part = std::make_shared<const SlotSet>(slots);
  node.lose_part(part);
  node.regain_part(part);
  write_back(node);
  cr_assert(node.stored_version(key) == (StoreVersion{before.fence, before.revision + 1}));
}

Test(parts, an_end_is_told_when_the_part_is_back) {
  DirectoryFixture node;
  const Uuid key = node.create();
  const auto ann = node.join(key);
  const auto part = node.part_of(key);
  node.lose_part(part);
  node.directory().on_message(key, ann.member, ann.number, {}, EndMessage{});
  node.answer_all();
  node.regain_part(part);
  write_back(node);
  bool is_removed = false;
  node.store.load(key, [&](const Result<StoredValue>& value) noexcept {
    is_removed = !value && value.error().code == ErrorCode::conflict;
  });
  node.store.answer_all();
  cr_assert(is_removed);
}

Test(parts, what_a_part_has_said_that_it_has_is_doubted_with_it_alone) {
  DirectoryFixture node;
  node.pass(unsure_us + look_us);
  Other other(node), beside(node);
  if (slot_of(other.key) == slot_of(beside.key)) cr_skip("the two are in one slot");
  for (Other* each : {&other, &beside}) {
    const ConnectionRef from = each->ask_to_join();
    each->says(each->grants(MemberId{1}, record_of(each->id)));
    const auto ann = node.client(from).begun;
    cr_assert(ann.has_value());
    node.directory().on_leave(each->key, ann->member, ann->number);
    node.answer_all();
  }
  const auto part = node.part_of(other.key);
  node.lose_part(part);
  node.store.forget_all();
  node.regain_part(part);
  write_back(node);
  cr_assert_gt(node.stored_version(other.key).fence, 0u, "its copy was brought back");
  cr_assert_eq(node.stored_version(beside.key).fence, 0u);
}

// As where a change was refused first, and is said behind the welcome; or comes by another way.
Test(parts, who_is_welcomed_ahead_of_what_others_here_have_heard_has_them_told_everything) {
  DirectoryFixture node;
  Other other(node);
  other.ask_to_join();
  other.says(other.grants(MemberId{1}, record_of(other.id)));
  other.ask_to_join();
  const std::size_t before = told<node::Enroll>(node).size();
  node::Joined second = other.grants(MemberId{2}, record_of(other.id));
  second.casts = 3;
  other.says(second);
  node.answer_all();
  cr_assert_eq(told<node::Enroll>(node).size(), before + 1);
}
