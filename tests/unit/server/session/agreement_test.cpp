// That two nodes agree again: by lists of what they share, by a roll that is called twice, by who
// has only come back elsewhere, and by a drain that leaves nothing behind.
#include <algorithm>
#include <optional>
#include <string>

#include "tests/unit/server/session/other_node.h"

using namespace videosync;
using namespace videosync::test;

namespace {

constexpr std::uint64_t no_hash = 7;  // of nothing that any node has

// The nodes that were told who is home, each for itself: who takes a session over tells all of it.
std::vector<Uuid> told_who_is_home(const DirectoryFixture& node) {
  std::vector<Uuid> nodes;
  for (std::size_t i = 0; i < node.said.size(); ++i)
    if (std::holds_alternative<node::Moved>(node.said[i].message) &&
        node.said_to[i] != node.said[i].key)
      nodes.push_back(node.said_to[i]);
  return nodes;
}

// What another node lists of sessions at home here.
struct Lister {
  DirectoryFixture& node;
  Uuid id = Uuid::random_v4();

  explicit Lister(DirectoryFixture& at) : node(at) { follow(); }
  Lister(DirectoryFixture& at, const Uuid& known) : node(at), id(known) {}

  void follow() const {
    node.store.follow(id, [](Result<>) noexcept {});
    node.answer_all();
  }
  // A list of the bucket in which `key` is, made now.
  node::DigestList list(const Uuid& key) const {
    return {.gathered_us = node.clock.monotonic_us(),
            .bucket = static_cast<std::uint32_t>(SharedSums::bucket_of(key)),
            .worker = 0,
            .workers = 1,
            .is_whole = true,
            .entries = {}};
  }
  node::DigestList list(const Uuid& key, std::uint64_t hash) const {
    node::DigestList made = list(key);
    made.entries.push_back({key, hash});
    return made;
  }
  void says(const node::DigestList& list) const {
    node.directory().compare_list(id, list);
    node.turn();
    node.answer_all();
  }
};

// A home with a member of another node, all of it said and heard.
struct Shared {
  DirectoryFixture node;
  HomeHere home{node};
  Lister lister{node, home.id};

  Shared() {
    node.pass(seconds);
    node.answer_all();
    node.pass(seconds);
  }
  // As both nodes have the session when they agree.
  std::uint64_t hash() {
    node.directory().collect_sums(1);
    node.turn();
    cr_assert_eq(node.sums.size(), 1u);
    return node.sums.front().sums[SharedSums::bucket_of(home.key)];
  }
  std::uint64_t mended() const { return node.count(Counter::sessions_mended); }
};

}  // namespace

// --- Lists --------------------------------------------------------------------------------------

Test(agreement, a_session_that_is_listed_as_it_is_here_is_left_alone) {
  Shared shared;
  shared.lister.says(shared.lister.list(shared.home.key, shared.hash()));
  cr_assert(told_who_is_home(shared.node).empty());
  cr_assert_eq(shared.mended(), 0u);
}

Test(agreement, a_session_that_is_listed_otherwise_is_told_again) {
  Shared shared;
  shared.lister.says(shared.lister.list(shared.home.key, no_hash));
  cr_assert(told_who_is_home(shared.node) == std::vector{shared.home.id});
  cr_assert_eq(shared.mended(), 1u);
}

Test(agreement, a_session_that_a_whole_list_lacks_is_told_again) {
  Shared shared;
  shared.lister.says(shared.lister.list(shared.home.key));
  cr_assert(told_who_is_home(shared.node) == std::vector{shared.home.id});
}

Test(agreement, a_list_that_is_cut_says_nothing_of_what_it_lacks) {
  Shared shared;
  node::DigestList cut = shared.lister.list(shared.home.key);
  cut.is_whole = false;
  shared.lister.says(cut);
  cr_assert(told_who_is_home(shared.node).empty());
}

Test(agreement, a_list_of_other_sessions_says_nothing_of_this_one) {
  Shared shared;
  node::DigestList beside = shared.lister.list(shared.home.key);
  beside.bucket = (beside.bucket + 1) % SharedSums::buckets;
  shared.lister.says(beside);
  node::DigestList elsewhere = shared.lister.list(shared.home.key);
  elsewhere.workers = 2;
  elsewhere.worker = worker_of(shared.home.key, 2) == 0 ? 1 : 0;
  shared.lister.says(elsewhere);
  cr_assert(told_who_is_home(shared.node).empty());
}

// Its enrolling was lost, so this home takes nobody there for a member; but it shares the session
// with another node.
Test(agreement, what_a_third_node_lists_is_told_to_it) {
  Shared shared;
  const Lister third(shared.node);
  third.says(third.list(shared.home.key, no_hash));
  cr_assert(told_who_is_home(shared.node) == std::vector{third.id});
  cr_assert_eq(shared.mended(), 1u);
}

Test(agreement, what_is_listed_of_a_session_that_is_shared_with_nobody_is_told) {
  DirectoryFixture node;
  const Uuid key = node.create();
  node.join(key);
  const Lister lister(node);
  lister.says(lister.list(key, no_hash));
  cr_assert(told_who_is_home(node) == std::vector{lister.id});
  cr_assert_eq(node.count(Counter::sessions_mended), 1u);
}

Test(agreement, what_was_said_after_the_list_is_compared_the_next_time) {
  Shared shared;
  const node::DigestList list = shared.lister.list(shared.home.key, no_hash);
  shared.node.pass(seconds / 10);
  shared.home.ann_says(ChatMessage{"hello"});
  shared.lister.says(list);
  cr_assert(told_who_is_home(shared.node).empty());
  cr_assert(shared.node.compared_again == std::vector{shared.home.id});
  cr_assert_eq(shared.mended(), 0u);
}

