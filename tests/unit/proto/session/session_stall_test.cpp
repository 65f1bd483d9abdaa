// onStall: nobody can freeze the room, and with `wait` it is held for a few seconds at most.
#include "tests/unit/proto/session/session_fixture.h"

using namespace videosync;

namespace {

// Host and guest, playing for a minute, everyone in place.
struct Showing : SessionFixture {
  SessionMachine::JoinOutcome host, guest;
  explicit Showing(OnStall on_stall = OnStall::wait)
      : SessionFixture({Control::host, on_stall}, 1'000), host(join()), guest(join()) {
    say(host.id, PlayMessage{});
    pass(60 * seconds);
  }
  bool waits_for(std::vector<MemberId> members, std::int64_t us) const {
    const auto waiting = only<WaitingEffect>();
    return waiting.members == members && waiting.until_us == now + us;
  }
};

}  // namespace

Test(session_stall, keep_going_keeps_going) {
  Showing t(OnStall::keep_going);
  t.report(t.guest.id, true);
  cr_assert(t.effects.empty() && t.state().playing);
  t.say(t.host.id, SeekMessage{3});
  cr_assert(t.effects.size() == 1 && t.state().playing);
}

Test(session_stall, in_mid_play_the_room_waits_three_seconds) {
  Showing t;
  t.report(t.guest.id, true);
  const PlaybackState state = t.only<StateEffect>().state;
  cr_assert(!state.playing && state.cause == Cause::stall && !state.by);
  cr_assert(is_near(state.position, 59.95));
  cr_assert(t.waits_for({t.guest.id}, 3 * seconds));
  t.pass(3 * seconds - 1);
  cr_assert(!t.has<StateEffect>());
  t.pass(1);
  const PlaybackState on = t.only<StateEffect>().state;
  cr_assert(on.playing && on.cause == Cause::resume && is_near(on.position, 59.95));
  cr_assert(on.at_us > t.now && on.seq == state.seq + 1);
}

Test(session_stall, it_goes_on_as_soon_as_all_are_ready) {
  Showing t;
  t.report(t.guest.id, true);
  t.now += seconds;
  t.report(t.host.id, true);
  cr_assert(!t.has<StateEffect>());
  cr_assert(t.waits_for({t.guest.id, t.host.id}, 2 * seconds), "the end does not move");
  t.report(t.guest.id, false);
  cr_assert(t.waits_for({t.host.id}, 2 * seconds));
  t.report(t.host.id, false);
  cr_assert(t.only<StateEffect>().state.cause == Cause::resume);
}

Test(session_stall, nobody_is_waited_for_again_within_thirty_seconds) {
  Showing t;
  t.report(t.guest.id, true);
  t.report(t.guest.id, false);
  t.pass(30 * seconds - 1);
  t.report(t.guest.id, true);
  cr_assert(t.effects.empty() && t.state().playing);
  t.say(t.host.id, SeekMessage{10});
  cr_assert(!t.has<WaitingEffect>() && t.state().playing);
  t.report(t.guest.id, false);
  t.pass(1);
  t.report(t.guest.id, true);
  cr_assert(t.has<WaitingEffect>());
}

Test(session_stall, a_start_waits_five_seconds) {
  SessionFixture t({Control::host, OnStall::wait});
  const auto host = t.join();
  const auto guest = t.join();
  t.report(guest.id, true);
  cr_assert(t.effects.empty(), "nothing plays yet");
  t.say(host.id, PlayMessage{10.0});
  const auto states = t.all<StateEffect>();
  cr_assert_eq(states.size(), 2u);
  cr_assert(states[0].state.cause == Cause::play && states[0].state.playing);
  cr_assert(states[1].state.cause == Cause::stall && states[1].state.position == 10);
  cr_assert(t.only<WaitingEffect>().until_us == t.now + 5 * seconds);
  t.pass(5 * seconds);
  cr_assert(t.state().playing && t.state().position == 10);
}

