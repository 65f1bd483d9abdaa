// A session that goes on elsewhere: what the new place knows, who is still there, and who was lost.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/unit/proto/session/session_fixture.h"

using namespace videosync;

namespace {

// Ann (host), Bob and Cem watch; then their place is gone and only `record` and what an outpost
// knows are left.
struct Takeover {
  SessionFixture old;
  SessionMachine::JoinOutcome ann = old.join("Ann");
  SessionMachine::JoinOutcome bob = old.join("Bob");
  SessionMachine::JoinOutcome cem = old.join("Cem");
  SessionFixture t;  // the new place

  Takeover() {
    old.say(ann.id, SeekMessage{42});
    old.say(ann.id, PlayMessage{});
    old.pass(seconds);
  }
  void reopen(std::vector<MemberInfo> known, std::uint64_t epoch_floor = 0) {
    t.now = old.now;
    t.machine =
        SessionMachine::reopen(t.limits, old.machine->record(), epoch_floor, 7, known, t.now);
    t.machine->check_invariants();
  }
  std::vector<MemberInfo> everybody() const { return old.machine->members(); }
  void enroll(const SessionMachine::JoinOutcome& joined, const std::string& name) {
    t.effects.clear();
    t.machine->enroll({joined.id, joined.connection, name}, t.now, t.effects);
    t.machine->check_invariants();
  }
  bool is_connected(MemberId id) const { return bool{t.machine->connection_of(id)}; }
};

std::string names_of(const std::vector<MemberInfo>& members) {
  std::string names;
  for (const MemberInfo& member : members)
    names += member.name + " ";
  return names;
}

}  // namespace

Test(session_takeover, state_settings_and_host_stay_in_a_new_epoch) {
  Takeover over;
  const PlaybackState before = over.old.state();
  over.reopen(over.everybody());
  const PlaybackState& after = over.t.state();
  cr_assert(after.epoch > before.epoch);
  cr_assert_eq(after.seq, before.seq);
  cr_assert(after.playing && is_near(after.position, before.position));
  cr_assert_eq(after.at_us, before.at_us);
  cr_assert(over.t.machine->host() == over.ann.id);
  cr_assert(over.t.machine->holds_host_token(token_of(SessionFixture::host_token_seed)));
  cr_assert_eq(after.epoch, static_cast<std::uint64_t>(over.t.now), "server time");
  const auto heard = static_cast<std::uint64_t>(over.t.now) + 90;
  over.reopen({}, heard);
  cr_assert_eq(over.t.state().epoch, heard + 1, "above whatever was heard of");
}

Test(session_takeover, what_counts_of_the_epochs_before_is_told_for_the_latest_few) {
  Takeover over;
  over.reopen(over.everybody());
  const std::span<const Fork> forks = over.t.machine->forks();
  cr_assert_eq(forks.size(), 1);
  cr_assert(forks[0].epoch == over.t.state().epoch && forks[0].fence == 7);
  cr_assert_eq(forks[0].after_epoch, over.old.state().epoch);
  cr_assert_eq(forks[0].after_seq, over.old.state().seq);
  cr_assert_eq(forks[0].commands, 2, "a seek and a play");
  for (std::size_t i = 0; i < SessionRecord::forks_max; ++i) {
    over.t.machine =
        SessionMachine::reopen(over.t.limits, over.t.machine->record(), 0, 8 + i, {}, over.t.now);
  }
  cr_assert_eq(over.t.machine->forks().size(), SessionRecord::forks_max);
  cr_assert_eq(over.t.machine->forks().front().fence, 8, "the oldest is forgotten");
}

Test(session_takeover, why_the_host_has_the_seat_is_known_in_the_new_place) {
  Takeover over;
  over.reopen(over.everybody());
  cr_assert(over.t.machine->host_reason() == HostReason::joined);
  over.old.say(over.ann.id, GiveMessage{over.bob.id});
  over.reopen(over.everybody());
  cr_assert(over.t.machine->host() == over.bob.id);
  cr_assert(over.t.machine->host_reason() == HostReason::given);
}

Test(session_takeover, members_that_are_enrolled_never_went) {
  Takeover over;
  over.reopen(over.everybody());
  cr_assert_eq(over.t.machine->member_count(), 3);
  over.enroll(over.ann, "Ann");
  over.enroll(over.bob, "Bob");
  over.enroll(over.cem, "Cem");
  cr_assert(over.t.machine->connection_of(over.bob.id) == over.bob.connection);
  over.t.pass(60 * seconds);
  cr_assert(!over.t.has<MembersEffect>() && !over.t.has<HostEffect>());
  cr_assert_eq(over.t.machine->member_count(), 3);
  over.t.say(over.ann.id, PauseMessage{});
  cr_assert_not(over.t.only<StateEffect>().state.playing);
}

