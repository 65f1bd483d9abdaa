// A long random walk of the machine beside a naive model of the same rules.
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "tests/unit/proto/session/session_fixture.h"
#include "tests/unit/proto/session/session_model.h"

using namespace videosync;

namespace {

constexpr std::uint64_t default_seed = 20'260'417;
constexpr int step_count = 200'000;

class Walk {
 public:
  explicit Walk(std::uint64_t seed) : seed_(seed), random_(seed) { begin_session(); }

  void step() {
    ++step_;
    pass_time();
    t_->effects.clear();
    const auto choice = below(100);
    if (choice < 16) {
      join();
    } else if (choice < 28) {
      leave();
    } else if (choice < 50) {
      tick();
    } else if (below(2'000) == 0) {
      restart();
    } else {
      speak();
    }
    compare();
    if (model_.ended) begin_session();
  }

 private:
  std::uint64_t below(std::uint64_t end) { return random_() % end; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  template <class... Values>
  auto pick(Values... values) {
    const std::common_type_t<Values...> all[] = {values...};
    return all[below(sizeof...(values))];
  }

  void check(bool holds, const char* what) {
    cr_assert(holds, "seed %llu, step %d: %s", static_cast<unsigned long long>(seed_), step_, what);
  }

  void begin_session() {
    t_.emplace();
    model_ = {};
    model_.now = model_.at = model_.last_activity = t_->now;
    forget_presence();
    epoch_ = seq_ = 0;
  }

  void pass_time() {
    switch (below(12)) {
      case 0:
        t_->now += std::int64_t(below(40)) * seconds;
        break;
      case 1:
        t_->now += std::int64_t(below(6'000)) * ms;
        break;
      case 2: {
        const std::int64_t deadline = t_->machine->next_deadline_us();
        if (deadline != INT64_MAX) t_->now = std::max(t_->now, deadline - pick(0, 0, 1));
        break;
      }
      case 3:
        if (one_in(300)) t_->now += 25 * 3600 * seconds;
        break;
      default:
        t_->now += std::int64_t(below(80'000));
    }
  }

  std::uint32_t anybody() { return std::uint32_t(1 + below(model_.next_id)); }
  std::uint32_t somebody_recent() {
    if (model_.people.empty() || one_in(20)) return anybody();
    return model_.people[below(model_.people.size())].id;
  }

  void join() {
    if (model_.line().size() >= 12) return tick();
    const bool resumes = !one_in(3), right_secret = !one_in(8), host_token = one_in(25);
    SessionMachine::JoinRequest request;
    std::uint32_t resume_id = 0;
    if (resumes) {
      resume_id = somebody_recent();
      request.resume = ResumeToken{MemberId{resume_id}, token_of(right_secret ? 7 : 8)};
      request.is_resume_proven = SessionFixture::is_proven(request.resume);
      if (!right_secret) resume_id = 0;
    }
    if (host_token) request.host_token = token_of(SessionFixture::host_token_seed);
    model_.settle(t_->now);
    const auto outcome = t_->machine->join(request, t_->now, t_->effects);
    check(outcome.has_value() == !model_.ended, "joined unless over");
    if (!outcome) return;
    const auto* before = model_.find(resume_id);
    const bool resumed = before != nullptr;
    const std::uint32_t displaced = resumed && before->connected ? before->connection : 0;
    const std::uint32_t id = model_.join(resume_id, host_token);
    check(outcome->id.value == id && outcome->resumed == resumed, "the same member");
    check(outcome->displaced.value == displaced, "the same displaced connection");
    check(outcome->connection.value == model_.find(id)->connection, "the same connection");
    check(std::get_if<WelcomeEffect>(&t_->effects[0]) != nullptr, "welcome comes first");
    check(t_->all<CloseEffect>().size() == (displaced != 0), "the displaced is closed");
    lists_[id].clear();
    for (const MemberInfo& info : t_->machine->members())
      lists_[id].insert(info.id.value);
  }

  void leave() {
    const std::uint32_t id = somebody_recent();
    model_.settle(t_->now);
    const auto* person = model_.find(id);
    const std::uint32_t newest = person != nullptr ? person->connection : 1;
    const std::uint32_t connection = one_in(10) ? newest - 1 : newest;
    t_->machine->leave(MemberId{id}, ConnectionNumber{connection}, t_->now, t_->effects);
    if (!model_.ended) model_.leave(id, connection);
  }

  void tick() {
    model_.settle(t_->now);
    t_->machine->tick(t_->now, t_->effects);
    check(t_->machine->next_deadline_us() > t_->now, "nothing is left after a tick");
    ticked_ = true;
  }

  void restart() {
    // Whatever was due before is settled first: the record is of this moment.
    tick();
    if (model_.ended) return;
    compare();
    t_->effects.clear();
    SessionRecord record = t_->machine->record();
    // Whoever else was ready does not come back here under its id.
    std::erase_if(record.ready, [&](MemberId id) { return id.value != model_.host; });
    auto machine = SessionMachine::decode(t_->limits, encode(record), t_->now);
    check(machine.has_value(), "its own record is readable");
    t_->machine = std::move(*machine);
    model_.restart(record.next_member_id);
    forget_presence();
  }

  void forget_presence() {
    mirror_.clear();
    lists_.clear();
    connected_.clear();
    told_at_ = 0;
    is_ready_told_ = false;
  }

  void speak() {
    const std::uint32_t id = one_in(4) ? model_.host : somebody_recent();
    model_.settle(t_->now);
    const bool heard = !model_.ended && model_.find_connected(id) != nullptr;
    SessionModel::Answer expected;
    if (one_in(12)) {
      const double duration = pick(0.0, 5.0, 100.0, 4'000.0);
      if (heard) expected = model_.load(id, duration);
      std::optional<VideoChoice> video;
      if (duration > 0) video = VideoChoice{"film", duration};
      t_->machine->handle_load(MemberId{id}, video, t_->now, t_->effects);
    } else {
      const auto [message, answer] = say(id, heard);
      expected = answer;
      t_->machine->handle(MemberId{id}, message, t_->now, t_->effects);
    }
    const auto errors = t_->all<ErrorEffect>();
    check(errors.size() == expected.has_value(), "refused as expected");
    if (expected) check(errors[0].code == *expected && errors[0].to.value == id, "the refusal");
  }

  // A random message, and what the model answers to it.
  std::pair<ClientMessage, SessionModel::Answer> say(std::uint32_t id, bool heard) {
    const auto ask = [&](auto answer) { return heard ? answer() : SessionModel::Answer{}; };
    std::optional<double> to;
    if (one_in(2)) to = double(below(1'200)) / 10;
    switch (below(15)) {
      case 0:
      case 1: {
        std::optional<std::uint32_t> countdown;
        if (one_in(3)) countdown = pick(0U, 40U, 900U, 3'000U, 10'000U, 10'001U);
        return {PlayMessage{to, countdown}, ask([&] {
                  return model_.play(id, to,
                                     countdown ? std::optional(*countdown * ms) : std::nullopt);
                })};
      }
      case 2:
        return {PauseMessage{to}, ask([&] { return model_.pause(id, to); })};
      case 3: {
        const double target = to.value_or(0);
        return {SeekMessage{target}, ask([&] { return model_.seek(id, target); })};
      }
      case 4: {
        const double rate = pick(0.25, 0.5, 1.0, 4.0);
        return {RateMessage{rate}, ask([&] { return model_.set_rate(id, rate); })};
      }
      case 5: {
        const std::uint32_t whom = somebody_recent();
        return {GiveMessage{MemberId{whom}}, ask([&] { return model_.give(id, whom); })};
      }
      case 6: {
        const bool right = one_in(4);
        const Token token = token_of(right ? SessionFixture::host_token_seed : 1);
        return {ClaimMessage{token}, ask([&] { return model_.claim(id, right); })};
      }
      case 7: {
        const bool everyone = one_in(2), wait = !one_in(4);
        return {SettingsMessage{everyone ? Control::everyone : Control::host,
                                wait ? OnStall::wait : OnStall::keep_going},
                ask([&] { return model_.settings(id, everyone, wait); })};
      }
      case 8: {
        if (!one_in(4)) return {ChatMessage{"hello"}, {}};
        const std::uint32_t whom = somebody_recent();
        return {KickMessage{MemberId{whom}}, ask([&] { return model_.kick(id, whom); })};
      }
      case 14: {
        std::vector<std::uint32_t> whom;
        for (std::uint64_t left = below(4); left > 0; --left) {
          const std::uint32_t one = somebody_recent();
          if (std::find(whom.begin(), whom.end(), one) == whom.end()) whom.push_back(one);
        }
        std::vector<MemberId> ids;
        for (const std::uint32_t one : whom)
          ids.push_back(MemberId{one});
        return {SettingsMessage{.controllers = share_ids(ids)},
                ask([&] { return model_.let_control(id, whom); })};
      }
      case 13: {
        const bool ready = !one_in(3);
        return {ReadyMessage{ready}, ask([&] { return model_.say_ready(id, ready); })};
      }
      case 9:
        if (!one_in(60)) return {NameMessage{"N" + std::to_string(below(9))}, {}};
        return {EndMessage{}, ask([&] { return model_.end(id); })};
      default: {
        const bool buffering = one_in(2), cannot_play = one_in(5);
        const double rtt = pick(0.0, 3.0, 10.0, 50.0, 100.0, 250.0, 600.0);
        return {ReportMessage{double(below(100)), rtt, buffering, to, Form::copy, cannot_play},
                ask([&] { return model_.report(id, buffering, cannot_play, rtt); })};
      }
    }
  }

  // --- Afterwards ---
  void compare() {
    SessionMachine& machine = *t_->machine;
    machine.check_invariants();
    follow_effects();
    check(machine.ended() == model_.ended, "over or not");
    check(t_->has<EndedEffect>() == model_.ended, "told when it is over");
    if (model_.ended) return;
    const PlaybackState& state = machine.state();
    check(machine.host().value == model_.host, "the host");
    check(state.epoch == model_.epoch && state.seq == model_.seq, "the order");
    check(epoch_ == model_.epoch && seq_ == model_.seq, "every change was told");
    check(state.playing == model_.playing && state.at_us == model_.at, "playing, and since when");
    check(is_near(state.position, model_.position) && state.rate == model_.rate, "the vector");
    check(machine.record().waiting == model_.waiting, "the wait");
    compare_members();
  }

  void compare_members() {
    std::vector<std::uint32_t> expected = model_.line();
    check(t_->machine->member_count() == expected.size(), "the count");
    std::vector<std::uint32_t> controllers;
    for (const MemberId each : t_->machine->settings().controllers)
      controllers.push_back(each.value);
    check(controllers == model_.controllers, "who may control");
    check(t_->machine->ready_count() == model_.ready_count(), "how many are ready");
    const auto host = std::find(expected.begin(), expected.end(), model_.host);
    if (host != expected.end()) std::rotate(expected.begin(), host, host + 1);
    const auto members = t_->machine->members();
    check(members.size() == expected.size(), "the list's size");
    for (std::size_t i = 0; i < members.size(); ++i) {
      check(members[i].id.value == expected[i], "the list's order");
      check((members[i].role == Role::host) == (expected[i] == model_.host), "one host");
    }
    compare_presence();
  }

  // After a tick, clients know of every change that is older than an interval.
  void compare_presence() {
    const auto line = model_.line();
    const std::set<std::uint32_t> connected(line.begin(), line.end());
    if (connected != connected_) changed_at_ = t_->now;
    if (std::exchange(ready_, model_.ready_count()) != ready_) ready_changed_at_ = t_->now;
    connected_ = connected;
    const bool ticked = std::exchange(ticked_, false);
    std::erase_if(lists_, [&](const auto& list) { return !connected.contains(list.first); });
    if (!ticked || t_->now < changed_at_ + 250 * ms) return;
    check(mirror_ == connected, "presence adds up");
    if (t_->now >= ready_changed_at_ + 250 * ms && is_ready_told_)
      check(told_ready_ == model_.ready_count(), "how many are ready is told");
    for (const auto& [id, list] : lists_)
      check(list == connected, "presence adds up to what a newcomer was told");
  }

  static void follow_members(const MembersEffect& news, std::set<std::uint32_t>& list) {
    for (const MemberInfo& info : news.joined)
      list.insert(info.id.value);
    for (const MemberInfo& info : news.left)
      list.erase(info.id.value);
  }

  void follow_effects() {
    for (const Effect& effect : t_->effects) {
      if (const auto* state = std::get_if<StateEffect>(&effect)) {
        check(state->state.seq == seq_ + 1 && state->state.epoch == epoch_, "seq grows by one");
        seq_ = state->state.seq;
      } else if (const auto* host = std::get_if<HostEffect>(&effect)) {
        check(host->epoch == epoch_ + 1, "epoch grows by one");
        epoch_ = host->epoch;
      } else if (const auto* members = std::get_if<MembersEffect>(&effect)) {
        follow_members(*members, mirror_);
        for (auto& [id, list] : lists_)
          follow_members(*members, list);
        for (const MemberInfo& info : members->changed)
          check(mirror_.contains(info.id.value), "changed while there");
        check(mirror_.size() == members->count, "the count fits the news");
        check(t_->now >= told_at_ + 250 * ms, "at most four a second");
        told_at_ = t_->now;
        told_ready_ = members->ready;
        is_ready_told_ = true;
      } else if (const auto* waiting = std::get_if<WaitingEffect>(&effect)) {
        check(!waiting->members.empty() && waiting->until_us > t_->now, "a wait for somebody");
      }
    }
  }

  const std::uint64_t seed_;
  std::mt19937_64 random_;
  int step_ = 0;
  std::optional<SessionFixture> t_;
  SessionModel model_;
  std::set<std::uint32_t> mirror_;  // whom a client that hears all news believes connected
  std::map<std::uint32_t, std::set<std::uint32_t>> lists_;  // the same of each, from its welcome on
  std::uint64_t epoch_ = 0, seq_ = 0;
  std::set<std::uint32_t> connected_;
  std::int64_t changed_at_ = 0, told_at_ = 0, ready_changed_at_ = 0;
  std::size_t ready_ = 0, told_ready_ = 0;
  bool is_ready_told_ = false;
  bool ticked_ = false;
};

}  // namespace

// VIDEOSYNC_TEST_SEED chooses another walk.
Test(session_walk, the_machine_agrees_with_a_naive_model) {
  const char* given = std::getenv("VIDEOSYNC_TEST_SEED");
  Walk walk(given != nullptr ? std::strtoull(given, nullptr, 10) : default_seed);
  for (int i = 0; i < step_count; ++i)
    walk.step();
}
