// What a node among others makes of doubts: whether it is still a session's home, and whether the
// store has all that there is.
#include <string>
#include <vector>

#include "tests/unit/server/session/directory_fixture.h"

using namespace videosync;
using namespace videosync::test;

namespace {

constexpr std::int64_t second_us = 1'000'000;
// Soon after a session has come here it does not move again.
constexpr std::int64_t settled_us = 1 * second_us;
// Of a node that has just come to the store: it may lack sessions so long.
constexpr std::int64_t doubt_us = 3'500'000;
constexpr std::int64_t deadline_us = 5 * second_us;
// It looks so often whether a doubt has ended.
constexpr std::int64_t tick_us = second_us / 4;
constexpr std::size_t waiting_max = 1'000;

std::uint64_t epoch_of(const DirectoryFixture::Begun& begun) {
  const std::string name = R"("epoch":)";
  const std::size_t at = begun.welcome.find(name);
  cr_assert(at != std::string::npos, "%s", begun.welcome.c_str());
  return std::stoull(begun.welcome.substr(at + name.size()));
}

std::uint32_t members_by(DirectoryFixture& node, const Uuid& key) {
  const ConnectionRef from = node.connect();
  node.directory().on_info(key, from);
  const auto info = node.answer_of<SessionInfo>(from);
  cr_assert(info.has_value(), "it is not at home here");
  return info->members;
}

ConnectionRef validate(DirectoryFixture& node, const Uuid& key) {
  const ConnectionRef from = node.connect();
  node.directory().on_validate(key, from);
  return from;
}

std::vector<ConnectionRef> validate_unknown(DirectoryFixture& node, std::size_t times) {
  std::vector<ConnectionRef> asked;
  for (std::size_t i = 0; i < times; ++i)
    asked.push_back(validate(node, Uuid::random_v4()));
  node.answer_all();
  return asked;
}

// Another node takes the session over, and this one does not hear of it.
void take_elsewhere(DirectoryFixture& node, const Uuid& key, const Uuid& home) {
  const StoreVersion known = node.stored_version(key);
  const StoreVersion next{known.fence + 256, known.revision + 1};
  const StoredSession taken{.home = home, .heard = {}, .record = {}};
  node.store.change(key, known, next, BufferRef::copy_of(encode(taken)), 60 * second_us, {},
                    [](Result<> done) noexcept { cr_assert(done.has_value()); });
  node.store.answer_all();
}

}  // namespace

// --- A home that is behind what a member has seen ------------------------------------------------

