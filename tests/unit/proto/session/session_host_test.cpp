// Who sits in the host's seat, and what happens to members that come and go.
#include "tests/unit/proto/session/session_fixture.h"

using namespace videosync;

Test(session_host, the_first_in_is_host) {
  SessionFixture t;
  const auto first = t.join("Ann");
  cr_assert_eq(std::get<WelcomeEffect>(t.effects[0]).to.value, first.id.value);
  const auto host = t.only<HostEffect>();
  cr_assert(host.host == first.id && host.reason == HostReason::joined && host.epoch == 1);
  const auto second = t.join("Bob");
  cr_assert(!t.has<HostEffect>());
  cr_assert(t.machine->host() == first.id && second.id > first.id);
  cr_assert_eq(t.machine->member_count(), 2u);
  cr_assert_eq(t.state().epoch, 1u);
  cr_assert_eq(t.state().seq, 0u);
}

Test(session_host, a_host_that_resumes_in_its_grace_changes_nothing) {
  SessionFixture t;
  const auto host = t.join("Ann");
  const auto token = t.resume_token(host.id);
  t.join("Bob");
  t.say(host.id, PlayMessage{});
  t.leave(host);
  cr_assert(!t.has<HostEffect>() && t.state().playing);
  t.pass(9 * seconds);
  cr_assert(!t.has<HostEffect>() && t.machine->host() == host.id);
  const auto again = t.join("other name", token);
  cr_assert(again.resumed && again.id == host.id && !again.displaced);
  cr_assert(again.connection > host.connection);
  cr_assert(!t.has<HostEffect>());
  cr_assert(t.machine->info(host.id)->name == "Ann");
  cr_assert(t.machine->info(host.id)->role == Role::host);
  t.pass(60 * seconds);
  cr_assert(!t.has<HostEffect>() && t.machine->host() == host.id);
}

Test(session_host, after_the_grace_the_longest_connected_follows) {
  SessionFixture t;
  const auto host = t.join();
  const auto token = t.resume_token(host.id);
  const auto second = t.join();
  const auto second_token = t.resume_token(second.id);
  const auto third = t.join();
  t.leave(second);
  t.now += seconds;
  t.join("", second_token);  // keeps its place before the third
  t.leave(host);
  t.pass(10 * seconds - 1);
  cr_assert(!t.has<HostEffect>());
  t.pass(1);
  const auto change = t.only<HostEffect>();
  cr_assert(change.host == second.id && change.reason == HostReason::left && change.epoch == 2);
  // Back within the resume window, but after its grace: the same member, without the role.
  t.now += 15 * seconds;
  const auto back = t.join("", token);
  cr_assert(back.resumed && back.id == host.id && t.machine->host() == second.id);
  cr_assert(!t.has<HostEffect>());
  cr_assert(t.machine->members()[0].id == second.id);
  cr_assert(t.machine->members()[1].id == host.id && t.machine->members()[2].id == third.id);
}

Test(session_host, a_late_tick_does_not_give_the_seat_back) {
  SessionFixture t;
  const auto host = t.join();
  const auto token = t.resume_token(host.id);
  const auto second = t.join();
  t.leave(host);
  t.now += 12 * seconds;  // no tick in between
  t.join("", token);
  cr_assert_eq(std::get<WelcomeEffect>(t.effects[0]).to.value, host.id.value);
  cr_assert(t.only<HostEffect>().reason == HostReason::left);
  cr_assert(t.machine->host() == second.id);
}

Test(session_host, an_empty_session_gives_the_seat_to_the_next_who_joins) {
  SessionFixture t;
  const auto host = t.join();
  t.leave(host);
  t.pass(10 * seconds);
  cr_assert(!t.only<HostEffect>().host && !t.machine->host());
  const auto next = t.join();
  const auto change = t.only<HostEffect>();
  cr_assert(change.host == next.id && change.reason == HostReason::joined && change.epoch == 3);
}

