// What is remembered of the chat: the latest, each line once, in order, within its bounds.
#include "proto/session/chat_history.h"

#include <criterion/criterion.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/proto/session/session_fixture.h"

using namespace videosync;

namespace {

ChatLine line(std::uint64_t id, std::string text = "hello") {
  return {id, MemberId{1}, "Ann", std::move(text), static_cast<std::int64_t>(id)};
}

std::string ids_of(const std::vector<ChatLine>& lines) {
  std::string ids;
  for (const ChatLine& each : lines)
    ids += std::to_string(each.id) + " ";
  return ids;
}

}  // namespace

Test(chat_history, lines_stand_in_their_order_and_each_once) {
  ChatHistory chat;
  cr_assert(chat.empty() && chat.newest() == 0);
  for (const std::uint64_t id : {5, 9, 7})
    cr_assert(chat.add(line(id)));
  cr_assert_not(chat.add(line(7, "again")));
  cr_assert_eq(ids_of(chat.after(0)), "5 7 9 ");
  cr_assert_eq(ids_of(chat.after(5)), "7 9 ");
  cr_assert_eq(ids_of(chat.after(6)), "7 9 ");
  cr_assert_eq(ids_of(chat.after(9)), "");
  cr_assert_eq(ids_of(chat.after(0, 2)), "7 9 ", "the newest");
  cr_assert_eq(chat.newest(), 9u);
}

Test(chat_history, an_id_is_the_time_and_never_given_twice) {
  ChatHistory chat;
  cr_assert_eq(chat.next_id(1'000), 1'000u);
  chat.add(line(1'000));
  cr_assert_eq(chat.next_id(1'000), 1'001u);
  cr_assert_eq(chat.next_id(900), 1'001u, "also where another place was ahead");
  cr_assert_eq(chat.next_id(2'000), 2'000u);
}

Test(chat_history, the_oldest_of_a_hundred_goes_and_does_not_come_back) {
  ChatHistory chat;
  for (std::uint64_t id = 1; id <= 101; ++id)
    chat.add(line(id));
  cr_assert_eq(chat.lines().size(), 100u);
  cr_assert_eq(chat.lines().front().id, 2u);
  cr_assert_not(chat.add(line(1)));
}

Test(chat_history, long_lines_are_fewer) {
  ChatHistory chat;
  for (std::uint64_t id = 1; id <= 100; ++id)
    chat.add(line(id, std::string(500, '\x01')));
  std::size_t bytes = 0;
  for (const ChatLine& each : chat.lines())
    bytes += 6 * each.text.size();
  cr_assert(bytes <= ChatHistory::bytes_max && chat.lines().size() >= 9, "as they are told");
  cr_assert_eq(chat.newest(), 100u);
  chat.add(line(101, std::string(ChatHistory::bytes_max, '.')));
  cr_assert(chat.empty() && chat.newest() == 101);
}

// VIDEOSYNC_TEST_SEED chooses another walk.
Test(chat_history, it_agrees_with_a_naive_model) {
  const char* given = std::getenv("VIDEOSYNC_TEST_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 4711;
  std::mt19937_64 random(seed);
  ChatHistory chat;
  std::map<std::uint64_t, bool> known;  // every line ever: whether it is still there
  std::uint64_t gone = 0, around = 1;
  for (int step = 0; step < 20'000; ++step) {
    around += random() % 3;
    const std::uint64_t id = 1 + around + random() % 150;
    const bool is_new = id > gone && known.try_emplace(id, true).second;
    cr_assert_eq(chat.add(line(id)), is_new, "seed %llu, step %d",
                 static_cast<unsigned long long>(seed), step);
    auto count = std::count_if(known.begin(), known.end(), [](auto& each) { return each.second; });
    for (auto& [each, is_there] : known) {
      if (count <= 100) break;
      if (!std::exchange(is_there, false)) continue;
      gone = each;
      --count;
    }
    std::string expected;
    for (const auto& [each, is_there] : known)
      if (is_there) expected += std::to_string(each) + " ";
    if (step % 50 == 0) cr_assert_eq(ids_of(chat.after(0)), expected);
  }
}

Test(chat_history, a_session_remembers_what_is_said_and_goes_on_above_what_it_is_told) {
  SessionFixture t;
  const auto ann = t.join("Ann");
  t.say(ann.id, ChatMessage{"one"});
  const std::uint64_t first = t.only<ChatEffect>().id;
  cr_assert_eq(first, static_cast<std::uint64_t>(t.now));
  ChatHistory told;
  told.add(line(first - 5, "before"));
  told.add(line(first + 5, "from a place whose clock is ahead"));
  t.machine->learn_chat(told);
  t.say(ann.id, ChatMessage{"two"});
  cr_assert_eq(t.only<ChatEffect>().id, first + 6);
  cr_assert_eq(t.machine->chat().lines().size(), 4u);
  cr_assert(t.machine->encode().find("two") == std::string::npos, "nothing of it is stored");
}
