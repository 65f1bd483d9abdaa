// What other nodes and the store may say against all rules: nothing of it ends this node, or does
// to a client what it has not asked for.
#include <string>

#include "tests/unit/server/session/other_node.h"

using namespace videosync;
using namespace videosync::test;

Test(other_nodes, nobody_is_let_in_who_has_asked_for_something_else) {
  DirectoryFixture node;
  Other other(node);
  const ConnectionRef from = node.connect();
  node.directory().on_info(other.key, from);
  node.answer_all();
  const auto ask = last_told<node::AskInfo>(node).ask;
  other.says(node::Joined{.ask = ask,
                          .member = MemberId{1},
                          .connection = ConnectionNumber{1},
                          .welcome = "{}",
                          .members = {},
                          .record = {}});
  cr_assert(!node.is_answered(from), "a request for information is no WebSocket");
  other.says(node::Answer{.ask = ask, .info = node::Info{{}, 7, {}}});
  cr_assert(node.answer_of<SessionInfo>(from).has_value());
}

Test(other_nodes, an_answer_to_something_else_is_none) {
  DirectoryFixture node;
  Other other(node);
  const ConnectionRef from = other.ask_to_join();
  other.says(node::Answer{.ask = last_told<node::Join>(node).ask, .info = node::Info{{}, 7, {}}});
  cr_assert(node.answer_of<SessionFault>(from) == SessionFault::unavailable);
}

Test(other_nodes, a_home_cannot_have_heard_what_nobody_has_said) {
  DirectoryFixture node;
  Other other(node);
  const ConnectionRef from = other.ask_to_join();
  other.says(other.grants(MemberId{1}, record_of(other.id)));
  const auto ann = node.client(from).begun;
  cr_assert(ann.has_value());
  other.says(node::Gap{.heard = count_max});
  node.directory().on_message(other.key, ann->member, ann->number, from, PlayMessage{});
  node.answer_all();
  cr_assert_eq(last_told<node::Said>(node).previous, 0u, "the chain is as it was");
}

Test(other_nodes, who_asks_for_what_has_ended_is_answered_at_once) {
  DirectoryFixture node;
  HomeHere session(node);
  session.ann_says(EndMessage{});
  const auto expires_us = static_cast<std::uint64_t>(node.clock.server_us() + seconds);
  session.says(node::AskDelete{.ask = {1, 7, expires_us}, .host_token = {}});
  node.answer_all();
  const auto answer = last_told<node::Answer>(node);
  cr_assert_eq(answer.ask.number, 7u);
  cr_assert(answer.fault == static_cast<std::uint8_t>(SessionFault::not_found));
  session.says(session.join(8));
  node.answer_all();
  cr_assert_eq(last_told<node::Answer>(node).ask.number, 8u);
}

Test(other_nodes, a_ping_is_not_for_a_session) {
  DirectoryFixture node;
  HomeHere home(node);
  const auto say = [&](std::uint64_t number, std::string text) {
    home.says(node::Said{.member = home.bob.member,
                         .text = std::move(text),
                         .number = number,
                         .previous = number - 1,
                         .expires_us = static_cast<std::uint64_t>(node.clock.server_us()) + 9});
    node.answer_all();
  };
  say(1, R"({"type":"ping","id":1,"t1":2})");
  say(2, R"({"type":"chat","text":"still here"})");
  cr_assert(last_told<node::Cast>(node).heard.front().number == 2);
}

Test(other_nodes, a_record_that_cannot_be_read_is_not_taken_for_the_session) {
  DirectoryFixture node;
  Other other(node);
  other.ask_to_join();
  other.says(other.grants(MemberId{1}, record_of(other.id)));
  other.says(node::Cast{.number = 1, .revision = 9, .record = "no record"});
  node.store.forget_all();
  node.directory().on_node_lost(other.id);
  node.pass(4 * seconds);
  node.answer_all();
  cr_assert_gt(node.stored_version(other.key).fence, 1u, "the one before it is gone on from");
}