Test(session_takeover, who_is_not_heard_of_in_time_has_left_and_the_host_has_its_grace) {
  Takeover over;
  over.reopen(over.everybody());
  over.enroll(over.bob, "Bob");
  over.t.pass(over.t.limits.unheard_us - 1);
  cr_assert_eq(over.t.machine->member_count(), 3);
  over.t.pass(1);
  cr_assert_eq(over.t.machine->member_count(), 1);
  over.t.pass(over.t.limits.presence_interval_us);
  const auto told = over.t.only<MembersEffect>();
  cr_assert_eq(told.count, 1);
  cr_assert_eq(told.left.size(), 2);
  cr_assert(over.t.machine->host() == over.ann.id, "nobody inherits within the grace");
  over.t.pass(over.t.limits.host_grace_us);
  const auto host = over.t.only<HostEffect>();
  cr_assert(host.host == over.bob.id && host.reason == HostReason::left);
}

Test(session_takeover, without_anybody_known_the_host_of_the_record_is_away_and_resumes) {
  Takeover over;
  over.reopen({});
  cr_assert_eq(over.t.machine->member_count(), 0);
  over.t.effects.clear();
  const auto bob = *over.t.machine->join({.name = "Bob",
                                          .resume = SessionFixture::resume_token(over.bob.id),
                                          .host_token = {},
                                          .is_resume_proven = true,
                                          .connection = ConnectionNumber{77}},
                                         over.t.now, over.t.effects);
  cr_assert(bob.resumed && bob.id == over.bob.id, "of whom nobody here had heard");
  cr_assert_eq(bob.connection.value, 77, "a late leave of the old one must not end it");
  over.t.leave(over.bob);
  cr_assert(over.is_connected(over.bob.id));
  cr_assert(over.t.machine->host() == over.ann.id);
  const auto ann = over.t.join("", SessionFixture::resume_token(over.ann.id));
  cr_assert(ann.resumed && ann.id == over.ann.id);
  cr_assert_eq(over.t.machine->info(over.ann.id)->name, "Ann");
  over.t.pass(60 * seconds);
  cr_assert(over.t.machine->host() == over.ann.id);
}

Test(session_takeover, a_newcomer_gets_an_id_that_nobody_had) {
  Takeover over;
  const auto late = over.old.join("Dan");  // of whom the new place knows nothing
  over.reopen({});
  const auto fresh = over.t.join("Eve");
  cr_assert(fresh.id > late.id);
  over.enroll(late, "Dan");
  cr_assert(over.t.machine->connection_of(late.id) == late.connection);
}

// The line that gave it may go on giving those after it.
Test(session_takeover, an_id_of_another_line_does_not_lead_into_its_block) {
  Takeover over;
  over.reopen(over.everybody());
  const MemberId foreign{over.t.machine->record().next_member_id};
  SessionMachine::JoinOutcome dan;
  dan.id = foreign;
  dan.connection = ConnectionNumber{1};
  over.enroll(dan, "Dan");
  const auto next = over.t.join("Eve");
  cr_assert(next.id.value >= foreign.value + SessionMachine::reserved_ids);
  cr_assert(over.t.machine->record().next_member_id > next.id.value);
}

Test(session_takeover, whoever_the_others_may_not_know_is_announced) {
  Takeover over;
  over.reopen({{over.ann.id, "Ann", Role::host}, {over.bob.id, "Bob"}});
  over.enroll(over.ann, "Ann");
  over.enroll(over.bob, "Bob");
  over.enroll(over.cem, "Cem");
  over.t.pass(over.t.limits.presence_interval_us);
  cr_assert_eq(names_of(over.t.only<MembersEffect>().joined), "Cem ");
}

Test(session_takeover, who_was_told_to_have_left_is_announced_when_it_is_back) {
  Takeover over;
  over.reopen(over.everybody());
  over.enroll(over.ann, "Ann");
  over.enroll(over.bob, "Bob");
  over.t.pass(over.t.limits.unheard_us);
  over.t.pass(over.t.limits.presence_interval_us);
  cr_assert_eq(names_of(over.t.only<MembersEffect>().left), "Cem ");
  over.enroll(over.cem, "Cem");
  over.t.pass(over.t.limits.presence_interval_us);
  cr_assert_eq(names_of(over.t.only<MembersEffect>().joined), "Cem ");
}