Test(session_host, a_session_that_everybody_has_left_stands_where_that_was) {
  SessionFixture t;
  const auto host = t.join();
  const auto other = t.join();
  t.say(host.id, PlayMessage{.position = 10});
  t.pass(50 * ms + 5 * seconds);
  t.leave(other);
  t.pass(2 * seconds);
  t.leave(host);
  const std::int64_t left_us = t.now;
  t.pass(30 * seconds - 1);
  cr_assert(t.state().playing, "they may have lost their connection");
  t.pass(1);
  const PlaybackState told = t.only<StateEffect>().state;
  cr_assert(!told.playing && !told.by && told.cause == Cause::pause && told.seq == 2);
  cr_assert(is_near(told.position, 17) && told.at_us == left_us);
  cr_assert(t.machine->take_durable_changed());
  t.pass(3600 * seconds);
  cr_assert(!t.has<StateEffect>());
  t.join();
  cr_assert(t.state().seq == 2 && !t.state().playing && is_near(t.state().position, 17));
}

Test(session_host, what_stood_before_everybody_left_tells_when_that_was) {
  SessionFixture t;
  const auto host = t.join();
  const auto token = t.resume_token(host.id);
  t.say(host.id, SeekMessage{.position = 40});
  t.pass(60 * seconds);
  t.leave(host);
  t.now += 29 * seconds;
  const auto again = t.join("", token);
  cr_assert(!t.has<StateEffect>() && t.state().seq == 1);
  t.leave(again);
  const std::int64_t left_us = t.now;
  t.pass(30 * seconds);
  cr_assert(t.state().position == 40 && t.state().at_us == left_us && t.state().seq == 2);
}

Test(session_host, nobody_has_left_a_session_in_which_nobody_was) {
  SessionFixture t;
  t.pass(3600 * seconds);
  cr_assert(!t.has<StateEffect>() && t.state().seq == 0);
}

Test(session_host, a_session_that_comes_from_its_record_stands_where_it_was_left) {
  SessionFixture t;
  const auto host = t.join();
  t.say(host.id, PlayMessage{});
  t.pass(50 * ms + 20 * seconds);
  t.leave(host);
  const std::int64_t left_us = t.now;
  const auto record = t.machine->record();
  const auto told = [&] { return SessionMachine::state_as_left(t.limits, record, t.now); };
  cr_assert(told().playing, "they may come back yet");
  t.now += 40 * seconds;
  cr_assert(!told().playing && is_near(told().position, 20) && told().at_us == left_us);
  cr_assert(told().epoch == record.state.epoch && told().seq == record.state.seq);
  t.machine = std::make_unique<SessionMachine>(t.limits, record, t.now);
  t.join();
  cr_assert(!t.state().playing && is_near(t.state().position, 20) && t.state().at_us == left_us);
}

Test(session_host, who_joins_during_the_grace_waits_for_its_end) {
  SessionFixture t;
  const auto host = t.join();
  t.leave(host);
  t.now += 4 * seconds;
  const auto next = t.join();
  cr_assert(!t.has<HostEffect>() && t.machine->host() == host.id);
  t.pass(6 * seconds);
  cr_assert(t.only<HostEffect>().host == next.id);
  cr_assert(t.only<HostEffect>().reason == HostReason::left);
}

Test(session_host, the_host_token_takes_the_seat) {
  SessionFixture t;
  const auto first = t.join("", std::nullopt, token_of(SessionFixture::host_token_seed));
  cr_assert(t.only<HostEffect>().reason == HostReason::joined);
  const auto second = t.join("", std::nullopt, token_of(1));
  cr_assert(!t.has<HostEffect>() && !t.has<ErrorEffect>());
  const auto third = t.join("", std::nullopt, token_of(SessionFixture::host_token_seed));
  cr_assert(t.only<HostEffect>().host == third.id);
  cr_assert(t.only<HostEffect>().reason == HostReason::claimed);
  t.say(second.id, ClaimMessage{token_of(1)});
  cr_assert(t.refused(Refusal::not_host));
  t.say(second.id, ClaimMessage{token_of(SessionFixture::host_token_seed)});
  cr_assert(t.only<HostEffect>().host == second.id);
  t.say(second.id, ClaimMessage{token_of(SessionFixture::host_token_seed)});
  cr_assert(t.effects.empty());
  cr_assert(t.machine->host() == second.id && first.id != second.id);
}