Test(other_nodes, a_record_that_cannot_be_read_is_written_over_by_who_knows_the_session) {
  DirectoryFixture node;
  Other other(node);
  other.ask_to_join();
  other.says(other.grants(MemberId{1}, record_of(other.id)));
  const StoreVersion unreadable{static_cast<std::uint64_t>(node.clock.server_us()) << 10, 9};
  node.store.change(other.key, {1, 1}, unreadable, BufferRef::copy_of("no record"), 60 * seconds,
                    {}, [](Result<> done) noexcept { cr_assert(done.has_value()); });
  node.store.answer_all();
  node.directory().on_node_lost(other.id);
  node.pass(4 * seconds);
  node.answer_all();
  cr_assert(node.stored_version(other.key) > unreadable);
}

Test(other_nodes, a_version_that_cannot_be_is_as_if_the_store_failed) {
  DirectoryFixture node;
  Other other(node);
  node.store.change(other.key, {1, 1}, {UINT64_MAX, 1}, BufferRef::copy_of(record_of({})),
                    60 * seconds, {}, [](Result<> done) noexcept { cr_assert(done.has_value()); });
  node.answer_all();
  const ConnectionRef from = other.ask_to_join();
  cr_assert(node.answer_of<SessionFault>(from) == SessionFault::unavailable);
}

// What comes while a session is being taken over waits; its sender may be lost meanwhile.
Test(other_nodes, whom_a_node_names_that_is_lost_before_it_is_heard_is_not_there) {
  DirectoryFixture node;
  Other other(node);
  other.ask_to_join();
  other.says(other.grants(MemberId{1}, record_of(other.id)));
  node.directory().on_node_lost(other.id);
  node.store.answer_all();  // it is not taken over yet
  const Uuid third = Uuid::random_v4();
  node.directory().on_envelope(
      {.from = third,
       .key = other.key,
       .fence = 1,
       .message = node::Enroll{.members = {{MemberId{2}, ConnectionNumber{5}, "Bob"}},
                               .is_first = true,
                               .is_last = true}});
  node.directory().on_node_lost(third);
  node.answer_all();
  node.pass(2 * seconds);
  const ConnectionRef from = node.connect();
  node.directory().on_info(other.key, from);
  const auto info = node.answer_of<SessionInfo>(from);
  cr_assert(info.has_value(), "it is at home here");
  cr_assert_eq(info->members, 1u);
}

Test(other_nodes, a_connection_of_the_same_number_takes_the_seat_of_the_other) {
  DirectoryFixture node;
  HomeHere home(node);
  Token key;
  key.bytes.fill(7);
  node::Join again = home.join(2);
  again.connection = home.bob.connection;
  again.resume = ResumeToken{home.bob.member, resume_secret(key, home.bob.member)};
  home.says(again);
  node.answer_all();
  cr_assert(last_told<node::Joined>(node).member == home.bob.member);
  home.says(node::Leave{home.bob.member, home.bob.connection});
  node.pass(seconds);
  node.answer_all();
  const ConnectionRef from = node.connect();
  node.directory().on_info(home.key, from);
  cr_assert_eq(node.answer_of<SessionInfo>(from)->members, 1u, "nobody stays for good");
}

// Where a node was taken for lost nobody is known there, so nothing is cast; but its members may be
// there all the time, and their node is to see that it lacks something.
Test(other_nodes, what_is_not_cast_has_a_number_too) {
  DirectoryFixture node;
  HomeHere home(node);
  home.ann_says(ChatMessage{"one"});
  const std::uint64_t before = last_told<node::Cast>(node).number;
  node.directory().on_node_lost(home.id);
  node.answer_all();
  const std::size_t casts = told<node::Cast>(node).size();
  home.ann_says(SettingsMessage{.control = Control::everyone, .on_stall = {}});
  cr_assert_eq(told<node::Cast>(node).size(), casts, "nobody is known to hear it");
  // The first part of what it enrolls; the last one is lost.
  home.says(node::Enroll{.members = {{home.bob.member, home.bob.connection, "Bob"}},
                         .is_first = true,
                         .casts = before});
  home.ann_says(ChatMessage{"two"});
  cr_assert_gt(last_told<node::Cast>(node).number, before + 1, "a gap is seen");
}

// --- Two homes at once, after a failover --------------------------------------------------------

namespace {

// A home of a lower fence than that of `key`, by what the store has instead since it went back.
struct Beneath {
  DirectoryFixture& node;
  Uuid id = Uuid::random_v4();

