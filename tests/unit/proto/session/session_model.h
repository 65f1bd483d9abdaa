// SessionModel: the rules once more, as plainly as they can be written: one vector, no lists, no
// maps, every question answered by looking at everybody. Shares no code with the machine.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include "proto/session/session_values.h"

namespace videosync {

struct SessionModel {
  struct Person {
    std::uint32_t id = 0;
    std::uint32_t connection = 1;
    bool connected = true;
    std::int64_t since = 0;
    bool buffering = false, kept_up = false, awaited = false;
    std::int64_t not_awaited_before = INT64_MIN;
    double rtt = 0;  // 0: not known
    bool ready = false;
  };

  static constexpr std::int64_t second = 1'000'000;
  static constexpr std::int64_t never = INT64_MAX;

  std::vector<Person> people;
  std::vector<std::uint32_t> controllers;
  std::uint32_t host = 0, next_id = 1;
  std::uint64_t epoch = 0, seq = 0;
  bool playing = false, waiting = false, ended = false, everyone = false, wait_on_stall = false;
  double position = 0, rate = 1, duration = 100;
  std::int64_t now = 0, at = 0, wait_until = 0, started = 0, last_activity = 0;
  std::int64_t starts = 0, start_lead = 0;  // a countdown's end; 0: none that counts
  bool is_judged = false;                   // who is waited for at its end
  bool is_left = false;                     // it stands since everybody left, at `at`

  Person* find(std::uint32_t id) {
    for (Person& person : people) {
      if (person.id == id) return &person;
    }
    return nullptr;
  }
  Person* find_connected(std::uint32_t id) {
    Person* person = find(id);
    return person != nullptr && person->connected ? person : nullptr;
  }
  std::vector<std::uint32_t> line() const {
    std::vector<std::uint32_t> ids;
    for (const Person& person : people) {
      if (person.connected) ids.push_back(person.id);
    }
    std::sort(ids.begin(), ids.end());
    return ids;
  }
  bool may(std::uint32_t id) const {
    return everyone || id == host || std::count(controllers.begin(), controllers.end(), id) > 0;
  }

  std::int64_t lead() const {
    std::vector<double> rtts;
    for (const Person& person : people) {
      if (person.connected && person.rtt > 0) rtts.push_back(person.rtt);
    }
    if (rtts.empty()) return 50'000;
    std::sort(rtts.begin(), rtts.end());
    const auto rank = static_cast<std::size_t>(std::ceil(0.95 * double(rtts.size()) - 1e-9));
    return std::min<std::int64_t>(500'000, std::llround(rtts[rank - 1] * 1'500));
  }
  double where() const {
    if (!playing || now < at) return position;
    return std::min(duration, position + rate * double(now - at) / 1e6);
  }
  void set(bool play, double to, std::int64_t from) {
    ++seq;
    is_left = false;
    playing = play;
    position = std::min(to, duration);
    at = from;
  }
  void set_host(std::uint32_t id) {
    host = id;
    ++epoch;
  }

  // --- Waiting ---
  void stop_waiting() {
    waiting = false;
    for (Person& person : people)
      person.awaited = false;
  }
  void go_on() {
    stop_waiting();
    set(true, position, std::max(now + lead(), starts));
  }
  bool awaitable(const Person& person) const {
    return person.connected && person.buffering && !person.awaited &&
           now >= person.not_awaited_before && (person.kept_up || person.since <= started);
  }
  void await(Person& person, std::int64_t until) {
    if (!waiting) {
      waiting = true;
      wait_until = until;
      set(false, where(), now);
    }
    person.awaited = true;
    person.not_awaited_before = now + 30 * second;
  }
  void after_start() {
    started = now;
    if (!wait_on_stall) return;
    if (waiting) wait_until = now + 5 * second;
    for (Person& person : people) {
      if (awaitable(person)) await(person, now + 5 * second);
    }
  }
  void not_awaited(Person& person) {
    if (!person.awaited) return;
    person.awaited = false;
    for (const Person& other : people) {
      if (other.awaited) return;
    }
    go_on();
  }