Test(session_stall, who_turns_soon_after_a_start_has_what_is_left_of_its_time) {
  Showing t;
  t.say(t.host.id, SeekMessage{100});
  t.now += 500 * ms;
  t.report(t.guest.id, true);
  cr_assert(t.waits_for({t.guest.id}, 4'500 * ms));
}

Test(session_stall, a_pause_ends_the_wait) {
  Showing t;
  t.report(t.guest.id, true);
  t.say(t.host.id, PauseMessage{});
  cr_assert(t.only<StateEffect>().state.cause == Cause::pause);
  t.report(t.guest.id, false);
  t.pass(10 * seconds);
  cr_assert(!t.state().playing && !t.has<StateEffect>());
}

Test(session_stall, a_play_ends_the_wait_and_goes_on) {
  Showing t;
  t.report(t.guest.id, true);
  t.say(t.host.id, PlayMessage{});
  cr_assert(t.effects.size() == 1 && t.state().playing && t.state().cause == Cause::play);
}

Test(session_stall, a_load_ends_the_wait) {
  Showing t;
  t.report(t.guest.id, true);
  t.effects.clear();
  t.machine->handle_load(t.host.id, VideoChoice{"other", 5}, t.now, t.effects);
  t.pass(10 * seconds);
  cr_assert(!t.state().playing && t.state().cause == Cause::load);
}

Test(session_stall, a_seek_during_the_wait_moves_it) {
  Showing t;
  t.report(t.guest.id, true);
  t.now += seconds;
  t.say(t.host.id, SeekMessage{200});
  cr_assert(t.only<StateEffect>().state.cause == Cause::seek && !t.state().playing);
  cr_assert(t.waits_for({t.guest.id}, 5 * seconds));
  t.say(t.host.id, RateMessage{2});
  cr_assert(!t.state().playing && t.waits_for({t.guest.id}, 5 * seconds));
  t.report(t.guest.id, false);
  cr_assert(t.state().playing && t.state().position == 200 && t.state().rate == 2);
}

Test(session_stall, who_leaves_is_not_waited_for) {
  Showing t;
  t.report(t.guest.id, true);
  const auto token = t.resume_token(t.guest.id);
  t.leave(t.guest);
  cr_assert(t.only<StateEffect>().state.cause == Cause::resume);
  t.join("", token);
  t.report(t.guest.id, true);
  cr_assert(t.state().playing);
}

Test(session_stall, who_is_displaced_or_kicked_is_not_waited_for) {
  Showing t;
  t.report(t.guest.id, true);
  t.join("", t.resume_token(t.guest.id));
  cr_assert(t.state().cause == Cause::resume);
  t.now += 40 * seconds;
  t.report(t.guest.id, false);
  t.report(t.guest.id, true);
  cr_assert(!t.state().playing);
  t.say(t.host.id, KickMessage{t.guest.id});
  cr_assert(t.state().playing);
}

Test(session_stall, who_cannot_play_is_not_waited_for) {
  Showing t;
  t.say(t.guest.id, ReportMessage{.buffering = true, .cannot_play = true});
  cr_assert(t.state().playing && !t.has<WaitingEffect>());
  t.now += 40 * seconds;
  t.report(t.guest.id, true);
  cr_assert(!t.state().playing, "one that plays again, in its next form, is waited for");
  t.say(t.guest.id, ReportMessage{.buffering = true, .cannot_play = true});
  cr_assert(t.only<StateEffect>().state.cause == Cause::resume);
}

Test(session_stall, who_could_not_play_so_far_has_not_kept_up) {
  Showing t;
  const auto late = t.join();
  t.say(late.id, ReportMessage{.buffering = false, .cannot_play = true});
  t.report(late.id, true);
  cr_assert(t.state().playing && !t.has<WaitingEffect>());
}

Test(session_stall, joining_stops_nobody) {
  Showing t;
  const auto late = t.join();
  t.report(late.id, true);
  cr_assert(t.state().playing && !t.has<WaitingEffect>());
  t.report(late.id, false);
  t.report(late.id, true);
  cr_assert(!t.state().playing, "one that has kept up is waited for like any other");
}

Test(session_stall, keep_going_set_during_a_wait_goes_on) {
  Showing t;
  t.report(t.guest.id, true);
  t.say(t.host.id, SettingsMessage{std::nullopt, OnStall::keep_going});
  cr_assert(t.only<StateEffect>().state.cause == Cause::resume);
}

Test(session_stall, a_wait_lists_at_most_fifty) {
  SessionFixture t({Control::host, OnStall::wait});
  const auto host = t.join();
  std::vector<MemberId> guests;
  for (int i = 0; i < 1'200; ++i) {
    guests.push_back(t.join().id);
    t.report(guests.back(), true);
  }
  t.say(host.id, PlayMessage{});
  cr_assert_eq(t.only<WaitingEffect>().members.size(), 50u);
  int told = 0;
  for (const MemberId guest : guests) {
    t.report(guest, false);
    told += t.has<WaitingEffect>();
  }
  cr_assert(t.state().playing, "a thousand of them were waited for");
  cr_assert_leq(told, 50);
}

Test(session_stall, a_wait_survives_its_process) {
  Showing t;
  t.report(t.guest.id, true);
  const std::string bytes = t.machine->encode();
  auto restored = SessionMachine::decode(t.limits, bytes, t.now);
  cr_assert(restored.has_value());
  t.machine = std::move(*restored);
  t.pass(1);
  cr_assert(t.only<StateEffect>().state.cause == Cause::resume);
  cr_assert(is_near(t.state().position, 59.95));
}