  Beneath(DirectoryFixture& at, const Uuid& key) : node(at) {
    node.store.forget_all();
    node.store.create(key, {1, 1}, BufferRef::copy_of(record_of(id)), 600 * seconds,
                      [](Result<> made) noexcept { cr_assert(made.has_value()); });
    node.store.follow(id, [](Result<>) noexcept {});
    node.answer_all();
  }
  // The fences of which it has been told.
  std::vector<std::uint64_t> fences() const {
    std::vector<std::uint64_t> all;
    for (std::size_t i = 0; i < node.said.size(); ++i) {
      const bool is_it = std::holds_alternative<node::Returned>(node.said[i].message);
      if (is_it && node.said_to[i] == id) all.push_back(node.said[i].fence);
    }
    return all;
  }
};

}  // namespace

// Its last member here has gone, and its home, at a higher fence, is not back yet.
Test(other_nodes, a_home_is_told_of_the_copy_that_its_record_was_written_over_with) {
  DirectoryFixture node;
  Other other(node);
  const ConnectionRef from = other.ask_to_join();
  other.fence = 7;
  node::Joined joined = other.grants(MemberId{1}, record_of(other.id));
  joined.revision = 3;
  other.says(joined);
  const Beneath beneath(node, other.key);
  node.directory().on_leave(other.key, MemberId{1}, node.client(from).begun->number);
  node.answer_all();
  cr_assert(node.stored_version(other.key) == (StoreVersion{7, 3}), "the copy is there");
  cr_assert(beneath.fences() == std::vector<std::uint64_t>{7});
}

Test(other_nodes, a_copy_that_the_store_does_not_take_is_told_to_nobody) {
  DirectoryFixture node;
  Other other(node);
  const ConnectionRef from = other.ask_to_join();
  other.fence = 7;
  other.says(other.grants(MemberId{1}, record_of(other.id)));
  const Beneath beneath(node, other.key);
  node.directory().on_leave(other.key, MemberId{1}, node.client(from).begun->number);
  node.store.answer_all();  // its home has heard that it has left
  node.store.is_away = true;
  node.answer_all();
  node.store.is_away = false;
  cr_assert(node.stored_version(other.key) == (StoreVersion{1, 1}));
  cr_assert(beneath.fences().empty(), "it is the session still");
}

// Whoever asks is to find the session elsewhere, and nobody else may have it.
Test(other_nodes, a_node_that_leaves_takes_no_session_along_that_it_is_asked_for) {
  DirectoryFixture node;
  Other other(node);
  const ConnectionRef ann = other.ask_to_join();
  other.fence = 7;
  node::Joined joined = other.grants(MemberId{1}, record_of(other.id));
  joined.revision = 3;
  other.says(joined);
  const ConnectionRef bob = other.ask_to_join();
  node.store.is_away = true;
  node.directory().on_store_lost();
  node.directory().on_leave(other.key, MemberId{1}, node.client(ann).begun->number);
  node.is_leaving = true;
  node.store.forget_all();
  node.store.is_away = false;
  node.directory().on_store_ready();
  node.directory().on_node_lost(other.id);
  for (int i = 0; i < 4 * 2; ++i) {  // homes write back first
    node.answer_all();
    node.pass(seconds / 4);
  }
  node.answer_all();
  cr_assert(is_unavailable(node, bob), "it had better ask another node");
  cr_assert(node.stored_version(other.key) == (StoreVersion{7, 3}), "which finds it");
  cr_assert(node.directory().is_settled());
}

Test(other_nodes, a_home_is_told_of_the_end_of_what_its_record_is_older_than) {
  DirectoryFixture node;
  HomeHere home(node);
  const Beneath beneath(node, home.key);
  home.ann_says(EndMessage{});
  cr_assert(beneath.fences() == std::vector{home.fence});
}

// It came to what the store had while this home could not write.
Test(other_nodes, a_home_is_told_of_the_change_that_the_store_had_refused) {
  DirectoryFixture node;
  HomeHere home(node);
  node.store.is_away = true;
  home.ann_says(PlayMessage{});
  node.store.is_away = false;
  const Beneath beneath(node, home.key);
  home.ann_says(PauseMessage{});
  cr_assert(node.stored_version(home.key).fence == home.fence, "it is stored");
  cr_assert(beneath.fences() == std::vector{home.fence});
}