Test(session_directory, a_home_that_is_behind_begins_anew_above_what_was_seen) {
  DirectoryFixture node;
  const Uuid key = node.create();
  node.join(key);  // who stays, and knows the session
  const auto ann = node.join(key);
  node.pass(settled_us);
  const StoreVersion before = node.stored_version(key);
  // Another clock may be ahead of this one.
  const HeldState held{static_cast<std::uint64_t>(node.clock.server_us()) + 500'000, 3};
  const ConnectionRef back = node.resume(key, ann.member, held);
  cr_assert_not(node.is_answered(back), "the store decides who is home");
  node.answer_all();
  const auto begun = node.client(back).begun;
  cr_assert(begun.has_value());
  cr_assert(begun->member == ann.member && begun->number != ann.number);
  cr_assert_gt(epoch_of(*begun), held.epoch);
  cr_assert_gt(node.stored_version(key).fence, before.fence, "whoever was home before gives way");
  cr_assert_eq(members_by(node, key), 2u);
}

Test(session_directory, a_home_without_anybody_else_begins_anew_too) {
  DirectoryFixture node;
  const Uuid key = node.create();
  const auto ann = node.join(key);
  node.directory().on_leave(key, ann.member, ann.number);
  node.answer_all();
  node.pass(settled_us);
  const HeldState held{epoch_of(ann) + 1, 0};
  const ConnectionRef back = node.resume(key, ann.member, held);
  node.answer_all();
  const auto begun = node.client(back).begun;
  cr_assert(begun.has_value());
  cr_assert_gt(epoch_of(*begun), held.epoch);
}

Test(session_directory, a_home_that_has_been_taken_over_gives_way_to_who_has_seen_more) {
  DirectoryFixture node;
  const Uuid key = node.create(), other = Uuid::random_v4();
  node.store.follow(other, [](Result<>) noexcept {});
  const auto ann = node.join(key);
  node.pass(settled_us);
  take_elsewhere(node, key, other);
  const ConnectionRef back = node.resume(key, ann.member, {epoch_of(ann) + 1, 0});
  node.answer_all();
  cr_assert_not(node.is_answered(back));
  const auto is_join = [&](const node::Envelope& envelope) {
    return envelope.from == node.self() && std::holds_alternative<node::Join>(envelope.message);
  };
  cr_assert(std::ranges::any_of(node.said, is_join), "the other home is asked");
}

Test(session_directory, a_home_does_not_begin_anew_while_the_store_is_away) {
  DirectoryFixture node;
  const Uuid key = node.create();
  const auto ann = node.join(key);
  const HeldState held{epoch_of(ann) + 1, 0};
  cr_assert(is_unavailable(node, node.resume(key, ann.member, held)), "it has just come here");
  node.pass(settled_us);
  const StoreVersion before = node.stored_version(key);

  node.store.is_away = true;
  node.directory().on_store_lost();
  cr_assert(is_unavailable(node, node.resume(key, ann.member, held)));
  cr_assert_eq(members_by(node, key), 1u, "it goes on");
  // Back: it is not known yet what it has.
  node.store.is_away = false;
  node.directory().on_store_ready();
  cr_assert(is_unavailable(node, node.resume(key, ann.member, held)));
  cr_assert_eq(members_by(node, key), 1u);
  node.pass(tick_us);
  node.answer_all();
  cr_assert_eq(node.stored_version(key).fence, before.fence);

  const ConnectionRef back = node.resume(key, ann.member, held);
  node.answer_all();
  cr_assert(node.client(back).begun.has_value(), "it is known now");
  cr_assert_gt(node.stored_version(key).fence, before.fence);
}

Test(session_directory, a_home_that_came_here_as_the_store_was_lost_stays) {
  DirectoryFixture node;
  const Uuid key = node.create();
  const ConnectionRef from = node.connect();
  node.directory().on_join(key, {}, from);
  node.store.answer_all();  // nobody is home
  node.directory().on_store_lost();
  node.answer_all();  // this node is, before the store was away
  const auto ann = node.client(from).begun;
  cr_assert(ann.has_value());
  node.store.is_away = true;
  node.pass(settled_us);
  cr_assert(is_unavailable(node, node.resume(key, ann->member, {epoch_of(*ann) + 1, 0})));
  cr_assert_eq(members_by(node, key), 1u);
}

// --- Information of a home without members -------------------------------------------------------

Test(session_directory, a_home_without_members_asks_the_store_before_it_informs) {
  DirectoryFixture node;
  const Uuid key = node.create();
  const auto ann = node.join(key);
  cr_assert_eq(members_by(node, key), 1u, "with one it is the home's to say");
  node.directory().on_leave(key, ann.member, ann.number);
  node.answer_all();

  const ConnectionRef first = node.connect();
  node.directory().on_info(key, first);
  cr_assert_not(node.is_answered(first));
  node.answer_all();
  cr_assert_eq(node.answer_of<SessionInfo>(first)->members, 0u);
  // A store that cannot say is no reason to know nothing.
  const ConnectionRef second = node.connect();
  node.directory().on_info(key, second);
  node.store.is_away = true;
  node.answer_all();
  cr_assert_eq(node.answer_of<SessionInfo>(second)->members, 0u);
}

Test(session_directory, a_home_without_members_gives_way_to_a_higher_fence) {
  DirectoryFixture node;
  const Uuid key = node.create(), other = Uuid::random_v4();
  node.store.follow(other, [](Result<>) noexcept {});
  const auto ann = node.join(key);
  node.directory().on_leave(key, ann.member, ann.number);
  node.answer_all();
  take_elsewhere(node, key, other);

  const ConnectionRef from = node.connect();
  node.directory().on_info(key, from);
  node.answer_all();
  cr_assert_not(node.is_answered(from));
  cr_assert(!node.said.empty() && node.said.back().from == node.self());
  const auto* asked = std::get_if<node::AskInfo>(&node.said.back().message);
  cr_assert(asked != nullptr, "the other home is asked");
  node::Info info;
  info.members = 5;
  node.directory().on_envelope({.from = other,
                                .key = key,
                                .fence = node.stored_version(key).fence,
                                .message = node::Answer{asked->ask, {}, info}});
  cr_assert_eq(node.answer_of<SessionInfo>(from)->members, 5u);
}

// --- Keys that the store may be about to learn ---------------------------------------------------

// Who would have written the session back cannot do so as long as nothing is answered.
Test(session_directory, while_the_store_hangs_a_doubt_does_not_end) {
  DirectoryFixture node;
  node.pass(doubt_us - tick_us);
  const ConnectionRef from = node.connect();
  node.directory().on_join(Uuid::random_v4(), {}, from);
  node.pass(3 * tick_us);  // nothing is answered
  node.answer_all();
  std::int64_t waited_us = 0;
  for (; !node.is_answered(from) && waited_us < deadline_us; waited_us += tick_us) {
    node.pass(tick_us);
    node.answer_all();
  }
  cr_assert(node.answer_of<SessionFault>(from) == SessionFault::not_found);
  cr_assert_geq(waited_us, doubt_us);
  cr_assert_leq(waited_us, doubt_us + 2 * tick_us);
}

Test(session_directory, so_many_wait_for_whether_a_key_is_valid_and_no_more) {
  DirectoryFixture node;
  const auto waiting = validate_unknown(node, waiting_max);
  for (const ConnectionRef from : waiting)
    cr_assert_not(node.is_answered(from));
  const auto refused = validate_unknown(node, 1);
  cr_assert(is_unavailable(node, refused.front()), "at once");
  // What is known needs no place.
  const Uuid made = node.create();
  const ConnectionRef known = validate(node, made);
  node.answer_all();
  cr_assert(node.answer_of<SessionValidity>(known)->key.has_value());

  node.pass(doubt_us + tick_us);
  node.answer_all();
  for (const ConnectionRef from : waiting) {
    const auto told = node.answer_of<SessionValidity>(from);
    cr_assert(told && !told->key);
  }
  const auto later = validate_unknown(node, 1);
  cr_assert(node.answer_of<SessionValidity>(later.front()), "nothing is in doubt any more");
}

Test(session_directory, who_waits_for_a_key_that_comes_is_told_so) {
  DirectoryFixture node;
  const Uuid key = Uuid::random_v4();
  const ConnectionRef from = validate(node, key);
  node.answer_all();
  cr_assert_not(node.is_answered(from));
  const StoredSession brought{.home = Uuid::random_v4(), .heard = {}, .record = {}};
  node.store.create(key, {1, 1}, BufferRef::copy_of(encode(brought)), 60 * second_us,
                    [](Result<> done) noexcept { cr_assert(done.has_value()); });
  node.answer_all();
  node.pass(doubt_us + tick_us);
  node.answer_all();
  cr_assert(node.answer_of<SessionValidity>(from)->key.has_value());
}

Test(session_directory, a_doubt_that_lasts_ends_with_the_deadline_and_frees_the_places) {
  DirectoryFixture node;
  node.directory().on_store_judged(true);
  const auto waiting = validate_unknown(node, waiting_max);
  node.pass(deadline_us - second_us / 2);
  node.answer_all();
  for (const ConnectionRef from : waiting)
    cr_assert_not(node.is_answered(from));
  node.pass(second_us / 2 + tick_us);
  for (const ConnectionRef from : waiting)
    cr_assert(is_unavailable(node, from));
  const auto next = validate_unknown(node, waiting_max);
  for (const ConnectionRef from : next)
    cr_assert_not(node.is_answered(from));
  node.directory().on_store_judged(false);
  node.pass(tick_us);
  node.answer_all();
  for (const ConnectionRef from : next)
    cr_assert(node.answer_of<SessionValidity>(from));
}

// --- What two nodes agree on ---------------------------------------------------------------------

namespace {

// Ann at home here, Ben on another node that lists the session otherwise than it is here.
struct Shared {
  DirectoryFixture node;
  const Uuid key = node.create();
  const Uuid other = Uuid::random_v4();
  const DirectoryFixture::Begun ann = node.join(key);

  Shared() {
    node.store.follow(other, [](Result<>) noexcept {});
    node.directory().on_envelope(
        {.from = other,
         .key = key,
         .fence = node.stored_version(key).fence,
         .message = node::Enroll{.members = {{MemberId{7}, ConnectionNumber{70}, "Ben"}},
                                 .is_first = true,
                                 .is_last = true,
                                 .casts = 0}});
    node.answer_all();
    node.pass(1 * second_us);
  }
  std::int64_t now_us() const { return node.clock.monotonic_us(); }
  void seek() {
    node.directory().on_message(key, ann.member, ann.number, {}, ClientMessage{SeekMessage{30}});
    node.turn();
  }
  // Whether a list that answers a digest of then makes it tell the session anew.
  bool mends(std::int64_t gathered_us) {
    const std::uint64_t before = node.count(Counter::sessions_mended);
    node.directory().compare_list(other,
                                  {.gathered_us = gathered_us,
                                   .bucket = static_cast<std::uint32_t>(SharedSums::bucket_of(key)),
                                   .worker = 0,
                                   .workers = 1,
                                   .is_whole = true,
                                   .entries = {{key, 1}}});
    return node.count(Counter::sessions_mended) > before;
  }
};

}  // namespace

Test(session_directory, what_may_be_on_its_way_to_a_node_is_not_told_it_anew) {
  Shared session;
  const std::int64_t before_us = session.now_us();
  session.node.pass(1 * second_us);
  session.seek();
  session.node.answer_all();
  // However late it comes: what lies between may stand still.
  session.node.pass(1 * second_us);
  cr_assert_not(session.mends(before_us), "the seek was said later");
  cr_assert(session.mends(session.now_us()), "it has heard of the seek, and has it otherwise");
}

Test(session_directory, what_the_store_refuses_is_said_later_than_it_was_done) {
  Shared session;
  session.node.store.is_away = true;
  session.seek();
  session.node.pass(1 * second_us);
  const std::int64_t before_us = session.now_us();
  cr_assert_not(session.mends(before_us), "it goes with the change, which has no answer yet");
  session.node.pass(1 * second_us);
  session.node.store.answer_all();
  session.node.store.is_away = false;
  session.node.answer_all();
  cr_assert_not(session.mends(before_us), "it was said only when the store had refused it");
  cr_assert(session.mends(session.now_us() + 1));
}

Test(session_directory, how_long_a_film_is_reaches_the_sessions_that_show_it) {
  DirectoryFixture node;
  const Uuid key = node.create();
  const auto host = node.join(key);
  const ConnectionRef from = node.connect();
  node.directory().on_message(key, host.member, host.number, from, SeekMessage{90});
  node.answer_all();
  const StoreVersion before = node.stored_version(key);
  node.directory().on_library_changed();
  node.answer_all();
  cr_assert_eq(node.stored_version(key).revision, before.revision, "nothing was learned");
  node.duration_s = 60;
  node.directory().on_library_changed();
  node.answer_all();
  node.directory().on_info(key, from);
  const auto info = node.answer_of<SessionInfo>(from);
  cr_assert(info && info->state.position == 60 && info->state.cause == Cause::ended);
  cr_assert_gt(node.stored_version(key).revision, before.revision, "it is stored");
}

Test(session_directory, whoever_becomes_home_knows_the_film_by_its_own_library) {
  DirectoryFixture node;
  const Uuid key = node.create();
  node.duration_s = 60;
  const auto host = node.join(key);
  const ConnectionRef from = node.connect();
  node.directory().on_message(key, host.member, host.number, from, SeekMessage{90});
  node.directory().on_info(key, from);
  const auto info = node.answer_of<SessionInfo>(from);
  cr_assert(info && info->state.position == 60);
}