Test(session_host, a_claim_during_the_grace_ends_it) {
  SessionFixture t;
  const auto host = t.join();
  const auto token = t.resume_token(host.id);
  const auto second = t.join();
  const auto third = t.join();
  t.leave(host);
  t.say(third.id, ClaimMessage{token_of(SessionFixture::host_token_seed)});
  t.join("", token);
  t.pass(60 * seconds);
  cr_assert(t.machine->host() == third.id && second.id != third.id);
}

Test(session_host, the_host_gives_the_seat_to_a_connected_member) {
  SessionFixture t;
  const auto host = t.join();
  const auto second = t.join();
  const auto gone = t.join();
  t.leave(gone);
  t.say(host.id, GiveMessage{gone.id});
  cr_assert(t.refused(Refusal::no_such_member));
  t.say(host.id, GiveMessage{host.id});
  cr_assert(t.effects.empty());
  t.say(host.id, GiveMessage{second.id});
  cr_assert(t.only<HostEffect>().host == second.id);
  cr_assert(t.only<HostEffect>().reason == HostReason::given);
  t.say(host.id, GiveMessage{host.id});
  cr_assert(t.refused(Refusal::not_host));
}

Test(session_host, a_kicked_member_may_not_resume) {
  SessionFixture t;
  const auto host = t.join();
  const auto guest = t.join();
  const auto token = t.resume_token(guest.id);
  t.say(host.id, KickMessage{host.id});
  cr_assert(t.refused(Refusal::bad_message));
  t.say(host.id, KickMessage{MemberId{99}});
  cr_assert(t.refused(Refusal::no_such_member));
  t.say(host.id, KickMessage{guest.id});
  const auto close = t.only<CloseEffect>();
  cr_assert(close.to == guest.id && close.code == close_code::removed);
  cr_assert(close.connection == guest.connection);
  cr_assert_eq(t.machine->member_count(), 1u);
  t.leave(guest);
  t.say(guest.id, ChatMessage{"still here?"});
  cr_assert(t.effects.empty());
  const auto again = t.join("", token);
  cr_assert(!again.resumed && again.id > guest.id);
}

Test(session_host, a_kick_of_a_member_that_is_away_takes_its_way_back) {
  SessionFixture t;
  const auto host = t.join();
  const auto guest = t.join();
  const auto token = t.resume_token(guest.id);
  t.leave(guest);
  t.say(host.id, KickMessage{guest.id});
  cr_assert(t.effects.empty());
  cr_assert(!t.join("", token).resumed);
}

Test(session_host, a_second_connection_displaces_the_first) {
  SessionFixture t;
  const auto first = t.join("Ann");
  const auto second = t.join("", t.resume_token(first.id));
  cr_assert(second.id == first.id && second.resumed && second.displaced == first.connection);
  const auto close = t.only<CloseEffect>();
  cr_assert_eq(close.code, close_code::connected_elsewhere);
  cr_assert(close.connection == first.connection);
  cr_assert_eq(t.machine->member_count(), 1u);
  t.leave(first);  // the late news of the displaced one
  cr_assert_eq(t.machine->member_count(), 1u);
  t.leave(second);
  cr_assert_eq(t.machine->member_count(), 0u);
}

Test(session_host, a_join_that_comes_late_does_not_displace_a_newer_connection) {
  constexpr std::uint32_t late_max = 10'000;
  SessionFixture t;
  std::uint32_t seated = 5;  // and the numbers below go round
  const auto joined = t.join();
  const auto join_as = [&](std::uint32_t number) {
    t.effects.clear();
    return t.machine->join({.name = "",
                            .resume = SessionFixture::resume_token(joined.id),
                            .host_token = {},
                            .is_resume_proven = true,
                            .connection = ConnectionNumber{number}},
                           t.now, t.effects);
  };
  const auto is_seated = [&](std::uint32_t number) {
    t.machine->check_invariants();
    return t.machine->connection_of(joined.id) == ConnectionNumber{number};
  };
  cr_assert(join_as(seated).has_value());
  for (const std::uint32_t before : {1U, 6U, late_max}) {
    const auto late = join_as(seated - before);
    cr_assert(!late && late.error() == SessionMachine::JoinRefusal::late, "%u before", before);
    cr_assert(t.effects.empty() && is_seated(seated), "%u before", before);
  }
  // Further apart its number is of another clock, which says nothing.
  const auto other = join_as(seated - late_max - 1);
  cr_assert(other && other->displaced == ConnectionNumber{seated});
  seated -= late_max + 1;
  cr_assert(is_seated(seated));
  cr_assert(join_as(seated).has_value(), "as new as the one that is there");
  cr_assert(join_as(++seated).has_value() && is_seated(seated));
  // Where nobody is seated nobody comes too late.
  t.leave(
      {.id = joined.id, .connection = ConnectionNumber{seated}, .resumed = true, .displaced = {}});
  cr_assert(join_as(seated - 1).has_value() && is_seated(seated - 1));
}

