// The door: who may come in, and who waits for the host's word.
#include <criterion/criterion.h>

#include "tests/unit/proto/session/session_fixture.h"

using namespace videosync;

namespace {

using Refused = SessionMachine::JoinRefusal;

SettingsMessage set(Door door) {
  return {.door = door};
}

// Ann is host, and the door is that.
struct Room : SessionFixture {
  SessionMachine::JoinOutcome ann = join("Ann");

  explicit Room(Door door) { say(ann.id, set(door)); }

  auto knock(std::uint64_t id, std::string name = "Ben") {
    effects.clear();
    SessionMachine::JoinRequest request;
    request.name = std::move(name);
    request.knock = {KnockId{id}, 5};
    const auto outcome = machine->join(request, now, effects);
    machine->check_invariants();
    return outcome;
  }
  bool waits(std::uint64_t id) {
    const auto outcome = knock(id);
    return !outcome && outcome.error() == Refused::waits;
  }
  void leave_door(std::uint64_t id) {
    effects.clear();
    machine->leave_door(KnockId{id}, now, effects);
  }
};

}  // namespace

Test(session_door, it_is_open_until_the_host_says_otherwise) {
  SessionFixture t;
  cr_assert(t.machine->settings().door == Door::open);
  const auto ann = t.join("Ann");
  const auto ben = t.join("Ben");
  t.say(ben.id, set(Door::locked));
  cr_assert(t.refused(Refusal::not_host));
  t.say(ann.id, set(Door::locked));
  cr_assert(t.only<SettingsEffect>().settings.door == Door::locked);
  cr_assert(t.machine->take_durable_changed());
  cr_assert(t.machine->record().settings.door == Door::locked);
}

Test(session_door, a_locked_one_stops_whoever_is_no_member_nor_was_one) {
  Room t(Door::locked);
  const auto stopped = t.knock(7);
  cr_assert(!stopped && stopped.error() == Refused::locked);
  cr_assert(t.effects.empty(), "nobody is told");
  const auto other = t.try_join("Ben", std::nullopt, token_of(1));
  cr_assert(!other && other.error() == Refused::locked, "another's token");
  t.leave(t.ann);
  cr_assert(t.join("Ann", SessionFixture::resume_token(t.ann.id)).resumed);
  t.join("Cem", std::nullopt, token_of(SessionFixture::host_token_seed));
  cr_assert_eq(t.machine->member_count(), 2u);
}

Test(session_door, nobody_becomes_host_of_an_empty_session_by_coming_to_a_door_that_is_not_open) {
  for (const Door door : {Door::knock, Door::locked}) {
    SessionFixture t(SessionSettings{.door = door});
    const auto stopped = t.try_join("Ben");
    cr_assert(!stopped);
    cr_assert_not(t.machine->host());
    t.join("Ann", std::nullopt, token_of(SessionFixture::host_token_seed));
    cr_assert(t.machine->host());
  }
}

Test(session_door, who_knocks_waits_for_the_hosts_word) {
  Room t(Door::knock);
  cr_assert(t.waits(7));
  const auto told = t.only<KnockEffect>();
  cr_assert(told.to == t.ann.id && told.id == KnockId{7} && told.name == "Ben" && !told.is_gone);
  cr_assert_eq(t.machine->member_count(), 1u);
  cr_assert(t.waits(7));
  cr_assert(t.effects.empty(), "it has been told");
  t.say(t.ann.id, AdmitMessage{KnockId{7}});
  cr_assert(t.only<KnockEffect>().is_gone);
  const auto decided = t.only<DecidedEffect>().knock;
  cr_assert(decided.id == KnockId{7} && decided.place == 5);
  const auto ben = t.knock(7);
  cr_assert(ben.has_value());
  cr_assert_eq(t.machine->info(ben->id)->name, "Ben");
  cr_assert(t.waits(7), "the word was for once");
}

