// Commands, their order, and how they move the playback vector.
#include "tests/unit/proto/session/session_fixture.h"

using namespace videosync;

namespace {

struct Pair : SessionFixture {
  MemberId host, guest;
  explicit Pair(SessionSettings settings = {}, double duration_s = 100)
      : SessionFixture(settings, duration_s), host(join().id), guest(join().id) {}
};

}  // namespace

Test(session_playback, a_play_is_scheduled_a_lead_ahead) {
  Pair t;
  t.say(t.host, PlayMessage{});
  const PlaybackState state = t.only<StateEffect>().state;
  cr_assert(state.playing && state.cause == Cause::play && state.by == t.host);
  cr_assert_eq(state.at_us, t.now + 50 * ms, "nobody has reported a round trip");
  cr_assert(state.seq == 1 && state.epoch == 1 && state.position == 0);
  cr_assert(state.video == "film");
  cr_assert(t.machine->state().seq == 1);
}

Test(session_playback, the_lead_is_one_and_a_half_of_the_slowest_round_trips) {
  Pair t;
  t.report(t.host, false, 20);
  t.report(t.guest, false, 100);
  t.say(t.host, PlayMessage{});
  cr_assert_eq(t.state().at_us, t.now + 150 * ms);
  t.report(t.guest, false, 30'000);
  t.say(t.host, SeekMessage{5});
  cr_assert_eq(t.state().at_us, t.now + 500 * ms);
}

Test(session_playback, a_round_trip_counts_while_its_member_is_there) {
  SessionFixture t;
  const auto host = t.join();
  const auto guest = t.join();
  t.report(host.id, false, 10);
  t.report(guest.id, false, 200);
  t.leave(guest);
  t.say(host.id, PlayMessage{});
  cr_assert_eq(t.state().at_us, t.now + 15 * ms);
}

Test(session_playback, a_pause_keeps_the_position_of_that_moment) {
  Pair t;
  t.say(t.host, PlayMessage{10.0});
  t.now += 50 * ms + 4 * seconds;
  t.say(t.host, PauseMessage{});
  cr_assert(!t.state().playing && is_near(t.state().position, 14));
  cr_assert(t.state().at_us == t.now && t.state().cause == Cause::pause);
  t.say(t.host, PauseMessage{13.5});
  cr_assert(t.state().position == 13.5 && t.state().seq == 3);
}

Test(session_playback, a_pause_before_a_scheduled_start_stays_where_it_was) {
  Pair t;
  t.say(t.host, PlayMessage{10.0});
  t.now += 20 * ms;
  t.say(t.host, PauseMessage{});
  cr_assert_eq(t.state().position, 10);
}

Test(session_playback, a_second_play_disturbs_nobody) {
  Pair t;
  t.say(t.host, PlayMessage{10.0});
  const std::int64_t scheduled_us = t.state().at_us;
  t.now += 10 * ms;
  t.say(t.host, PlayMessage{});
  cr_assert(t.state().at_us == scheduled_us && t.state().position == 10);
  t.now = scheduled_us + 2 * seconds;
  t.say(t.host, PlayMessage{});
  cr_assert(t.state().at_us == t.now && is_near(t.state().position, 12) && t.state().seq == 3);
}

Test(session_playback, a_seek_while_playing_starts_everyone_together) {
  Pair t;
  t.say(t.host, PlayMessage{});
  t.now += 10 * seconds;
  t.say(t.host, SeekMessage{70});
  cr_assert(t.state().playing && t.state().position == 70);
  cr_assert_eq(t.state().at_us, t.now + 50 * ms);
  t.say(t.host, PauseMessage{});
  t.say(t.host, SeekMessage{7});
  cr_assert(!t.state().playing && t.state().position == 7 && t.state().at_us == t.now);
}

Test(session_playback, a_rate_goes_on_from_where_everyone_is) {
  Pair t;
  t.say(t.host, PlayMessage{});
  t.now += 50 * ms + 10 * seconds;
  t.say(t.host, RateMessage{2});
  cr_assert(t.state().playing && t.state().rate == 2 && t.state().at_us == t.now);
  cr_assert(is_near(t.state().position, 10));
  t.now += 10 * seconds;
  t.say(t.host, PauseMessage{});
  cr_assert(is_near(t.state().position, 30));
}

Test(session_playback, a_rate_before_a_scheduled_start_keeps_the_start) {
  Pair t;
  t.say(t.host, PlayMessage{10.0});
  const std::int64_t scheduled_us = t.state().at_us;
  t.now += 10 * ms;
  t.say(t.host, RateMessage{0.5});
  cr_assert(t.state().at_us == scheduled_us && t.state().position == 10);
}

Test(session_playback, a_load_begins_another_video) {
  Pair t;
  t.say(t.host, PlayMessage{50.0});
  t.effects.clear();
  t.machine->handle_load(t.host, VideoChoice{"other", 20}, t.now, t.effects);
  const PlaybackState state = t.only<StateEffect>().state;
  cr_assert(!state.playing && state.position == 0 && state.cause == Cause::load);
  cr_assert(state.video == "other");
  t.say(t.host, SeekMessage{50});
  cr_assert_eq(t.state().position, 20, "its duration counts from now on");
  t.effects.clear();
  t.machine->handle_load(t.host, std::nullopt, t.now, t.effects);
  cr_assert(t.refused(Refusal::no_such_video));
  t.effects.clear();
  t.machine->handle_load(t.guest, VideoChoice{"other", 20}, t.now, t.effects);
  cr_assert(t.refused(Refusal::not_host));
}

Test(session_playback, playback_stops_at_the_end) {
  Pair t;
  t.say(t.host, RateMessage{2});
  t.say(t.host, PlayMessage{90.0});
  cr_assert_eq(t.machine->next_deadline_us(), fixture_start_us + 250 * ms, "presence comes first");
  t.pass(300 * ms);
  cr_assert_eq(t.machine->next_deadline_us(), fixture_start_us + 50 * ms + 5 * seconds);
  t.pass(60 * seconds);  // late
  const PlaybackState state = t.only<StateEffect>().state;
  cr_assert(!state.playing && state.position == 100 && state.cause == Cause::ended && !state.by);
  t.pass(60 * seconds);
  cr_assert(t.effects.empty());
}

Test(session_playback, a_play_at_the_end_begins_anew) {
  Pair t;
  t.say(t.host, SeekMessage{100});
  t.say(t.host, PlayMessage{});
  cr_assert(t.state().playing && t.state().position == 0);
  t.say(t.host, PlayMessage{100.0});  // asked for: stays
  cr_assert_eq(t.state().position, 100);
  t.pass(seconds);
  cr_assert(t.state().cause == Cause::ended);
}

Test(session_playback, positions_are_clamped_to_the_media) {
  Pair t;
  t.say(t.host, SeekMessage{1e9});
  cr_assert_eq(t.state().position, 100);
  Pair unknown({}, 0);
  unknown.say(unknown.host, SeekMessage{1e300});
  cr_assert_eq(unknown.state().position, Playback::position_max_s);
  unknown.say(unknown.host, PlayMessage{});
  unknown.pass(3600 * seconds);
  cr_assert(unknown.state().playing, "an end that nobody knows does not come");
}

Test(session_playback, what_is_out_of_range_is_refused) {
  Pair t;
  const double nan = __builtin_nan(""), infinite = __builtin_inf();
  for (const double bad : {-1.0, nan, infinite}) {
    for (const ClientMessage& message :
         {ClientMessage{SeekMessage{bad}}, ClientMessage{PlayMessage{bad}},
          ClientMessage{PauseMessage{bad}}, ClientMessage{RateMessage{bad}}}) {
      t.say(t.host, message);
      cr_assert(t.refused(Refusal::out_of_range));
    }
  }
  for (const double bad : {0.0, 0.24, 4.01}) {
    t.say(t.host, RateMessage{bad});
    cr_assert(t.refused(Refusal::out_of_range));
  }
  t.say(t.host, ReportMessage{nan, 1, true, std::nullopt});
  cr_assert(t.refused(Refusal::out_of_range));
  t.say(t.host, ReportMessage{0, -1, true, std::nullopt});
  cr_assert(t.refused(Refusal::out_of_range));
  t.say(t.host, NameMessage{""});
  cr_assert(t.refused(Refusal::bad_message));
  t.say(t.host, SettingsMessage{});
  cr_assert(t.refused(Refusal::bad_message));
  cr_assert_eq(t.state().seq, 0u);
}

Test(session_playback, a_change_of_host_keeps_the_order_growing) {
  Pair t;
  t.say(t.host, PlayMessage{});
  t.say(t.host, GiveMessage{t.guest});
  cr_assert(t.only<HostEffect>().epoch == 2 && t.state().epoch == 2 && t.state().seq == 1);
  t.say(t.guest, PauseMessage{});
  cr_assert(t.only<StateEffect>().state.epoch == 2 && t.state().seq == 2);
}

Test(session_playback, a_clock_that_steps_back_stands_still) {
  Pair t;
  t.say(t.host, PlayMessage{});
  t.now += 10 * seconds;
  t.say(t.host, RateMessage{1});
  t.now -= 5 * seconds;
  t.say(t.host, PauseMessage{});
  cr_assert_eq(t.state().at_us, t.now + 5 * seconds);
}

// Every message in every role under both ways of control: refused with not_host or accepted.
Test(session_playback, who_may_do_what) {
  struct Row {
    ClientMessage message;
    bool guest_under_host, guest_under_everyone;
  };
  const Row table[] = {
      {PlayMessage{}, false, true},
      {PauseMessage{}, false, true},
      {SeekMessage{3}, false, true},
      {RateMessage{1.5}, false, true},
      {LoadMessage{"film"}, false, true},
      {GiveMessage{MemberId{3}}, false, false},
      {ClaimMessage{token_of(SessionFixture::host_token_seed)}, true, true},
      {ClaimMessage{token_of(9)}, false, false},
      {SettingsMessage{Control::host, std::nullopt}, false, false},
      {KickMessage{MemberId{3}}, false, false},
      {EndMessage{}, false, false},
      {ReportMessage{1, 2, true, std::nullopt}, true, true},
      {ChatMessage{"hello"}, true, true},
      {ReactionMessage{"+1"}, true, true},
      {NameMessage{"Zoe"}, true, true},
  };
  for (const Row& row : table) {
    for (const Control control : {Control::host, Control::everyone}) {
      for (const Role role : {Role::host, Role::participant}) {
        Pair t({control, OnStall::keep_going});
        t.join();
        const MemberId sender = role == Role::host ? t.host : t.guest;
        if (std::holds_alternative<LoadMessage>(row.message)) {
          t.effects.clear();
          t.machine->handle_load(sender, VideoChoice{"film", 9}, t.now, t.effects);
        } else {
          t.say(sender, row.message);
        }
        const auto* claim = std::get_if<ClaimMessage>(&row.message);
        const bool wrong_token =
            claim != nullptr && !t.machine->holds_host_token(claim->host_token);
        const bool allowed =
            role == Role::host
                ? !wrong_token
                : (control == Control::host ? row.guest_under_host : row.guest_under_everyone);
        cr_assert_eq(t.refused(Refusal::not_host), !allowed, "message %zu, control %d, role %d",
                     row.message.index(), int(control), int(role));
        cr_assert_eq(t.has<ErrorEffect>(), !allowed);
        if (t.has<ErrorEffect>()) {
          const auto error = t.only<ErrorEffect>();
          cr_assert(error.to == sender && !error.re.empty() && !error.message.empty());
        }
      }
    }
  }
}

Test(session_playback, settings_are_told_to_everyone) {
  Pair t;
  t.say(t.host, SettingsMessage{Control::everyone, std::nullopt});
  cr_assert(t.only<SettingsEffect>().settings.control == Control::everyone);
  t.say(t.guest, PlayMessage{});
  cr_assert(t.state().by == t.guest);
  t.say(t.host, SettingsMessage{std::nullopt, OnStall::wait});
  cr_assert(t.machine->settings().control == Control::everyone);
  cr_assert(t.machine->settings().on_stall == OnStall::wait);
}

Test(session_playback, a_film_whose_length_is_learned_ends_there) {
  Pair t({}, 0);
  t.say(t.host, PlayMessage{10.0});
  t.now += 50 * ms;
  t.pass(1 * seconds);
  cr_assert(t.machine->take_durable_changed());
  t.learn(40);
  cr_assert(t.effects.size() == 0, "nobody sees or hears anything of it");
  cr_assert(t.machine->take_durable_changed());
  cr_assert_eq(t.machine->next_deadline_us(), t.now + 29 * seconds);
  t.pass(29 * seconds);
  cr_assert(t.state().cause == Cause::ended && t.state().position == 40);
}

Test(session_playback, a_film_that_is_longer_by_now_goes_on_beyond_its_old_end) {
  Pair t({}, 12);
  t.say(t.host, PlayMessage{11.0});
  t.pass(2 * seconds);
  cr_assert(t.state().cause == Cause::ended && t.state().position == 12);
  t.learn(30);
  cr_assert(!t.state().playing && t.state().position == 12, "it stands until somebody plays it");
  t.say(t.host, PlayMessage{});
  cr_assert(t.state().playing && t.state().position == 12, "nor does it begin anew");
  t.say(t.host, SeekMessage{29});
  cr_assert_eq(t.state().position, 29);
}

Test(session_playback, a_film_that_is_shorter_by_now_has_ended_where_it_was_beyond_that) {
  for (const bool plays : {true, false}) {
    Pair t({}, 100);
    t.say(t.host, SeekMessage{50});
    if (plays) t.say(t.host, PlayMessage{});
    const std::uint64_t seq = t.state().seq;
    t.learn(40);
    const PlaybackState state = t.only<StateEffect>().state;
    cr_assert(!state.playing && state.position == 40 && state.cause == Cause::ended && !state.by);
    cr_assert_eq(state.seq, seq + 1);
  }
}

Test(session_playback, what_is_known_of_a_length_is_kept) {
  Pair t({}, 40);
  t.machine->take_durable_changed();
  t.learn(0);
  t.learn(40);
  t.effects.clear();
  t.machine->learn_duration({"another film", 7}, t.now, t.effects);
  cr_assert(t.machine->duration_s() == 40 && t.effects.size() == 0);
  cr_assert(!t.machine->take_durable_changed(), "nothing is to be stored for that");
}
