// What comes next, who may say so, and how it is told.
#include <optional>
#include <string>

#include "tests/unit/proto/session/session_fixture.h"

using namespace videosync;

namespace {

// Ann is host.
struct QueueEvening : SessionFixture {
  SessionMachine::JoinOutcome ann = join("Ann"), bob = join("Bob"), cem = join("Cem");

  QueueEvening() { pass(seconds); }
  void enqueue(const SessionMachine::JoinOutcome& who, std::string video,
               std::optional<std::uint32_t> at = std::nullopt, double duration_s = 60) {
    effects.clear();
    machine->handle_enqueue(who.id, {video, at}, VideoChoice{video, duration_s}, now, effects);
    machine->check_invariants();
  }
  std::string videos() const {
    std::string all;
    for (const QueueItem& item : machine->queue().items())
      all += item.video.id + " ";
    return all;
  }
  QueueItemId item(std::size_t place) const { return machine->queue().items().at(place).id; }
  void fill() {
    enqueue(ann, "one");
    enqueue(bob, "two");
    enqueue(cem, "three");
    pass(seconds);
  }
};

}  // namespace

Test(session_queue, everyone_may_add_and_take_back_their_own) {
  QueueEvening t;
  t.enqueue(t.bob, "one");
  cr_assert(t.has<QueueEffect>());
  t.enqueue(t.ann, "two", 0);
  cr_assert_eq(t.videos(), "two one ");
  cr_assert(t.machine->queue().items()[1].by == t.bob.id);
  cr_assert_eq(t.machine->queue().items()[1].by_name, "Bob");
  t.say(t.cem.id, DequeueMessage{t.item(1)});
  cr_assert(t.refused(Refusal::not_host), "another's");
  t.say(t.bob.id, DequeueMessage{t.item(0)});
  cr_assert(t.refused(Refusal::not_host), "the host's");
  t.say(t.bob.id, DequeueMessage{t.item(1)});
  cr_assert_eq(t.videos(), "two ");
  t.say(t.ann.id, DequeueMessage{t.item(0)});
  cr_assert_eq(t.videos(), "");
  t.say(t.ann.id, DequeueMessage{QueueItemId{9}});
  cr_assert(t.refused(Refusal::no_such_item));
}

Test(session_queue, the_rest_is_for_who_controls) {
  QueueEvening t;
  t.fill();
  for (const ClientMessage& message :
       {ClientMessage(MoveMessage{t.item(2), 0}), ClientMessage(JumpMessage{t.item(2)}),
        ClientMessage(NextMessage{})}) {
    t.say(t.cem.id, message);
    cr_assert(t.refused(Refusal::not_host));
  }
  t.say(t.ann.id, SettingsMessage{.controllers = share_ids({t.cem.id})});
  t.say(t.cem.id, MoveMessage{t.item(2), 0});
  cr_assert_eq(t.videos(), "three one two ");
  t.say(t.cem.id, MoveMessage{QueueItemId{1}, 0});
  cr_assert(t.refused(Refusal::no_such_item));
}

Test(session_queue, the_host_may_keep_it_to_who_controls) {
  QueueEvening t;
  t.fill();
  t.say(t.ann.id, SettingsMessage{.queue = QueueRight::host});
  t.enqueue(t.bob, "four");
  cr_assert(t.refused(Refusal::not_host));
  t.say(t.bob.id, DequeueMessage{t.item(1)});
  cr_assert(t.refused(Refusal::not_host), "nor take back their own");
  t.say(t.ann.id, SettingsMessage{.control = Control::everyone});
  t.enqueue(t.bob, "four");
  cr_assert_eq(t.videos(), "one two three four ");
}

Test(session_queue, what_cannot_be_added_is_refused) {
  QueueEvening t;
  t.effects.clear();
  t.machine->handle_enqueue(t.bob.id, {"none"}, std::nullopt, t.now, t.effects);
  cr_assert(t.refused(Refusal::no_such_video));
  for (int i = 0; i < 200; ++i) {
    t.now += seconds;
    t.enqueue(t.bob, "v");
    cr_assert_not(t.has<ErrorEffect>());
  }
  t.enqueue(t.bob, "v");
  cr_assert(t.refused(Refusal::queue_full));
}

Test(session_queue, its_changes_are_ten_a_second) {
  QueueEvening t;
  for (int i = 0; i < 50; ++i) {
    t.enqueue(t.bob, "v");
    cr_assert_not(t.has<ErrorEffect>());
  }
  t.enqueue(t.bob, "v");
  cr_assert(t.refused(Refusal::rate_limited));
  t.now += 100 * ms;
  t.enqueue(t.bob, "v");
  cr_assert_not(t.has<ErrorEffect>());
}

