// Ready, go: who is ready to begin, and a start that everybody counts down to.
#include <optional>
#include <string>
#include <vector>

#include "tests/unit/proto/session/session_fixture.h"

using namespace videosync;

namespace {

// Ann is host; nothing plays yet.
struct Lobby : SessionFixture {
  SessionMachine::JoinOutcome ann, bob, cem;
  explicit Lobby(OnStall on_stall = OnStall::keep_going)
      : SessionFixture({Control::host, on_stall}, 1'000),
        ann(join("Ann")),
        bob(join("Bob")),
        cem(join("Cem")) {
    pass(seconds);
  }
  void ready(const SessionMachine::JoinOutcome& who, bool is_ready = true) {
    say(who.id, ReadyMessage{is_ready});
  }
  std::uint32_t ready_count() const { return machine->ready_count(); }
  void count_down(std::uint32_t countdown_ms, std::optional<double> position = std::nullopt) {
    say(ann.id, PlayMessage{position, countdown_ms});
  }
  void restart() {
    machine = std::make_unique<SessionMachine>(limits, machine->record(), now);
    machine->check_invariants();
  }
};

}  // namespace

// --- Ready ---------------------------------------------------------------------------------------

Test(session_start, all_hear_how_many_are_ready_and_the_host_who) {
  Lobby t;
  t.report(t.bob.id, false);
  t.report(t.cem.id, false);
  t.pass(seconds);
  t.ready(t.bob);
  cr_assert(t.effects.empty() && t.machine->is_ready(t.bob.id));
  t.pass(250 * ms);
  cr_assert_eq(t.only<MembersEffect>().ready, 1u);
  cr_assert_eq(t.only<MembersEffect>().count, 3u);
  t.pass(seconds);
  for (const ViewerReport& viewer : t.only<ViewersEffect>().list)
    cr_assert_eq(viewer.is_ready, viewer.id == t.bob.id);
  t.ready(t.bob);
  t.pass(seconds);
  cr_assert(t.effects.empty(), "it was so before");
  t.ready(t.bob, false);
  t.pass(seconds);
  cr_assert_eq(t.only<MembersEffect>().ready, 0u);
  cr_assert_not(t.only<ViewersEffect>().list.front().is_ready);
}

Test(session_start, what_did_not_last_is_told_to_whom_was_welcomed_meanwhile) {
  Lobby t;
  t.ready(t.bob);
  const auto dan = t.join("Dan");  // whose welcome counts one
  t.ready(t.bob, false);
  t.leave(dan);
  t.pass(seconds);
  cr_assert_eq(t.only<MembersEffect>().ready, 0u);
}

Test(session_start, it_stays_with_the_member_and_counts_while_it_is_there) {
  Lobby t;
  t.ready(t.bob);
  t.ready(t.cem);
  t.leave(t.bob);
  cr_assert_eq(t.ready_count(), 1u);
  t.join("", SessionFixture::resume_token(t.bob.id));
  cr_assert_eq(t.ready_count(), 2u);
  t.bob = t.join("", SessionFixture::resume_token(t.bob.id));
  cr_assert_eq(t.ready_count(), 2u, "another connection of the same member");
  t.say(t.ann.id, KickMessage{t.cem.id});
  cr_assert_eq(t.ready_count(), 1u);
  t.leave(t.bob);
  t.pass(31 * seconds);
  cr_assert_eq(t.ready_count(), 0u);
  cr_assert(t.machine->record().ready.empty());
}

Test(session_start, a_play_and_a_load_clear_it) {
  Lobby t;
  t.ready(t.bob);
  t.leave(t.cem);
  t.say(t.bob.id, PlayMessage{});
  cr_assert(t.refused(Refusal::not_host) && t.ready_count() == 1);
  t.say(t.ann.id, PlayMessage{});
  cr_assert_eq(t.ready_count(), 0u);
  t.pass(seconds);
  cr_assert_eq(t.only<MembersEffect>().ready, 0u);
  t.say(t.ann.id, PauseMessage{});
  t.ready(t.bob);
  t.effects.clear();
  t.machine->handle_load(t.ann.id, VideoChoice{"other", 9}, t.now, t.effects);
  cr_assert_eq(t.ready_count(), 0u);
  cr_assert_not(t.machine->is_ready(t.bob.id));
  t.ready(t.bob);
  cr_assert_eq(t.ready_count(), 1u, "for the next one");
}

Test(session_start, who_was_away_when_it_was_cleared_is_not_ready) {
  Lobby t;
  t.ready(t.bob);
  t.leave(t.bob);
  t.say(t.ann.id, PlayMessage{});
  t.join("", SessionFixture::resume_token(t.bob.id));
  cr_assert_eq(t.ready_count(), 0u);
}

Test(session_start, another_place_knows_who_is_ready) {
  Lobby old, t;
  old.ready(old.ann);
  old.ready(old.bob);
  old.ready(old.cem);
  const SessionRecord record = old.machine->record();
  const std::vector<MemberInfo> known{{old.bob.id, "Bob", Role::participant}};
  t.machine = SessionMachine::reopen(t.limits, record, 0, 7, known, t.now);
  t.machine->check_invariants();
  cr_assert_eq(t.ready_count(), 1u);
  t.machine->enroll({old.bob.id, old.bob.connection, "Bob"}, t.now, t.effects);
  t.machine->enroll({old.cem.id, old.cem.connection, "Cem"}, t.now, t.effects);
  t.machine->check_invariants();
  cr_assert_eq(t.ready_count(), 2u);
  t.join("", SessionFixture::resume_token(old.ann.id));
  cr_assert_eq(t.ready_count(), 3u);
  t.say(old.ann.id, PlayMessage{});
  cr_assert_eq(t.ready_count(), 0u);
}

Test(session_start, the_record_keeps_a_hundred_of_a_crowd) {
  SessionFixture t;
  std::vector<SessionMachine::JoinOutcome> crowd;
  for (int i = 0; i < 120; ++i)
    crowd.push_back(t.join());
  for (const auto& member : crowd)
    t.say(member.id, ReadyMessage{true});
  cr_assert_eq(t.machine->ready_count(), 120u);
  cr_assert_eq(t.machine->record().ready.size(), 100u);
  t.machine->take_durable_changed();
  t.say(crowd.back().id, ReadyMessage{false});
  cr_assert_not(t.machine->take_durable_changed(), "the record does not tell");
  t.say(crowd.front().id, ReadyMessage{false});
  cr_assert(t.machine->take_durable_changed());
  cr_assert_eq(t.machine->ready_count(), 118u);
  cr_assert_eq(t.machine->record().ready.size(), 99u);
}

// --- Go ------------------------------------------------------------------------------------------

Test(session_start, a_countdown_schedules_the_start) {
  Lobby t;
  t.count_down(3'000, 5);
  const PlaybackState state = t.only<StateEffect>().state;
  cr_assert(state.playing && state.cause == Cause::play && state.position == 5);
  cr_assert_eq(state.at_us, t.now + 3 * seconds);
  t.pass(3 * seconds - 1);
  cr_assert(!t.has<StateEffect>(), "nobody is told to begin earlier");
  t.join("Late");
  cr_assert_eq(t.state().at_us, state.at_us, "who comes late counts along");
  t.pass(2 * seconds);
  cr_assert(!t.has<StateEffect>() && t.state().playing);
}

Test(session_start, a_countdown_has_ten_seconds_at_most_and_is_no_shorter_than_the_lead) {
  Lobby t;
  t.count_down(10'001);
  cr_assert(t.refused(Refusal::out_of_range));
  t.count_down(10'000);
  cr_assert_eq(t.state().at_us, t.now + 10 * seconds);
  t.count_down(0);
  cr_assert_eq(t.state().at_us, t.now + 50 * ms);
}

Test(session_start, what_plays_stands_until_a_countdown_is_over) {
  Lobby t;
  t.say(t.ann.id, PlayMessage{});
  t.pass(10'050 * ms);
  t.count_down(4'000);
  cr_assert(is_near(t.state().position, 10) && t.state().at_us == t.now + 4 * seconds);
  t.pass(seconds);
  t.count_down(4'000);
  cr_assert(is_near(t.state().position, 10) && t.state().at_us == t.now + 4 * seconds, "anew");
}

Test(session_start, a_pause_a_seek_and_a_load_call_it_off) {
  Lobby t;
  t.count_down(3'000, 5);
  t.say(t.ann.id, PauseMessage{});
  cr_assert(!t.state().playing && t.state().position == 5);
  t.count_down(3'000);
  t.pass(2'900 * ms);
  t.say(t.ann.id, SeekMessage{7});
  cr_assert(!t.state().playing && t.state().position == 7 && t.state().cause == Cause::seek);
  t.count_down(3'000);
  t.effects.clear();
  t.machine->handle_load(t.ann.id, VideoChoice{"other", 9}, t.now, t.effects);
  cr_assert(!t.state().playing);
  t.pass(20 * seconds);
  cr_assert(!t.state().playing, "it does not start after all");
}

Test(session_start, a_seek_after_the_start_goes_on) {
  Lobby t;
  t.count_down(3'000);
  t.pass(3 * seconds);
  t.say(t.ann.id, SeekMessage{7});
  cr_assert(t.state().playing && t.state().position == 7);
}

Test(session_start, only_a_play_with_a_position_starts_sooner) {
  Lobby t;
  t.count_down(3'000, 5);
  const std::int64_t start_us = t.state().at_us;
  t.say(t.ann.id, PlayMessage{});
  cr_assert_eq(t.state().at_us, start_us, "it plays already");
  t.say(t.ann.id, RateMessage{2});
  cr_assert(t.state().at_us == start_us && t.state().position == 5);
  t.say(t.ann.id, PlayMessage{.position = 5});
  cr_assert_eq(t.state().at_us, t.now + 50 * ms);
}

// --- Waiting for who buffers ---------------------------------------------------------------------

Test(session_start, who_buffers_during_a_countdown_is_waited_for_at_its_end) {
  Lobby t(OnStall::wait);
  t.report(t.bob.id, true);
  t.count_down(3'000);
  const std::int64_t start_us = t.state().at_us;
  cr_assert(t.state().playing && !t.has<WaitingEffect>(), "it is counted down to");
  t.report(t.cem.id, true);
  cr_assert(t.effects.empty());
  t.report(t.cem.id, false);
  t.pass(2'949 * ms);
  cr_assert(t.state().playing);
  t.pass(ms);
  cr_assert(!t.state().playing && t.state().cause == Cause::stall, "as early as others can hear");
  cr_assert(t.only<WaitingEffect>().members == std::vector{t.bob.id});
  t.report(t.bob.id, false);
  cr_assert(t.state().playing && t.state().cause == Cause::resume);
  cr_assert_eq(t.state().at_us, std::max(start_us, t.now + 50 * ms), "not before it was over");
  t.pass(seconds);
  cr_assert(t.state().playing && !t.has<StateEffect>());
}

Test(session_start, a_wait_goes_on_beyond_the_countdown) {
  Lobby t(OnStall::wait);
  t.report(t.bob.id, true);
  t.count_down(1'000);
  t.pass(950 * ms);
  cr_assert(!t.state().playing);
  t.pass(3 * seconds);
  t.report(t.bob.id, false);
  cr_assert(t.state().playing && t.state().at_us == t.now + 50 * ms);
}

Test(session_start, a_seek_during_the_wait_before_the_start_calls_it_off) {
  Lobby t(OnStall::wait);
  t.report(t.bob.id, true);
  t.count_down(1'000);
  t.pass(950 * ms);
  t.say(t.ann.id, SeekMessage{7});
  cr_assert(!t.state().playing && !t.has<WaitingEffect>());
  t.pass(20 * seconds);
  cr_assert(!t.state().playing);
}

// --- Elsewhere -----------------------------------------------------------------------------------

Test(session_start, a_countdown_goes_on_in_another_place) {
  Lobby t;
  t.count_down(8'000, 5);
  const std::int64_t start_us = t.state().at_us;
  t.now += seconds;
  t.machine = SessionMachine::reopen(t.limits, t.machine->record(), 0, 7, {}, t.now);
  cr_assert(t.state().playing && t.state().at_us == start_us && t.state().position == 5);
  t.join("", SessionFixture::resume_token(t.ann.id));
  t.say(t.ann.id, SeekMessage{9});
  cr_assert(!t.state().playing, "and is called off there");
}

Test(session_start, nor_does_another_place_start_sooner_after_a_wait) {
  Lobby t(OnStall::wait);
  t.report(t.bob.id, true);
  t.say(t.ann.id, ReportMessage{.rtt_ms = 1'000});
  t.count_down(3'000);
  const std::int64_t start_us = t.state().at_us;
  t.pass(2'500 * ms);
  cr_assert(!t.state().playing);
  t.restart();
  t.pass(ms);
  cr_assert(t.state().playing && t.state().cause == Cause::resume);
  cr_assert_eq(t.state().at_us, start_us);
}