  // --- Time: always the earliest of what is due ---
  void settle(std::int64_t to) {
    now = to;
    while (!ended) {
      std::int64_t end_at = never, wait_at = never, grace_at = never, old_at = never;
      std::int64_t forget_at = never, start_at = never, left_at = never;
      std::size_t forgotten = 0;
      if (playing && starts != 0 && !is_judged) start_at = starts - start_lead;
      if (playing) end_at = at + std::int64_t(std::ceil((duration - position) / rate * 1e6));
      if (waiting) wait_at = wait_until;
      for (std::size_t i = 0; i < people.size(); ++i) {
        if (people[i].connected) continue;
        if (people[i].id == host) grace_at = people[i].since + 10 * second;
        if (people[i].since + 30 * second >= forget_at) continue;
        forget_at = people[i].since + 30 * second;
        forgotten = i;
      }
      if (line().empty()) old_at = last_activity + 24 * 3600 * second;
      const bool is_told = is_left && at == last_activity;
      if (line().empty() && epoch > 0 && !is_told) left_at = last_activity + 30 * second;
      const std::int64_t first =
          std::min({start_at, end_at, wait_at, grace_at, forget_at, left_at, old_at});
      if (first > now) return;
      if (first == start_at) {
        is_judged = true;
        after_start();
      } else if (first == end_at) {
        set(false, duration, now);
      } else if (first == wait_at) {
        go_on();
      } else if (first == grace_at) {
        set_host(line().empty() ? 0 : line()[0]);
      } else if (first == forget_at) {
        std::erase(controllers, people[forgotten].id);
        people.erase(people.begin() + std::ptrdiff_t(forgotten));
      } else if (first == left_at) {
        stand_since(last_activity);
      } else {
        ended = true;
      }
    }
  }

  void stand_since(std::int64_t then) {
    stop_waiting();
    const double ran = playing && then > at ? rate * double(then - at) / 1e6 : 0;
    set(false, std::min(duration, position + ran), then);
    starts = 0;
    is_left = true;
  }

  // --- Coming and going ---
  std::uint32_t join(std::uint32_t resume_id, bool host_token) {
    Person* person = find(resume_id);
    if (person != nullptr) {
      if (person->connected) drop_reports(*person);
      ++person->connection;
      person->connected = true;
      person->since = now;
    } else {
      people.push_back({.id = next_id++, .since = now});
      person = &people.back();
    }
    if (host == 0 || (host_token && host != person->id)) set_host(person->id);
    return person->id;
  }
  void drop_reports(Person& person) {
    person.rtt = 0;
    person.buffering = person.kept_up = false;
    not_awaited(person);
  }
  void leave(std::uint32_t id, std::uint32_t connection) {
    Person* person = find_connected(id);
    if (person == nullptr || person->connection != connection) return;
    disconnect(*person);
  }
  void disconnect(Person& person) {
    drop_reports(person);
    person.connected = false;
    person.since = now;
    if (line().empty()) last_activity = now;
  }

  // --- What they say; a refusal where it is refused ---
  using Answer = std::optional<Refusal>;

