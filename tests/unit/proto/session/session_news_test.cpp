// What members are told besides playback: presence, viewers, chat; and the durable record.
#include <algorithm>
#include <random>

#include "tests/unit/proto/session/session_fixture.h"

using namespace videosync;

namespace {

std::vector<std::uint32_t> ids_of(const std::vector<MemberInfo>& list) {
  std::vector<std::uint32_t> ids;
  for (const MemberInfo& info : list)
    ids.push_back(info.id.value);
  return ids;
}

using Ids = std::vector<std::uint32_t>;

}  // namespace

Test(session_news, presence_is_batched) {
  SessionFixture t;
  const auto host = t.join("Ann");
  t.now += 100 * ms;
  t.join("Bob");
  cr_assert(!t.has<MembersEffect>());
  cr_assert_eq(t.machine->next_deadline_us(), fixture_start_us + 250 * ms);
  t.pass(150 * ms);
  const auto news = t.only<MembersEffect>();
  cr_assert(news.count == 2 && ids_of(news.joined) == Ids({1, 2}) && news.left.empty());
  cr_assert(news.joined[0].role == Role::host && news.joined[1].role == Role::participant);
  t.say(MemberId{2}, NameMessage{"Bea"});
  t.say(host.id, GiveMessage{MemberId{2}});
  t.leave(host);
  t.pass(250 * ms);
  const auto more = t.only<MembersEffect>();
  cr_assert(more.count == 1 && ids_of(more.left) == Ids({1}) && ids_of(more.changed) == Ids({2}));
  cr_assert(more.changed[0].name == "Bea");
  cr_assert(more.changed[0].role == Role::host);
}