Test(session_door, a_nameless_one_has_a_name_for_the_host) {
  Room t(Door::knock);
  cr_assert(!t.knock(7, ""));
  cr_assert_eq(t.only<KnockEffect>().name, "Guest");
}

Test(session_door, who_is_refused_hears_it_whenever_it_asks) {
  Room t(Door::knock);
  cr_assert(t.waits(7));
  t.say(t.ann.id, RefuseMessage{KnockId{7}});
  cr_assert(t.has<DecidedEffect>());
  for (int i = 0; i < 2; ++i) {
    const auto refused = t.knock(7);
    cr_assert(!refused && refused.error() == Refused::turned_away);
  }
  cr_assert(t.waits(8), "another connection");
}

Test(session_door, only_the_host_has_the_word_and_only_of_who_waits) {
  Room t(Door::knock);
  const auto ben = t.join("Ben", std::nullopt, token_of(SessionFixture::host_token_seed));
  cr_assert(t.waits(7));
  cr_assert(t.only<KnockEffect>().to == ben.id);
  t.say(t.ann.id, AdmitMessage{KnockId{7}});
  cr_assert(t.refused(Refusal::not_host));
  t.say(ben.id, AdmitMessage{KnockId{6}});
  cr_assert(t.refused(Refusal::no_such_member));
  t.leave_door(7);
  cr_assert(t.only<KnockEffect>().is_gone);
  t.say(ben.id, RefuseMessage{KnockId{7}});
  cr_assert(t.refused(Refusal::no_such_member));
}

Test(session_door, a_new_host_and_one_that_comes_back_hear_of_all_who_wait) {
  Room t(Door::knock);
  cr_assert(t.waits(7));
  cr_assert(t.waits(8));
  t.leave(t.ann);
  cr_assert(t.waits(9));
  cr_assert(t.effects.empty(), "nobody is there to hear it");
  t.join("Ann", SessionFixture::resume_token(t.ann.id));
  cr_assert_eq(t.all<KnockEffect>().size(), 3u);
  const auto ben = t.join("Ben", std::nullopt, token_of(SessionFixture::host_token_seed));
  cr_assert_eq(t.all<KnockEffect>().size(), 3u);
  for (const KnockEffect& told : t.all<KnockEffect>())
    cr_assert(told.to == ben.id);
}

Test(session_door, opening_or_locking_it_sends_all_who_wait_on) {
  for (const Door door : {Door::open, Door::locked}) {
    Room t(Door::knock);
    cr_assert(t.waits(7));
    cr_assert(t.waits(8));
    t.say(t.ann.id, set(Door::knock));
    cr_assert_eq(t.all<DecidedEffect>().size(), 0u);
    t.say(t.ann.id, set(door));
    cr_assert_eq(t.all<DecidedEffect>().size(), 2u);
    cr_assert_eq(t.all<KnockEffect>().size(), 2u);
    const auto next = t.knock(7);
    cr_assert_eq(next.has_value(), door == Door::open);
  }
}

Test(session_door, the_end_sends_all_who_wait_on) {
  Room t(Door::knock);
  cr_assert(t.waits(7));
  t.say(t.ann.id, EndMessage{});
  cr_assert(t.has<DecidedEffect>());
  const auto late = t.knock(7);
  cr_assert(!late && late.error() == Refused::ended);
}

Test(session_door, who_is_silent_has_gone) {
  Room t(Door::knock);
  cr_assert(t.waits(7));
  t.pass(Knocks::lease_us - 1);
  cr_assert_not(t.has<KnockEffect>());
  cr_assert(t.machine->next_deadline_us() <= t.now + 1);
  t.pass(1);
  cr_assert(t.only<KnockEffect>().is_gone);
  t.say(t.ann.id, AdmitMessage{KnockId{7}});
  cr_assert(t.refused(Refusal::no_such_member));
}

Test(session_door, who_is_let_in_and_finds_no_room_is_told_so) {
  Room t(Door::knock);
  t.limits.members_max = 1;
  const auto full = t.knock(7);
  cr_assert(!full && full.error() == Refused::full);
}