  Answer play(std::uint32_t id, std::optional<double> to, std::optional<std::int64_t> countdown) {
    if (!may(id)) return Refusal::not_host;
    if (countdown && *countdown > 10 * second) return Refusal::out_of_range;
    stop_waiting();
    nobody_is_ready();
    if (countdown) {
      is_judged = false;
      start_lead = lead();
    }
    if (playing && !to && !countdown) {
      set(true, where(), std::max(now, at));
      return {};
    }
    const double from = to ? *to : (where() >= duration ? 0 : where());
    set(true, from, now + std::max(lead(), countdown.value_or(0)));
    starts = countdown ? at : 0;
    if (!countdown) after_start();
    return {};
  }
  void nobody_is_ready() {
    for (Person& person : people)
      person.ready = false;
  }
  std::size_t ready_count() const {
    return std::size_t(std::count_if(people.begin(), people.end(), [](const Person& person) {
      return person.connected && person.ready;
    }));
  }
  Answer say_ready(std::uint32_t id, bool ready) {
    find(id)->ready = ready;
    return {};
  }
  Answer pause(std::uint32_t id, std::optional<double> to) {
    if (!may(id)) return Refusal::not_host;
    stop_waiting();
    set(false, to ? *to : where(), now);
    starts = 0;
    return {};
  }
  Answer seek(std::uint32_t id, double to) {
    if (!may(id)) return Refusal::not_host;
    if (starts > now) {
      stop_waiting();
      playing = false;
    }
    starts = 0;
    set(playing, to, playing ? now + lead() : now);
    if (playing || waiting) after_start();
    return {};
  }
  Answer set_rate(std::uint32_t id, double to) {
    if (!may(id)) return Refusal::not_host;
    set(playing, where(), playing ? std::max(now, at) : now);
    rate = to;
    return {};
  }
  Answer load(std::uint32_t id, double duration_of_it) {
    if (!may(id)) return Refusal::not_host;
    if (duration_of_it <= 0) return Refusal::no_such_video;
    stop_waiting();
    nobody_is_ready();
    starts = 0;
    duration = duration_of_it;
    set(false, 0, now);
    return {};
  }
  Answer give(std::uint32_t id, std::uint32_t to) {
    if (id != host) return Refusal::not_host;
    if (find_connected(to) == nullptr) return Refusal::no_such_member;
    if (to != host) set_host(to);
    return {};
  }
  Answer claim(std::uint32_t id, bool right) {
    if (!right) return Refusal::not_host;
    if (id != host) set_host(id);
    return {};
  }
  Answer settings(std::uint32_t id, bool for_everyone, bool wait) {
    if (id != host) return Refusal::not_host;
    everyone = for_everyone;
    wait_on_stall = wait;
    if (!wait && waiting) go_on();
    return {};
  }
  Answer let_control(std::uint32_t id, const std::vector<std::uint32_t>& whom) {
    if (id != host) return Refusal::not_host;
    for (const std::uint32_t each : whom) {
      const bool has_it = std::count(controllers.begin(), controllers.end(), each) > 0;
      if (find(each) == nullptr && !has_it) return Refusal::no_such_member;
    }
    controllers = whom;
    return {};
  }
  Answer kick(std::uint32_t id, std::uint32_t whom) {
    if (id != host) return Refusal::not_host;
    if (whom == host) return Refusal::bad_message;
    Person* person = find(whom);
    if (person == nullptr) return Refusal::no_such_member;
    if (person->connected) disconnect(*person);
    std::erase_if(people, [&](const Person& each) { return each.id == whom; });
    std::erase(controllers, whom);
    return {};
  }
  Answer end(std::uint32_t id) {
    if (id != host) return Refusal::not_host;
    ended = true;
    return {};
  }
  Answer report(std::uint32_t id, bool starved, bool cannot_play, double rtt) {
    Person& person = *find(id);
    person.rtt = rtt;
    const bool buffering = starved && !cannot_play;
    const bool began = buffering && !person.buffering;
    person.buffering = buffering;
    if (!buffering) {
      person.kept_up = person.kept_up || !cannot_play;
      not_awaited(person);
    } else if (began && wait_on_stall && (playing || waiting) && !is_before_start() &&
               awaitable(person)) {
      await(person, std::max(started + 5 * second, now + 3 * second));
    }
    return {};
  }

  bool is_before_start() const { return playing && starts != 0 && !is_judged; }

  // The process ends and the session comes back from its record.
  void restart(std::uint32_t first_id) {
    if (!line().empty()) last_activity = now;
    std::erase_if(people, [&](const Person& each) { return each.id != host; });
    for (Person& person : people) {
      person = {.id = person.id,
                .connection = person.connection,
                .connected = false,
                .since = now,
                .ready = person.ready};
    }
    if (waiting) wait_until = now;
    started = 0;
    is_judged = false;
    start_lead = 50'000;
    next_id = first_id;
  }
};

}  // namespace videosync