// What goes with it is said without it where the store refuses it.
Test(agreement, so_is_what_a_change_that_is_not_answered_tells) {
  DirectoryFixture node;
  const Uuid key = node.create();
  const DirectoryFixture::Begun ann = node.join(key);
  const Lister lister(node);
  node.directory().on_message(key, ann.member, ann.number, {}, PlayMessage{});
  lister.says(lister.list(key, no_hash));
  cr_assert(told_who_is_home(node).empty());
  cr_assert(node.compared_again == std::vector{lister.id});
  lister.says(lister.list(key, no_hash));
  cr_assert(told_who_is_home(node) == std::vector{lister.id}, "by now it is answered");
}

Test(agreement, who_lists_what_is_not_at_home_here_is_told_so) {
  DirectoryFixture node;
  Other other(node);
  other.fence = 7;
  other.ask_to_join();
  other.says(other.grants(MemberId{1}, record_of(other.id)));
  const Lister lister(node);
  node.said.clear();
  node::DigestList list = lister.list(other.key, no_hash);
  list.entries.push_back({Uuid::random_v4(), no_hash});
  lister.says(list);
  const auto returned = told<node::Returned>(node);
  cr_assert_eq(returned.size(), 2u);
  cr_assert_eq(returned.front().fence, 7u, "where there is a later home");
  cr_assert_eq(returned.back().fence, 0u);
}

// --- The roll -----------------------------------------------------------------------------------

namespace {

// The store is back, and homes have called the roll.
void call_roll(DirectoryFixture& node) {
  node.directory().on_store_lost();
  node.directory().on_store_ready();
  node.pass(300'000);  // a few homes at each tick
  node.answer_all();
  const auto cast = last_told<node::Cast>(node);
  cr_assert(cast.present.has_value());
  cr_assert(cast.present->is_roll_call);
}

}  // namespace

Test(agreement, who_has_not_answered_the_roll_is_asked_again) {
  DirectoryFixture node;
  HomeHere home(node);
  call_roll(node);
  node.pass(300'000);
  node.answer_all();
  cr_assert(told_who_is_home(node).empty(), "it may be on its way");
  node.pass(500'000);
  node.answer_all();
  cr_assert(told_who_is_home(node) == std::vector{home.id});
  node.pass(700'000);
  node.answer_all();
  cr_assert_eq(told_who_is_home(node).size(), 1u, "once");
}

Test(agreement, who_has_answered_the_roll_is_not) {
  DirectoryFixture node;
  HomeHere home(node);
  call_roll(node);
  home.says(node::Enroll{.members = {{home.bob.member, home.bob.connection, "Bob"}},
                         .is_first = true,
                         .is_last = true,
                         .casts = last_told<node::Cast>(node).number});
  node.pass(1'500'000);
  node.answer_all();
  cr_assert(told_who_is_home(node).empty());
}

// --- Who has come back elsewhere ----------------------------------------------------------------

namespace {

// An outpost of Ann and Bob, where Ann's connection has ended, and whose home dies.
struct Left {
  static constexpr MemberId ann{1}, bob{2};

  DirectoryFixture node;
  Other other{node};
  ConnectionNumber number;  // of Ann's

  Left() {
    number = joins(ann);
    joins(bob);
    node.directory().on_leave(other.key, ann, number);
    node.answer_all();
  }
  ConnectionNumber joins(MemberId member) {
    const ConnectionRef from = other.ask_to_join();
    SessionRecord record;
    record.next_member_id = 10;
    record.occupied = true;
    node::Joined joined = other.grants(
        member, encode(StoredSession{.home = other.id, .heard = {}, .record = record}));
    joined.revision = 2;  // newer than what the store has
    joined.members = {{ann, "Ann"}, {bob, "Bob"}};
    other.says(joined);
    cr_assert(node.client(from).begun.has_value());
    return node.client(from).begun->number;
  }
  // How many this node takes for members when it has become the home.
  std::uint32_t members_after_take_over() {
    node.directory().on_node_lost(other.id);
    node.pass(4 * seconds - 50'000);
    node.store.answer_all();
    node.turn();
    node.answer_all();
    const ConnectionRef from = node.connect();
    node.directory().on_info(other.key, from);
    node.answer_all();
    const auto info = node.answer_of<SessionInfo>(from);
    cr_assert(info.has_value());
    return info->members;
  }
};

}  // namespace

Test(agreement, who_has_left_here_is_no_member_after_a_take_over) {
  Left left;
  cr_assert_eq(left.members_after_take_over(), 1u);
}

Test(agreement, who_has_come_back_elsewhere_has_not_left) {
  Left left;
  left.other.says(node::Close{Left::ann, left.number, close_code::connected_elsewhere});
  cr_assert_eq(left.members_after_take_over(), 2u, "until it is known who is there");
}

// --- Draining -----------------------------------------------------------------------------------

Test(agreement, a_node_does_not_end_before_the_store_has_what_it_refused) {
  DirectoryFixture node;
  HomeHere home(node);
  cr_assert(node.directory().is_settled());
  node.store.is_away = true;  // it refuses, though it is there
  home.ann_says(PlayMessage{});
  cr_assert(!node.directory().is_settled(), "nobody else may know of it");
  node.store.is_away = false;
  node.pass(1'500'000);  // it is tried again
  node.answer_all();
  cr_assert(node.directory().is_settled());
}
