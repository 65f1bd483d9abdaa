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
struct Doorstep : SessionFixture {
  SessionMachine::JoinOutcome ann = join("Ann");

  explicit Doorstep(Door door) { say(ann.id, set(door)); }

  auto knock(std::uint64_t id, std::string name = "Ben") {
    effects.clear();
    SessionMachine::JoinRequest request;
    request.name = std::move(name);
    request.knock = {KnockId{id}, 5};
    const auto outcome = machine->join(request, now, effects);
    machine->check_invariants();
    return outcome;
  }
  // Through a connection that shows that browser's cookie.
  auto come(std::uint64_t browser, std::optional<Token> host_token = std::nullopt,
            std::optional<ResumeToken> resume = std::nullopt) {
    effects.clear();
    SessionMachine::JoinRequest request;
    request.resume = resume;
    request.is_resume_proven = resume.has_value();
    request.host_token = host_token;
    request.knock = {KnockId{browser + 1'000}, 0};
    request.browser = BrowserId{browser};
    const auto outcome = machine->join(request, now, effects);
    machine->check_invariants();
    return outcome;
  }
  bool is_kept_out(std::uint64_t browser) {
    const auto outcome = come(browser);
    return !outcome && outcome.error() == Refused::removed;
  }
  void remove(MemberId id) { say(ann.id, KickMessage{id}); }
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
  Doorstep t(Door::locked);
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
  Doorstep t(Door::knock);
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
  Doorstep t(Door::knock);
  cr_assert(!t.knock(7, ""));
  cr_assert_eq(t.only<KnockEffect>().name, "Guest");
}

Test(session_door, who_is_refused_hears_it_whenever_it_asks) {
  Doorstep t(Door::knock);
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
  Doorstep t(Door::knock);
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
  Doorstep t(Door::knock);
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
    Doorstep t(Door::knock);
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
  Doorstep t(Door::knock);
  cr_assert(t.waits(7));
  t.say(t.ann.id, EndMessage{});
  cr_assert(t.has<DecidedEffect>());
  const auto late = t.knock(7);
  cr_assert(!late && late.error() == Refused::ended);
}

Test(session_door, who_is_silent_has_gone) {
  Doorstep t(Door::knock);
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
  Doorstep t(Door::knock);
  t.limits.members_max = 1;
  const auto full = t.knock(7);
  cr_assert(!full && full.error() == Refused::full);
}

Test(session_door, a_browser_whose_member_was_removed_does_not_come_in_again) {
  for (const Door door : {Door::open, Door::knock, Door::locked}) {
    Doorstep t(Door::open);
    const auto ben = t.come(5);
    cr_assert(ben.has_value());
    t.machine->take_durable_changed();
    t.remove(ben->id);
    cr_assert(t.machine->take_durable_changed(), "it is to be stored");
    t.say(t.ann.id, set(door));
    cr_assert(t.is_kept_out(5));
    cr_assert(t.effects.empty(), "nobody is told");
    cr_assert(t.is_kept_out(5));
    const auto again = t.come(5, std::nullopt, SessionFixture::resume_token(ben->id));
    cr_assert(!again && again.error() == Refused::removed, "as the member that it was");
    const auto other = t.come(6);
    cr_assert(other.has_value() ? door == Door::open : other.error() != Refused::removed);
    cr_assert(t.come(5, token_of(SessionFixture::host_token_seed)).has_value(), "it is the host's");
  }
}

Test(session_door, a_browser_that_shows_no_cookie_is_none_that_was_removed) {
  Doorstep t(Door::open);
  const auto ben = t.come(0);
  t.remove(ben->id);
  cr_assert(t.come(0).has_value());
  cr_assert(t.machine->record().removed_browsers.empty());
}

Test(session_door, the_browser_counts_with_which_a_member_came_last) {
  Doorstep t(Door::open);
  const auto ben = t.come(5);
  t.machine->leave(ben->id, ben->connection, t.now, t.effects);
  cr_assert(t.come(6, std::nullopt, SessionFixture::resume_token(ben->id))->resumed);
  t.remove(ben->id);
  cr_assert(t.is_kept_out(6));
  cr_assert(t.come(5).has_value());
}

Test(session_door, who_is_away_is_removed_with_its_browser) {
  Doorstep t(Door::open);
  const auto ben = t.come(5);
  t.machine->leave(ben->id, ben->connection, t.now, t.effects);
  t.remove(ben->id);
  cr_assert(t.is_kept_out(5));
}

Test(session_door, the_host_may_close_a_second_window_of_its_own_browser) {
  Doorstep t(Door::open);
  const auto host = t.come(5, token_of(SessionFixture::host_token_seed));
  const auto window = t.come(5);
  t.say(host->id, KickMessage{window->id});
  cr_assert_not(t.machine->info(window->id).has_value());
  cr_assert(t.come(5).has_value());
}

Test(session_door, who_waits_in_a_browser_that_is_removed_meanwhile_is_refused) {
  Doorstep t(Door::open);
  const auto ben = t.come(5);
  t.say(t.ann.id, set(Door::knock));
  cr_assert(t.come(5).error() == Refused::waits);
  t.remove(ben->id);
  cr_assert(t.is_kept_out(5));
}

Test(session_door, the_newest_removed_browsers_are_remembered) {
  Doorstep t(Door::open);
  for (std::uint64_t i = 1; i <= removed_browsers_max + 1; ++i)
    t.remove(t.come(i)->id);
  cr_assert_eq(t.machine->record().removed_browsers.size(), removed_browsers_max);
  cr_assert(t.come(1).has_value(), "the first one is forgotten");
  for (std::uint64_t i = 2; i <= removed_browsers_max + 1; ++i)
    cr_assert(t.is_kept_out(i));
}

Test(session_door, another_place_knows_who_was_removed_and_whose_browser_is_whose) {
  Doorstep t(Door::open);
  const auto ben = t.come(5);
  const auto cem = t.come(6);
  t.remove(ben->id);
  t.machine = SessionMachine::reopen(t.limits, t.machine->record(), 0, 7, {}, t.now);
  cr_assert(t.is_kept_out(5));
  const auto resumed = t.come(5, std::nullopt, SessionFixture::resume_token(ben->id));
  cr_assert(!resumed && resumed.error() == Refused::removed, "nobody here had heard of it");
  t.machine->enroll({t.ann.id, t.ann.connection, "Ann"}, t.now, t.effects);
  t.machine->enroll({cem->id, cem->connection, "Cem", BrowserId{6}}, t.now, t.effects);
  t.remove(cem->id);
  cr_assert(t.is_kept_out(6));
}

Test(session_door, whom_the_host_token_let_in_after_all_is_known_at_another_place_by_it) {
  Doorstep t(Door::open);
  const Token host_token = token_of(SessionFixture::host_token_seed);
  t.remove(t.come(5)->id);
  const auto back = t.come(5, host_token);
  cr_assert(back.has_value());
  t.say(back->id, GiveMessage{t.ann.id});  // of the host another place knows
  t.machine = SessionMachine::reopen(t.limits, t.machine->record(), 0, 7, {}, t.now);
  const auto resume = SessionFixture::resume_token(back->id);
  const auto unproven = t.come(5, std::nullopt, resume);
  cr_assert(!unproven && unproven.error() == Refused::removed);
  const auto resumed = t.come(5, host_token, resume);
  cr_assert(resumed.has_value() && resumed->resumed);
  cr_assert_eq(resumed->id, back->id);
}
