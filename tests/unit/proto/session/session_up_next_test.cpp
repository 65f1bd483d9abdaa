// At the end of a film the next one begins by itself, unless somebody says otherwise.
#include <optional>
#include <string>
#include <vector>

#include "tests/unit/proto/session/session_fixture.h"

using namespace videosync;

namespace {

// Ann is host, "film" is about to end, and "one" and "two" come after it.
struct UpNextEvening : SessionFixture {
  SessionMachine::JoinOutcome ann = join("Ann"), bob = join("Bob");

  explicit UpNextEvening(std::vector<std::string> queue = {"one", "two"}) {
    for (std::string& video : queue)
      enqueue(std::move(video));
    pass(seconds);
    say(ann.id, PlayMessage{.position = 95});
  }
  void enqueue(std::string video) {
    effects.clear();
    machine->handle_enqueue(ann.id, {video}, VideoChoice{video, 60}, now, effects);
    machine->check_invariants();
  }
  void end() {
    pass(5'050 * ms);
    cr_assert(state().cause == Cause::ended);
  }
  void offer(std::optional<VideoChoice> video) {
    effects.clear();
    machine->offer_next(std::move(video), now, effects);
    machine->check_invariants();
  }
  QueueItemId first() const { return machine->queue().items().front().id; }
};

bool is_called_off(const SessionFixture& t) {
  return !t.only<UpNextEffect>().next.item && !t.machine->up_next().item;
}

}  // namespace

Test(session_up_next, the_next_one_is_announced_and_begins_eight_seconds_later) {
  UpNextEvening t;
  t.end();
  cr_assert(std::holds_alternative<StateEffect>(t.effects[0]));
  const UpNext next = t.only<UpNextEffect>().next;
  cr_assert(next.item == t.first() && next.video == "one" && next.at_us == t.now + 8 * seconds);
  cr_assert(t.machine->up_next().item == next.item, "for who comes meanwhile");
  t.pass(8 * seconds - 1);
  cr_assert_not(t.has<StateEffect>());
  t.pass(1);
  t.only<QueueEffect>();
  const PlaybackState state = t.only<StateEffect>().state;
  cr_assert(state.playing && state.video == "one" && state.cause == Cause::load && !state.by);
  cr_assert_eq(state.at_us, t.now + 50 * ms, "in step");
  cr_assert(!t.machine->up_next().item && t.machine->queue().items().size() == 1);
  t.pass(60'050 * ms);
  cr_assert_eq(t.only<UpNextEffect>().next.video, "two", "and so on");
}

Test(session_up_next, who_controls_calls_it_off) {
  UpNextEvening t;
  t.end();
  t.say(t.bob.id, CancelNextMessage{});
  cr_assert(t.refused(Refusal::not_host));
  t.say(t.ann.id, CancelNextMessage{});
  cr_assert(is_called_off(t));
  t.say(t.ann.id, CancelNextMessage{});
  cr_assert(t.effects.empty());
  t.pass(20 * seconds);
  cr_assert(t.state().cause == Cause::ended && t.machine->queue().items().size() == 2);
}

Test(session_up_next, so_do_a_seek_a_play_and_a_load) {
  for (int i = 0; i < 3; ++i) {
    UpNextEvening t;
    t.end();
    if (i == 0) t.say(t.ann.id, SeekMessage{3});
    if (i == 1) t.say(t.ann.id, PlayMessage{});
    t.effects.erase_if([&](const Effect&) { return i == 2; });
    if (i == 2) t.machine->handle_load(t.ann.id, VideoChoice{"x", 9}, t.now, t.effects);
    cr_assert(is_called_off(t), "%d", i);
    t.pass(9 * seconds);
    cr_assert(t.state().video != "one");
  }
}

Test(session_up_next, it_can_begin_now) {
  UpNextEvening t;
  t.end();
  t.pass(seconds);
  t.say(t.ann.id, NextMessage{});
  cr_assert(t.state().playing && t.state().video == "one" && t.state().by == t.ann.id);
  t.pass(8 * seconds);
  cr_assert(t.state().video == "one", "once");
}

Test(session_up_next, what_comes_first_by_then_is_told) {
  UpNextEvening t;
  t.end();
  const std::int64_t at_us = t.machine->up_next().at_us;
  t.say(t.ann.id, MoveMessage{t.first(), 1});
  cr_assert(std::holds_alternative<QueueEffect>(t.effects[0]));
  cr_assert(t.only<UpNextEffect>().next.video == "two");
  cr_assert_eq(t.only<UpNextEffect>().next.at_us, at_us);
  t.say(t.ann.id, DequeueMessage{t.first()});
  t.say(t.ann.id, DequeueMessage{t.first()});
  cr_assert(is_called_off(t), "nothing is left");
}

Test(session_up_next, an_episode_is_followed_by_the_next_one) {
  UpNextEvening t(std::vector<std::string>{});
  t.end();
  cr_assert(!t.has<UpNextEffect>() && t.machine->wants_next());
  t.offer(VideoChoice{"episode-2", 60});
  cr_assert(std::holds_alternative<QueueEffect>(t.effects[0]));
  cr_assert_eq(t.only<UpNextEffect>().next.video, "episode-2");
  cr_assert(!t.machine->queue().items().front().by, "the service has added it");
  cr_assert(t.machine->take_queue_changed() && !t.machine->wants_next());
  t.pass(8 * seconds);
  cr_assert(t.state().playing && t.state().video == "episode-2");
}

Test(session_up_next, where_nothing_follows_nothing_is_said) {
  UpNextEvening t(std::vector<std::string>{});
  t.end();
  t.offer(std::nullopt);
  cr_assert(t.effects.empty() && !t.machine->wants_next());
  t.offer(VideoChoice{"late", 60});
  cr_assert(t.effects.empty(), "it is not asked for");
}

Test(session_up_next, nobody_is_played_anything_in_an_empty_room) {
  UpNextEvening t;
  t.leave(t.ann);
  t.leave(t.bob);
  t.end();
  cr_assert(!t.has<UpNextEffect>() && !t.machine->wants_next());
  UpNextEvening left;
  left.end();
  left.leave(left.ann);
  left.leave(left.bob);
  left.pass(8 * seconds);
  cr_assert(left.state().cause == Cause::ended && left.machine->queue().items().size() == 2);
}

Test(session_up_next, a_film_that_is_found_to_be_over_is_followed_too) {
  UpNextEvening t;
  t.learn(96);
  cr_assert_not(t.has<UpNextEffect>());
  t.pass(500 * ms);
  t.learn(95.1);
  cr_assert(t.state().cause == Cause::ended && t.only<UpNextEffect>().next.video == "one");
  t.learn(80);
  cr_assert_not(t.has<UpNextEffect>(), "it has ended already");
}

Test(session_up_next, another_place_goes_on_with_it) {
  UpNextEvening t;
  t.end();
  const std::int64_t at_us = t.machine->up_next().at_us;
  t.now += seconds;
  const std::vector<MemberInfo> known = t.machine->members();
  auto other = SessionMachine::reopen(t.limits, t.machine->record(), 0, 7, known, t.now);
  other->adopt_queue(*Queue::decode(t.machine->queue().encode()));
  for (const auto& who : {t.ann, t.bob})
    other->enroll({who.id, who.connection, "x"}, t.now, t.effects);
  t.machine = std::move(other);
  cr_assert_eq(t.machine->up_next().at_us, at_us);
  t.pass(7 * seconds);
  cr_assert(t.state().playing && t.state().video == "one");
}