Test(session_takeover, who_has_come_back_otherwise_is_not_enrolled) {
  Takeover over;
  over.reopen(over.everybody());
  const auto again = over.t.join("", SessionFixture::resume_token(over.bob.id));
  cr_assert(again.resumed);
  over.enroll(over.bob, "Bob");
  cr_assert(over.t.machine->connection_of(over.bob.id) == again.connection);
}

Test(session_takeover, who_was_removed_comes_back_neither_by_enrolling_nor_by_its_token) {
  Takeover over;
  over.reopen(over.everybody());
  over.enroll(over.ann, "Ann");
  over.enroll(over.bob, "Bob");
  over.t.say(over.ann.id, KickMessage{over.bob.id});
  over.enroll(over.bob, "Bob");
  cr_assert_not(over.is_connected(over.bob.id));
  const auto fresh = over.t.join("Bob", SessionFixture::resume_token(over.bob.id));
  cr_assert(!fresh.resumed && fresh.id != over.bob.id);
}

Test(session_takeover, what_is_still_to_be_told_can_be_told_before_the_machine_goes) {
  SessionFixture t;
  t.join("Ann");
  const auto bob = t.join("Bob");
  t.pass(seconds);
  t.leave(bob);
  t.effects.clear();
  t.machine->flush_presence(t.effects);
  cr_assert_eq(names_of(t.only<MembersEffect>().left), "Bob ");
  t.pass(seconds);
  cr_assert_not(t.has<MembersEffect>(), "once is enough");
}

Test(session_takeover, who_holds_a_later_state_is_not_shown_an_earlier_one) {
  Takeover over;
  const PlaybackState& state = over.old.state();
  const auto join = [&](std::uint64_t epoch, std::uint64_t seq, bool is_proven = true) {
    over.old.effects.clear();
    return over.old.machine->join({.name = "Dan",
                                   .resume = SessionFixture::resume_token(over.ann.id),
                                   .host_token = {},
                                   .is_resume_proven = is_proven,
                                   .connection = {},
                                   .held = {epoch, seq}},
                                  over.old.now, over.old.effects);
  };
  const auto refused = join(state.epoch, state.seq + 1);
  cr_assert(!refused && refused.error() == SessionMachine::JoinRefusal::behind);
  cr_assert(!join(state.epoch + 1, 0));
  cr_assert(join(state.epoch, state.seq).has_value());
  cr_assert(join(0, 99).has_value());
  cr_assert(join(state.epoch + 1, 0, false).has_value(), "anybody may say so");
}

Test(session_takeover, whoever_was_here_or_away_is_expected_back_by_name) {
  Takeover over;
  over.old.leave(over.cem);
  const auto known = over.old.machine->known_members();
  cr_assert_eq(known.size(), 3U);
  over.reopen({});
  over.t.machine->expect_back(known);
  over.t.machine->check_invariants();
  cr_assert_eq(over.t.machine->member_count(), 0U);
  for (const auto& [joined, name] :
       {std::pair(over.cem, "Cem"), std::pair(over.ann, "Ann"), std::pair(over.bob, "Bob")}) {
    const auto back = over.t.join("", SessionFixture::resume_token(joined.id));
    cr_assert(back.id == joined.id);
    const auto info = over.t.machine->info(joined.id);
    cr_assert_str_eq(info->name.c_str(), name);
  }
  cr_assert(over.t.machine->host() == over.ann.id);
}

Test(session_takeover, who_was_removed_or_is_long_gone_is_not_expected_back) {
  Takeover over;
  over.old.leave(over.cem);
  over.old.pass(over.old.limits.resume_window_us + seconds);
  over.old.say(over.ann.id, KickMessage{over.bob.id});
  over.reopen({});
  over.t.machine->expect_back(over.old.machine->known_members());
  for (const MemberId id : {over.bob.id, over.cem.id})
    cr_assert(over.t.join("", SessionFixture::resume_token(id)).id != id);
  cr_assert(over.t.join("", SessionFixture::resume_token(over.ann.id)).id == over.ann.id);
}

Test(session_takeover, what_cannot_be_a_member_is_not_expected) {
  Takeover over;
  over.reopen({});
  const std::vector<SessionMachine::KnownMember> known{
      {.id = {}, .name = "Nobody"},
      {.id = over.bob.id, .name = ""},
      {.id = over.bob.id, .name = std::string(161, 'x')},
      {.id = MemberId{UINT32_MAX}, .name = "Nobody"}};
  over.t.machine->expect_back(known);
  over.t.machine->check_invariants();
  cr_assert_eq(over.t.machine->known_members().size(), 1U, "the host alone");
}
