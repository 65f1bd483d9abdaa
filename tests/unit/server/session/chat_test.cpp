// What was said: who comes later is told, wherever the session is at home by then.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/unit/server/session/other_node.h"

using namespace videosync;
using namespace videosync::test;

namespace {

ChatLine line(std::uint64_t id, std::string text) {
  return {id, MemberId{1}, "Ann", std::move(text), static_cast<std::int64_t>(id)};
}

bool has(const std::string& frame, std::string_view text) {
  return frame.find(text) != std::string::npos;
}

// How many of them have it.
std::size_t count(const std::vector<std::string>& frames, std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(frames, [&](const std::string& frame) { return has(frame, text); }));
}

ConnectionRef join(DirectoryFixture& node, const Uuid& key, std::uint64_t chat_held = 0) {
  const ConnectionRef from = node.connect();
  SessionMachine::JoinRequest request;
  request.chat_held = chat_held;
  node.directory().on_join(key, request, from);
  node.answer_all();
  return from;
}

// An outpost here, with a member who was welcomed when `lines` had been said.
struct OutpostHere : Other {
  ConnectionRef bob;
  OutpostHere(DirectoryFixture& at, std::vector<ChatLine> lines) : Other(at), bob(ask_to_join()) {
    node::Joined joined = grants(MemberId{1}, record_of(id));
    joined.chat = std::move(lines);
    says(std::move(joined));
    cr_assert(node.client(bob).begun.has_value());
  }
};

}  // namespace

Test(chat, a_newcomer_is_told_after_its_welcome_what_it_does_not_have) {
  DirectoryFixture node;
  HomeHere home(node);
  cr_assert(node.client(join(node, home.key)).sent.empty(), "nothing was said");
  home.ann_says(ChatMessage{"one"});
  const std::uint64_t one = last_told<node::Cast>(node).chat.front().id;
  node.pass(100'000);
  home.ann_says(ChatMessage{"two"});
  const auto& all = node.client(join(node, home.key)).sent;
  cr_assert_eq(all.size(), 1u);
  cr_assert(has(all[0], R"("type":"history")") && has(all[0], "one") && has(all[0], "two"));
  const auto& rest = node.client(join(node, home.key, one)).sent;
  cr_assert(rest.size() == 1 && !has(rest[0], "one") && has(rest[0], "two"));
}

Test(chat, another_node_is_told_each_line_and_whom_it_asks_for_what_it_lacks) {
  DirectoryFixture node;
  HomeHere home(node);
  home.ann_says(ChatMessage{"one"});
  const auto cast = last_told<node::Cast>(node);
  cr_assert_eq(cast.chat.size(), 1u);
  cr_assert(cast.frames.empty(), "its bytes are told once");
  cr_assert_eq(count(node.broadcasts, R"("text":"one")"), 1u);
  home.says(home.join(2));
  node.answer_all();
  cr_assert_eq(last_told<node::Joined>(node).chat.size(), 1u);
  node::Join knowing = home.join(3);
  knowing.chat_known = cast.chat.front().id;
  home.says(std::move(knowing));
  node.answer_all();
  cr_assert(last_told<node::Joined>(node).chat.empty());
}

Test(chat, who_may_have_missed_some_is_told_the_latest_again) {
  DirectoryFixture node;
  HomeHere home(node);
  for (int i = 0; i < 30; ++i) {
    home.ann_says(ChatMessage{std::to_string(i)});
    node.pass(50'000);
  }
  home.says(node::Enroll{.members = {{home.bob.member, home.bob.connection, "Bob"}},
                         .is_first = true,
                         .is_last = true,
                         .casts = node::Enroll::all_casts});
  node.answer_all();
  const auto cast = last_told<node::Cast>(node);
  cr_assert(cast.present.has_value());
  cr_assert_eq(cast.chat.size(), 20u);
  cr_assert(cast.chat.back().text == "29");
}

Test(chat, an_outpost_tells_each_line_once_whichever_way_it_comes) {
  DirectoryFixture node;
  OutpostHere other(node, {line(5, "five")});
  cr_assert_eq(count(node.client(other.bob).sent, "five"), 1u);
  cr_assert_eq(count(node.broadcasts, "five"), 0u, "nobody was here to hear it");
  other.says(node::Cast{.number = 1, .chat = {line(5, "five"), line(6, "six")}});
  other.says(node::Cast{.number = 2, .chat = {line(6, "six")}});
  cr_assert_eq(count(node.broadcasts, "five"), 0u);
  cr_assert_eq(count(node.broadcasts, "six"), 1u);

  const ConnectionRef cem = other.ask_to_join();
  cr_assert_eq(last_told<node::Join>(node).chat_known, 6u);
  node::Joined joined = other.grants(MemberId{2}, record_of(other.id));
  joined.chat = {line(7, "seven")};
  joined.casts = 2;
  other.says(std::move(joined));
  cr_assert_eq(count(node.broadcasts, "seven"), 1u, "it overtook its cast");
  cr_assert(has(node.client(cem).sent.at(0), "five") && has(node.client(cem).sent[0], "seven"));
  other.says(node::Cast{.number = 3, .chat = {line(7, "seven")}});
  cr_assert_eq(count(node.broadcasts, "seven"), 1u);
}

Test(chat, who_takes_a_session_over_tells_what_its_members_have_heard) {
  DirectoryFixture node;
  OutpostHere other(node, {line(5, "five")});
  other.says(node::Cast{.number = 1, .chat = {line(6, "six")}});
  node.directory().on_node_lost(other.id);
  node.pass(4 * seconds);
  node.answer_all();
  const ConnectionRef dan = join(node, other.key);
  const auto& sent = node.client(dan).sent;
  cr_assert(sent.size() == 1 && has(sent[0], "five") && has(sent[0], "six"));
  const auto& bob = *node.client(other.bob).begun;
  node.directory().on_message(other.key, bob.member, bob.number, other.bob, ChatMessage{"seven"});
  node.answer_all();
  cr_assert_eq(count(node.broadcasts, "seven"), 1u);
  cr_assert(has(node.client(join(node, other.key)).sent.at(0), "seven"));
}

Test(chat, it_is_still_known_where_the_session_has_moved_away_from) {
  DirectoryFixture node;
  HomeHere home(node);
  home.ann_says(ChatMessage{"one"});
  home.fence = node.stored_version(home.key).fence + 1;
  home.says(node::Moved{});
  node.answer_all();
  const ConnectionRef dan = home.ask_to_join();
  home.says(home.grants(MemberId{9}, record_of(home.id)));
  cr_assert_eq(count(node.client(dan).sent, "one"), 1u);
}