// All that it said was lost on the way, as may be what it was told of the take-over.
Test(other_nodes, a_node_that_was_taken_for_dead_is_told_again_what_was_taken_over_from_it) {
  DirectoryFixture node;
  Other other(node);
  node.directory().on_node_lost(other.id);
  const ConnectionRef ann = other.ask_to_join();
  cr_assert(node.client(ann).begun.has_value(), "this node is the home now");
  node.said.clear();
  node.directory().on_node_alive(other.id);
  node.answer_all();
  const auto moved = told<node::Moved>(node);
  cr_assert_eq(moved.size(), 1u);
  cr_assert(moved[0].key == other.key);
  cr_assert_eq(moved[0].fence, node.stored_version(other.key).fence);
  node.directory().on_node_alive(other.id);
  node.answer_all();
  cr_assert_eq(told<node::Moved>(node).size(), 1u, "once");
}

Test(other_nodes, a_home_that_hears_of_a_higher_fence_goes_on_as_an_outpost) {
  DirectoryFixture node;
  HomeHere home(node);
  const StoreVersion taken{home.fence + 1, node.stored_version(home.key).revision + 1};
  node.store.change(home.key, node.stored_version(home.key), taken,
                    BufferRef::copy_of(record_of(home.id)), 600 * seconds, {},
                    [](Result<> done) noexcept { cr_assert(done.has_value()); });
  node.answer_all();
  home.says(node::Returned{});
  node.answer_all();
  cr_assert(told<node::Enroll>(node).empty(), "at the same fence it is the home");
  ++home.fence;
  home.says(node::Returned{});
  node.answer_all();
  const auto enroll = last_told<node::Enroll>(node);
  cr_assert_eq(enroll.members.size(), 1u);
  cr_assert(enroll.members.front().id == home.ann.member);
}

Test(other_nodes, who_says_at_a_lower_fence_that_it_is_home_hears_of_the_higher_one) {
  DirectoryFixture node;
  Other other(node);
  other.ask_to_join();
  other.fence = 7;
  other.says(other.grants(MemberId{1}, record_of(other.id)));
  const Beneath beneath(node, Uuid::random_v4());
  node.directory().on_envelope(
      {.from = beneath.id, .key = other.key, .fence = 3, .message = node::Moved{}});
  node.answer_all();
  cr_assert(beneath.fences() == std::vector<std::uint64_t>{7});
}

// --- Removed browsers ----------------------------------------------------------------------------

namespace {

constexpr BrowserId bobs_browser{5};

void come(HomeHere& home, std::uint64_t number) {
  node::Join join = home.join(number);
  join.browser = bobs_browser;
  home.says(join);
  home.node.answer_all();
}

}  // namespace

Test(other_nodes, a_browser_that_was_removed_is_refused_wherever_it_comes) {
  DirectoryFixture node;
  HomeHere home(node);
  come(home, 2);
  home.ann_says(KickMessage{last_told<node::Joined>(node).member});
  cr_assert(last_told<node::Close>(node).code == close_code::removed);
  come(home, 3);
  cr_assert(last_told<node::Answer>(node).fault ==
            static_cast<std::uint8_t>(SessionFault::removed));
  const ConnectionRef asker = node.connect();
  node.directory().on_info(home.key, asker, bobs_browser);
  node.directory().on_info(home.key, node.connect(), BrowserId{6});
  node.answer_all();
  cr_assert(node.answer_of<SessionInfo>(asker)->is_removed);
}

Test(other_nodes, an_outpost_says_by_which_cookie_its_members_came) {
  DirectoryFixture node;
  Other other(node);
  const ConnectionRef from = node.connect();
  SessionMachine::JoinRequest request;
  request.browser = bobs_browser;
  node.directory().on_join(other.key, request, from);
  node.answer_all();
  cr_assert(last_told<node::Join>(node).browser == bobs_browser);
  other.says(other.grants(MemberId{3}, record_of(other.id)));
  other.says(node::Moved{});  // it calls the roll
  node.answer_all();
  const auto enroll = last_told<node::Enroll>(node);
  cr_assert_eq(enroll.members.size(), 1u);
  cr_assert(enroll.members.front().browser == bobs_browser);
}
