// What a node keeps of sessions that nobody here has open any more.
#include <string>
#include <vector>

#include "tests/support/recorded_log.h"
#include "tests/unit/server/session/other_node.h"

using namespace videosync;
using namespace videosync::test;

namespace {

// It has been in a session that is at home elsewhere, alone here, and has left.
void come_and_go(DirectoryFixture& node, Other& other) {
  const ConnectionRef from = other.ask_to_join();
  other.says(other.grants(MemberId{1}, record_of(other.id)));
  const auto ann = node.client(from).begun;
  cr_assert(ann.has_value());
  node.directory().on_leave(other.key, ann->member, ann->number);
  node.answer_all();
}

// Another store is there, which has nothing, or that session as it was made.
void fail_over(DirectoryFixture& node, const Uuid& has = {}) {
  node.store.is_away = true;
  node.directory().on_store_lost();
  node.store.forget_all();
  node.store.is_away = false;
  if (has != Uuid{}) {
    node.store.create(has, {1, 1}, BufferRef::copy_of(record_of({})), 600 * seconds,
                      [](Result<> made) noexcept { cr_assert(made.has_value()); });
    node.store.answer_all();
  }
  node.directory().on_store_ready();
  node.answer_all();
}

}  // namespace

// So many copies a worker keeps.
constexpr std::size_t copies_max = 10'000;

Test(copies, a_copy_for_which_there_is_no_room_is_counted_and_told_of) {
  DirectoryFixture node;
  node.directory().on_store_judged(true);  // it may lack sessions
  node.said.clear();
  const Uuid home = Uuid::random_v4();
  node.store.follow(home, [](Result<>) noexcept {});
  for (std::size_t i = 0; i < copies_max + 2; ++i) {
    const Uuid key = Uuid::random_v4();
    node.store.create(key, {1, 1}, BufferRef::copy_of(record_of(home)), 600 * seconds,
                      [](Result<>) noexcept {});
    node.store.answer_all();
    node.directory().on_info(key, node.connect());
  }
  node.answer_all();
  const auto asked = told<node::AskInfo>(node);
  cr_assert_eq(asked.size(), copies_max + 2);
  node.store.is_away = true;
  node.directory().on_store_lost();
  RecordedLog log;
  for (const node::Envelope& envelope : asked) {
    const auto& ask = std::get<node::AskInfo>(envelope.message).ask;
    const auto say = [&](node::Message message) {
      node.directory().on_envelope(
          {.from = home, .key = envelope.key, .fence = 1, .message = std::move(message)});
    };
    say(node::Cast{.number = 1, .record = record_of(home)});
    say(node::Answer{.ask = ask});
  }
  cr_assert_eq(node.metrics().total(Counter::copies_dropped), 2u);
  const std::string text = log.read_all();
  const std::string_view line = "sessions that the store may lack are forgotten";
  const std::size_t at = text.find(line);
  cr_assert(at != text.npos, "got <%s>", text.c_str());
  cr_assert(text.find(line, at + 1) == text.npos, "once a while");
}

// A store that is known to lack nothing: its nodes have been there for a while.
constexpr std::int64_t settled_us = 4 * seconds;

Test(copies, what_the_store_has_it_may_lose_to_a_failover_that_nobody_has_heard_of) {
  DirectoryFixture node;
  Other other(node);
  node.pass(settled_us);
  come_and_go(node, other);
  const StoreVersion known = node.stored_version(other.key);
  fail_over(node);
  cr_assert(node.stored_version(other.key) == known, "it has been brought back");
}

Test(copies, a_failover_long_after_has_had_all) {
  DirectoryFixture node;
  Other other(node);
  node.pass(settled_us);
  come_and_go(node, other);
  node.pass(11 * seconds);
  fail_over(node);
  cr_assert(node.stored_version(other.key) == StoreVersion{}, "nobody keeps it for ever");
}

Test(copies, it_is_kept_no_longer_for_being_asked_about) {
  DirectoryFixture node;
  Other other(node);
  node.pass(settled_us);
  come_and_go(node, other);
  node.directory().on_node_lost(other.id);  // so the record says it all
  for (int i = 0; i < 3; ++i) {
    node.pass(4 * seconds);
    const ConnectionRef from = node.connect();
    node.directory().on_info(other.key, from);
    node.answer_all();
    cr_assert(node.answer_of<SessionInfo>(from).has_value());
  }
  fail_over(node);
  cr_assert(node.stored_version(other.key) == StoreVersion{});
}

Test(copies, who_comes_back_meanwhile_finds_what_was_known) {
  DirectoryFixture node;
  Other other(node);
  node.pass(settled_us);
  come_and_go(node, other);
  node.store.forget_all();
  node.directory().on_node_lost(other.id);
  const ConnectionRef from = other.ask_to_join();
  cr_assert(node.client(from).begun.has_value(), "not denied, though the store does not have it");
}

Test(copies, what_has_ended_is_not_brought_back) {
  DirectoryFixture node;
  Other other(node);
  node.pass(settled_us);
  come_and_go(node, other);
  node.store.remove(other.key, {1, 2}, {}, [](Result<> done) noexcept { cr_assert(done); });
  node.answer_all();
  node.store.is_away = true;
  node.directory().on_store_lost();
  node.store.is_away = false;
  node.directory().on_store_ready();
  node.answer_all();
  cr_assert(node.stored_version(other.key) == StoreVersion{});
  const ConnectionRef from = node.connect();
  node.directory().on_validate(other.key, from);
  node.answer_all();
  cr_assert(!node.answer_of<SessionValidity>(from)->key);
}

Test(copies, an_end_that_a_failover_loses_is_told_again) {
  DirectoryFixture node;
  node.pass(settled_us);
  const Uuid key = Uuid::random_v4();
  const ConnectionRef maker = node.connect();
  node.directory().on_create(key, {}, maker);
  node.answer_all();
  node.join(key);
  const ConnectionRef from = node.connect();
  node.directory().on_delete(key, node.answer_of<SessionCreated>(maker)->host_token, from);
  node.answer_all();
  cr_assert(node.answer_of<SessionDeleted>(from).has_value());
  fail_over(node, key);
  cr_assert(node.stored_version(key) == StoreVersion{}, "it has ended, and stays so");
}