Test(session_news, presence_comes_less_often_where_many_are_told) {
  SessionFixture t;
  const auto join_until = [&t](std::uint32_t count) {
    while (t.machine->member_count() < count)
      t.machine->join({}, t.now, t.effects);
  };
  const auto interval = [&t] {
    const std::int64_t asked = t.now;
    t.join();
    const std::int64_t due = t.machine->next_deadline_us();
    t.pass(due - t.now);
    cr_assert(t.has<MembersEffect>());
    return due - asked;
  };
  join_until(999);
  t.pass(250 * ms);
  cr_assert_eq(interval(), 250 * ms, "a thousand are told as a few are");
  join_until(3'999);
  t.pass(seconds);
  cr_assert_eq(interval(), 1 * seconds, "four thousand messages a second");
  join_until(39'999);
  t.pass(5 * seconds);
  cr_assert_eq(interval(), 5 * seconds, "nobody waits longer");
}

Test(session_news, a_lost_host_is_told_with_who_is_next_and_when) {
  SessionFixture t;
  const auto host = t.join("Ann");
  const auto heir = t.join("Bob");
  t.join("Cem");
  t.pass(250 * ms);
  cr_assert_not(t.only<MembersEffect>().host_away.has_value());
  const auto token = t.resume_token(host.id);
  t.leave(host);
  const std::int64_t until = t.now + t.limits.host_grace_us;
  t.pass(250 * ms);
  auto away = t.only<MembersEffect>().host_away;
  cr_assert(away && away->until_us == until && away->next == heir.id);
  t.leave(heir);
  t.pass(250 * ms);
  away = t.only<MembersEffect>().host_away;
  cr_assert(away && away->until_us == until && away->next == MemberId{3});
  t.join("", token);
  cr_assert_not(t.machine->host_away().has_value());
  t.pass(250 * ms);
  cr_assert_not(t.only<MembersEffect>().host_away.has_value());
}

Test(session_news, that_a_host_who_came_and_went_is_away_is_told) {
  SessionFixture t;
  const auto ann = t.join("Ann");
  const auto heir = t.join("Bob");
  t.say(ann.id, GiveMessage{heir.id});
  t.pass(seconds);
  const auto host = t.join("Cem", std::nullopt, token_of(SessionFixture::host_token_seed));
  const std::int64_t until = t.now + t.limits.host_grace_us;
  t.leave(host);
  t.pass(250 * ms);
  const auto& told = t.only<MembersEffect>();
  cr_assert(told.joined.empty() && told.left.empty());
  cr_assert_eq(told.count, 2);
  cr_assert(told.host_away && told.host_away->until_us == until);
  t.pass(250 * ms);
  cr_assert(!t.has<MembersEffect>(), "once");
}

Test(session_news, who_came_and_went_is_not_mentioned) {
  SessionFixture t;
  const auto host = t.join();
  t.pass(seconds);
  const auto guest = t.join();
  t.leave(guest);
  const auto token = t.resume_token(host.id);
  t.leave(host);
  t.join("", token);
  t.pass(250 * ms);
  cr_assert(t.effects.empty());
}

Test(session_news, who_is_in_a_newcomers_list_is_told_of_when_it_goes) {
  SessionFixture t;
  t.join();
  t.pass(seconds);
  const auto brief = t.join("Bob");
  const auto newcomer = t.join("Cem");
  t.leave(brief);
  t.pass(250 * ms);
  const auto news = t.only<MembersEffect>();
  cr_assert(ids_of(news.left) == Ids({brief.id.value}) && news.count == 2);
  cr_assert(ids_of(news.joined) == Ids({newcomer.id.value}));
}

Test(session_news, who_is_missing_in_a_newcomers_list_is_told_of_when_it_resumes) {
  SessionFixture t;
  const auto host = t.join();
  t.pass(seconds);
  const auto token = t.resume_token(host.id);
  t.leave(host);
  const auto newcomer = t.join("Cem");
  t.join("", token);
  t.pass(250 * ms);
  const auto news = t.only<MembersEffect>();
  cr_assert(ids_of(news.joined) == Ids({host.id.value, newcomer.id.value}));
  cr_assert(news.left.empty() && news.count == 2);
}

Test(session_news, who_was_kicked_is_among_those_who_left) {
  SessionFixture t;
  const auto host = t.join();
  const auto guest = t.join("Bob");
  t.pass(seconds);
  t.say(host.id, KickMessage{guest.id});
  const auto unseen = t.join();
  t.say(host.id, KickMessage{unseen.id});
  t.pass(250 * ms);
  const auto news = t.only<MembersEffect>();
  cr_assert(ids_of(news.left) == Ids({guest.id.value}) && news.joined.empty() && news.count == 1);
  cr_assert(news.left[0].name == "Bob");
}

Test(session_news, lists_are_capped_and_the_count_is_not) {
  SessionFixture t;
  for (int i = 0; i < 120; ++i)
    t.join();
  t.pass(250 * ms);
  cr_assert(t.only<MembersEffect>().joined.size() == 50 && t.only<MembersEffect>().count == 120);
  t.say(MemberId{1}, GiveMessage{MemberId{100}});
  const auto members = t.machine->members();
  cr_assert_eq(members.size(), 50u);
  cr_assert(members[0].id.value == 100 && members[0].role == Role::host);
  cr_assert(members[1].id.value == 1 && members[49].id.value == 49);
}

Test(session_news, the_host_sees_the_worst_viewers_first) {
  SessionFixture t;
  const auto host = t.join();
  const MemberId a = t.join().id, b = t.join().id, c = t.join().id;
  t.report(a, false, 10, 5);
  t.report(b, true, 20, 1);
  t.report(c, false, 30, -80);
  t.pass(0);
  const auto viewers = t.only<ViewersEffect>();
  cr_assert(viewers.to == host.id && viewers.list.size() == 3);
  cr_assert(viewers.list[0].id == b && viewers.list[0].buffering);
  cr_assert(viewers.list[1].id == c && viewers.list[1].drift_ms == -80);
  cr_assert(viewers.list[2].id == a && viewers.list[2].rtt_ms == 10);
  t.report(a, false, 10, 200);
  t.pass(seconds - 1);
  cr_assert(!t.has<ViewersEffect>());
  t.pass(1);
  const auto next = t.only<ViewersEffect>().list;
  cr_assert(next.size() == 3 && next[1].id == a, "those shown before stay in sight");
  t.pass(10 * seconds);
  cr_assert(!t.has<ViewersEffect>(), "no reports, no news");
}

Test(session_news, who_cannot_play_is_the_worst_off_and_does_not_buffer) {
  SessionFixture t;
  t.join();
  const MemberId a = t.join().id, b = t.join().id;
  t.report(a, true, 20, 400);
  t.say(b, ReportMessage{.buffering = true, .form = Form::transcode, .cannot_play = true});
  t.pass(0);
  const auto list = t.only<ViewersEffect>().list;
  cr_assert(list.size() == 2 && list[0].id == b && list[1].id == a);
  cr_assert(list[0].cannot_play && !list[0].buffering && list[0].form == Form::transcode);
  cr_assert(!list[1].cannot_play && list[1].form == Form::unknown);
}

Test(session_news, the_language_of_the_sound_is_told_and_stays_until_it_is_taken_back) {
  SessionFixture t;
  const auto host = t.join();
  t.machine->take_durable_changed();
  t.say(host.id, SettingsMessage{.audio_language = "de"});
  cr_assert_eq(t.only<SettingsEffect>().settings.audio_language, "de");
  cr_assert(t.machine->take_durable_changed());
  t.say(host.id, SettingsMessage{.control = Control::everyone});
  cr_assert_eq(t.only<SettingsEffect>().settings.audio_language, "de");
  auto restored = SessionMachine::decode(t.limits, t.machine->encode(), t.now);
  cr_assert(restored.has_value());
  cr_assert_eq((*restored)->settings().audio_language, "de");
  t.say(host.id, SettingsMessage{.audio_language = ""});
  cr_assert(t.only<SettingsEffect>().settings.audio_language.empty());
}

Test(session_news, viewers_are_at_most_fifty_and_only_those_who_are_there) {
  SessionFixture t;
  t.join();
  std::vector<SessionMachine::JoinOutcome> guests;
  for (int i = 0; i < 100; ++i) {
    guests.push_back(t.join());
    t.report(guests.back().id, false, 1, i);
  }
  t.leave(guests[99]);
  t.pass(0);
  const auto list = t.only<ViewersEffect>().list;
  cr_assert(list.size() == 50 && list[0].id == guests[98].id && list[49].id == guests[49].id);
}

Test(session_news, reports_thin_out_in_large_sessions) {
  SessionFixture t;
  t.limits.reports_per_second_max = 10;
  for (int i = 0; i < 50; ++i)
    t.join();
  cr_assert_eq(t.machine->report_every_ms(), 5'000u);
  for (int i = 0; i < 50; ++i)
    t.join();
  cr_assert_eq(t.machine->report_every_ms(), 10'000u);
}

Test(session_news, chat_is_relayed_and_reactions_are_gathered) {
  SessionFixture t;
  const auto ann = t.join("Ann");
  t.say(ann.id, ChatMessage{"hello"});
  const auto chat = t.only<ChatEffect>();
  cr_assert(chat.from == ann.id && chat.name == "Ann" && chat.text == "hello");
  cr_assert_eq(chat.at_us, t.now);
  t.say(ann.id, ReactionMessage{"+1"});
  t.say(ann.id, ReactionMessage{":)"});
  cr_assert(t.effects.empty() && t.machine->next_deadline_us() <= t.now);
  t.machine->flush_turn(t.effects);
  const auto list = t.only<ReactionsEffect>().list;
  cr_assert(list.size() == 2 && list[0].emoji == "+1" && list[1].from == ann.id);
  t.effects.clear();
  t.machine->flush_turn(t.effects);
  cr_assert(t.effects.empty());
}

Test(session_news, chat_and_reactions_share_a_hundred_a_second) {
  SessionFixture t;
  const auto ann = t.join();
  for (int i = 0; i < 50; ++i) {
    t.say(ann.id, ChatMessage{"."});
    cr_assert(t.has<ChatEffect>());
    t.say(ann.id, ReactionMessage{"."});
    cr_assert(!t.has<ErrorEffect>());
  }
  t.say(ann.id, ReactionMessage{"."});
  cr_assert(t.refused(Refusal::rate_limited));
  t.now += 10 * ms;
  t.say(ann.id, ChatMessage{"."});
  cr_assert(t.has<ChatEffect>());
  t.say(ann.id, ChatMessage{"."});
  cr_assert(t.refused(Refusal::rate_limited));
}

Test(session_news, a_name_that_does_not_fit_gets_a_guests) {
  SessionFixture t;
  const auto nameless = t.join("");
  const auto endless = t.join(std::string(5'000, 'x'));
  cr_assert(t.machine->info(nameless.id)->name == "Guest 1");
  cr_assert(t.machine->info(endless.id)->name == "Guest 2");
}

Test(session_news, the_record_brings_a_session_back) {
  SessionFixture t({Control::everyone, OnStall::wait});
  cr_assert(t.machine->take_durable_changed());
  const auto host = t.join("Ann");
  const auto token = t.resume_token(host.id);
  const auto guest = t.join("Bob");
  t.say(host.id, PlayMessage{20.0});
  cr_assert(t.machine->take_durable_changed() && !t.machine->take_durable_changed());
  t.say(guest.id, ChatMessage{"hi"});
  t.report(guest.id, false, 5);
  t.pass(seconds);
  t.join("Eve");
  cr_assert(!t.machine->take_durable_changed(), "nothing that lasts has changed");

  const PlaybackState before = t.state();
  auto restored = SessionMachine::decode(t.limits, t.machine->encode(), t.now);
  cr_assert(restored.has_value());
  t.machine = std::move(*restored);
  t.machine->check_invariants();
  cr_assert(t.state().epoch == before.epoch && t.state().seq == before.seq);
  cr_assert(t.state().playing && t.state().position == 20 && t.state().at_us == before.at_us);
  cr_assert_eq(t.state().video, before.video);
  cr_assert(t.machine->settings().control == Control::everyone);
  cr_assert(t.machine->settings().on_stall == OnStall::wait);
  cr_assert(t.machine->holds_host_token(token_of(SessionFixture::host_token_seed)));
  cr_assert(t.machine->host() == host.id && t.machine->member_count() == 0);

  const auto fresh = t.join("Bob");
  cr_assert(fresh.id.value > 3, "no id is given twice");
  const auto back = t.join("", token);
  cr_assert(back.resumed && back.id == host.id);
  cr_assert(t.machine->info(host.id)->name == "Ann");
}

Test(session_news, a_record_keeps_ids_apart_over_many_joins) {
  SessionFixture t;
  MemberId last;
  for (int i = 0; i < 3'000; ++i)
    last = t.join().id;
  t.machine = std::move(*SessionMachine::decode(t.limits, t.machine->encode(), t.now));
  cr_assert(t.join().id > last);
}

Test(session_news, broken_records_are_refused) {
  SessionFixture t;
  t.join("Ann");
  const std::string bytes = t.machine->encode();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto cut =
        SessionMachine::decode(t.limits, std::string_view(bytes).substr(0, size), t.now);
    cr_assert(!cut && cut.error().code == ErrorCode::corrupt);
  }
  cr_assert(!SessionMachine::decode(t.limits, bytes + "x", t.now));
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const char bit : {'\x01', '\x80', '\xff'}) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ bit);
      auto machine = SessionMachine::decode(t.limits, damaged, t.now);
      if (!machine) continue;
      Effects effects;
      (*machine)->tick(t.now + 1, effects);
      (*machine)->check_invariants();
    }
  }
}

namespace {

bool are_same(const std::vector<MemberInfo>& a, const std::vector<MemberInfo>& b) {
  return std::ranges::equal(a, b, [](const MemberInfo& x, const MemberInfo& y) {
    return x.id == y.id && x.name == y.name && x.role == y.role;
  });
}

}  // namespace

Test(session_news, the_list_is_another_only_in_another_version) {
  std::mt19937 random(20'261'126);
  SessionFixture t;
  std::vector<SessionMachine::JoinOutcome> joined{t.join()};
  std::vector<MemberInfo> listed;
  std::uint64_t version = 0;
  int kept = 0;
  for (int step = 0; step < 20'000; ++step) {
    const std::size_t any = random() % joined.size();
    switch (random() % 8) {
      case 0:
        t.leave(joined[any]);
        break;
      case 1:
        joined[any] = t.join("", t.resume_token(joined[any].id));
        break;
      case 2:
        t.say(joined[any].id, NameMessage{std::to_string(step)});
        break;
      case 3:
        t.say(t.machine->host(), GiveMessage{joined[any].id});
        break;
      case 4:
        t.pass(random() % 400 * ms);
        break;
      default:
        if (joined.size() < 150) joined.push_back(t.join());
    }
    if (random() % 3 == 0) continue;  // the list is not always asked for
    if (version == t.machine->members_version()) {
      ++kept;
      cr_assert(are_same(listed, t.machine->members()), "step %d", step);
    }
    listed = t.machine->members();
    version = t.machine->members_version();
  }
  cr_assert_gt(kept, 1'000);
}

Test(session_news, who_joins_a_long_list_leaves_it_as_it_is) {
  SessionFixture t;
  for (std::size_t i = 0; i < member_list_max + 1; ++i)
    t.join();
  cr_assert_eq(t.machine->members().size(), member_list_max);
  const std::uint64_t version = t.machine->members_version();
  const auto last = t.join();
  t.leave(last);
  cr_assert_eq(t.machine->members_version(), version);
  t.say(MemberId{2}, NameMessage{"Bea"});
  cr_assert_neq(t.machine->members_version(), version);
}