Test(session_host, a_resume_token_lasts_thirty_seconds) {
  SessionFixture t;
  t.join();
  const auto guest = t.join();
  const auto token = t.resume_token(guest.id);
  t.leave(guest);
  t.now += 30 * seconds - 1;
  const auto back = t.join("", token);
  cr_assert(back.resumed && back.id == guest.id);
  t.leave(back);
  t.now += 30 * seconds;
  const auto other = t.join("", token);
  cr_assert(!other.resumed && other.id > guest.id);
  cr_assert(!t.machine->info(guest.id));
}

Test(session_host, a_wrong_secret_makes_a_new_member) {
  SessionFixture t;
  const auto first = t.join();
  const auto other = t.join("", ResumeToken{first.id, token_of(8)});
  cr_assert(!other.resumed && other.id != first.id);
}

Test(session_host, a_full_session_takes_back_its_own) {
  SessionFixture t;
  t.limits.members_max = 2;
  t.join();
  const auto second = t.join();
  const auto token = t.resume_token(second.id);
  cr_assert(t.try_join().error() == SessionMachine::JoinRefusal::full);
  cr_assert(t.effects.empty());
  cr_assert(t.join("", token).resumed);  // displaces itself
}

Test(session_host, who_is_away_is_bounded) {
  SessionFixture t;
  t.limits.members_max = 3;
  t.join();
  std::optional<ResumeToken> last;
  for (int i = 0; i < 10; ++i) {
    const auto guest = t.join();
    last = t.resume_token(guest.id);
    t.leave(guest);
  }
  cr_assert(!t.join("", last).resumed);
}

Test(session_host, the_host_may_resume_as_long_as_its_grace) {
  SessionFixture t;
  t.limits.host_grace_us = 60 * seconds;
  const auto host = t.join();
  const auto token = t.resume_token(host.id);
  t.join();
  t.leave(host);
  t.pass(50 * seconds);
  cr_assert(t.join("", token).resumed && t.machine->host() == host.id);
}

Test(session_host, an_end_is_final) {
  SessionFixture t;
  const auto host = t.join();
  const auto guest = t.join();
  t.say(guest.id, EndMessage{});
  cr_assert(t.refused(Refusal::not_host));
  t.say(host.id, EndMessage{});
  cr_assert_eq(t.only<EndedEffect>().code, close_code::session_ended);
  cr_assert(t.machine->ended());
  cr_assert_eq(t.machine->next_deadline_us(), INT64_MAX);
  cr_assert(t.try_join().error() == SessionMachine::JoinRefusal::ended);
  t.leave(guest);
  t.pass(100 * seconds);
  cr_assert(t.effects.empty());
}

Test(session_host, an_empty_session_grows_old) {
  SessionFixture t;
  const auto host = t.join();
  t.pass(48 * 3600 * seconds);
  cr_assert(!t.machine->ended());
  t.leave(host);
  t.pass(24 * 3600 * seconds - 1);
  cr_assert(!t.machine->ended());
  t.pass(1);
  cr_assert(t.has<EndedEffect>() && t.machine->ended());
}

Test(session_host, an_own_deadline_comes_for_everything) {
  SessionFixture t;
  const auto host = t.join();
  const auto second = t.join();
  t.pass(seconds);
  t.leave(host);
  for (int steps = 0; t.machine->host() != second.id; ++steps) {
    cr_assert_lt(steps, 10);
    t.pass(t.machine->next_deadline_us() - t.now);
  }
  cr_assert_eq(t.now, fixture_start_us + 11 * seconds);
}
