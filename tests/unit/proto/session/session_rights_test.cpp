// Who may do what: the host, everyone, or those whom the host has named.
#include <vector>

#include "tests/unit/proto/session/session_fixture.h"

using namespace videosync;

namespace {

struct Room : SessionFixture {
  SessionMachine::JoinOutcome ann = join("Ann"), bob = join("Bob"), cem = join("Cem");

  void let_control(std::vector<MemberId> whom) {
    say(ann.id, SettingsMessage{.controllers = share_ids(std::move(whom))});
  }
  bool may_play(const SessionMachine::JoinOutcome& who) {
    say(who.id, PlayMessage{});
    return !refused(Refusal::not_host);
  }
};

}  // namespace

Test(session_rights, those_whom_the_host_has_named_control) {
  Room t;
  cr_assert(!t.may_play(t.bob));
  t.let_control({t.bob.id});
  cr_assert(t.only<SettingsEffect>().settings.controllers == std::vector{t.bob.id});
  cr_assert(t.may_play(t.bob) && !t.may_play(t.cem) && t.may_play(t.ann));
  t.say(t.bob.id, SeekMessage{3});
  t.say(t.bob.id, PauseMessage{});
  t.say(t.bob.id, RateMessage{2});
  cr_assert(t.has<StateEffect>());
  t.effects.clear();
  t.machine->handle_load(t.bob.id, VideoChoice{"other", 9}, t.now, t.effects);
  cr_assert(t.has<StateEffect>());
  for (const ClientMessage& message :
       {ClientMessage(GiveMessage{t.bob.id}), ClientMessage(KickMessage{t.cem.id}),
        ClientMessage(EndMessage{}),
        ClientMessage(SettingsMessage{.controllers = share_ids({t.cem.id})})}) {
    t.say(t.bob.id, message);
    cr_assert(t.refused(Refusal::not_host), "what is the host's stays the host's");
  }
  t.let_control({});
  cr_assert(!t.may_play(t.bob));
}

Test(session_rights, only_members_can_be_named) {
  Room t;
  t.let_control({t.bob.id, MemberId{99}});
  cr_assert(t.refused(Refusal::no_such_member));
  cr_assert(t.machine->settings().controllers.empty());
  t.leave(t.bob);
  t.let_control({t.bob.id, t.cem.id});
  cr_assert(t.has<SettingsEffect>(), "it may come back");
  t.join("", SessionFixture::resume_token(t.bob.id));
  cr_assert(t.may_play(t.bob));
}

Test(session_rights, who_has_left_for_good_is_named_no_more) {
  Room t;
  t.let_control({t.bob.id, t.cem.id});
  t.say(t.ann.id, KickMessage{t.cem.id});
  cr_assert(t.only<SettingsEffect>().settings.controllers == std::vector{t.bob.id});
  t.leave(t.bob);
  t.pass(31 * seconds);
  cr_assert(t.only<SettingsEffect>().settings.controllers.empty());
}

Test(session_rights, the_record_keeps_them) {
  Room t;
  t.machine->take_durable_changed();
  t.let_control({t.bob.id});
  t.say(t.ann.id, SettingsMessage{.queue = QueueRight::host});
  cr_assert(t.machine->take_durable_changed());
  SessionFixture other;
  other.now = t.now;
  other.machine = SessionMachine::reopen(t.limits, t.machine->record(), 0, 7, {}, t.now);
  cr_assert(other.machine->settings().queue == QueueRight::host);
  other.join("", SessionFixture::resume_token(t.bob.id));
  other.say(t.bob.id, PlayMessage{});
  cr_assert(other.has<StateEffect>());
  other.join("", SessionFixture::resume_token(t.ann.id));
  other.say(t.ann.id, SettingsMessage{.controllers = share_ids({t.bob.id, t.cem.id})});
  cr_assert(other.refused(Refusal::no_such_member), "Cem has not been heard of here");
  other.say(t.ann.id,
            SettingsMessage{.control = Control::host, .controllers = share_ids({t.bob.id})});
  cr_assert(other.has<SettingsEffect>());
}