Test(session_queue, it_is_told_at_once_and_then_four_times_a_second) {
  QueueEvening t;
  t.enqueue(t.bob, "one");
  cr_assert(t.has<QueueEffect>());
  t.now += ms;
  t.enqueue(t.bob, "two");
  t.enqueue(t.bob, "three");
  cr_assert(t.effects.empty());
  cr_assert(t.machine->take_queue_changed(), "but stored");
  t.pass(248 * ms);
  cr_assert_not(t.has<QueueEffect>());
  t.pass(ms);
  t.only<QueueEffect>();
  t.pass(seconds);
  cr_assert_not(t.has<QueueEffect>());
}

// --- The next one --------------------------------------------------------------------------------

Test(session_queue, the_next_one_goes_on_playing) {
  QueueEvening t;
  t.fill();
  t.say(t.ann.id, PlayMessage{});
  t.say(t.ann.id, NextMessage{});
  cr_assert(std::holds_alternative<QueueEffect>(t.effects[0]), "before the state");
  const PlaybackState state = t.only<StateEffect>().state;
  cr_assert(state.video == "one" && state.cause == Cause::load && state.by == t.ann.id);
  cr_assert(state.playing && state.position == 0 && state.at_us == t.now + 50 * ms);
  cr_assert_eq(t.machine->duration_s(), 60);
  cr_assert_eq(t.videos(), "two three ");
}

Test(session_queue, where_it_stood_it_stands) {
  QueueEvening t;
  t.fill();
  t.say(t.ann.id, SeekMessage{5});
  t.say(t.ann.id, NextMessage{});
  cr_assert(!t.state().playing && t.state().video == "one" && t.state().position == 0);
  t.say(t.ann.id, PlayMessage{.countdown_ms = 5'000});
  t.say(t.ann.id, NextMessage{});
  cr_assert(!t.state().playing && t.state().video == "two", "a countdown is called off");
}

Test(session_queue, what_has_ended_goes_on) {
  QueueEvening t;
  t.fill();
  t.say(t.ann.id, PlayMessage{.position = 99});
  t.pass(5 * seconds);
  cr_assert(t.state().cause == Cause::ended);
  t.say(t.ann.id, JumpMessage{t.item(1)});
  cr_assert(t.state().playing && t.state().video == "two");
  cr_assert_eq(t.videos(), "one three ");
}

Test(session_queue, who_buffers_at_the_next_one_is_waited_for) {
  QueueEvening t;
  t.fill();
  t.say(t.ann.id, SettingsMessage{.on_stall = OnStall::wait});
  t.say(t.ann.id, PlayMessage{});
  t.report(t.bob.id, true);
  cr_assert(!t.state().playing, "it waits in mid-play");
  t.say(t.ann.id, NextMessage{});
  cr_assert(t.state().playing && t.state().video == "one",
            "somebody buffers, but not again so soon");
}

Test(session_queue, nothing_comes_next_of_an_empty_one) {
  QueueEvening t;
  t.say(t.ann.id, NextMessage{});
  cr_assert(t.refused(Refusal::no_such_item));
  t.say(t.ann.id, JumpMessage{QueueItemId{3}});
  cr_assert(t.refused(Refusal::no_such_item));
}

Test(session_queue, the_next_one_makes_nobody_ready) {
  QueueEvening t;
  t.fill();
  t.say(t.bob.id, ReadyMessage{true});
  t.say(t.ann.id, NextMessage{});
  cr_assert_eq(t.machine->ready_count(), 0u);
}

// --- Elsewhere -----------------------------------------------------------------------------------

Test(session_queue, a_change_of_it_changes_the_record_too) {
  QueueEvening t;
  t.machine->take_durable_changed();
  const std::uint64_t commands = t.machine->commands();
  t.enqueue(t.bob, "one");
  cr_assert(t.machine->take_durable_changed() && t.machine->take_queue_changed());
  cr_assert_eq(t.machine->commands(), commands + 1);
  t.say(t.ann.id, SeekMessage{3});
  cr_assert(t.machine->take_durable_changed() && !t.machine->take_queue_changed());
}

Test(session_queue, another_place_goes_on_from_it) {
  QueueEvening t;
  t.fill();
  SessionFixture other;
  other.machine = SessionMachine::reopen(t.limits, t.machine->record(), 0, 7, {}, t.now);
  other.machine->adopt_queue(*Queue::decode(t.machine->queue().encode()));
  other.now = t.now;
  cr_assert_not(other.machine->take_queue_changed());
  other.join("", SessionFixture::resume_token(t.bob.id));
  other.say(t.bob.id, DequeueMessage{t.item(1)});
  cr_assert(other.has<QueueEffect>(), "it is Bob's there, too");
  cr_assert_eq(other.machine->queue().items().size(), 2u);
}
