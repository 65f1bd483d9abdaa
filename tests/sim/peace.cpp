// World: peace. All is mended, nobody says anything, and after the promised time everything is
// looked at: who agrees on what, what the store has, what became of each command.
#include <algorithm>
#include <iterator>
#include <memory>
#include <unordered_set>
#include <utility>
#include <variant>

#include "server/session/stored_session.h"
#include "tests/sim/world.h"

namespace videosync::sim {

namespace {

constexpr std::int64_t settling_max_us = 20'000'000;
constexpr std::int64_t agreed_us_max = 2'000'000;
constexpr std::int64_t agreed_after_death_us = 5'000'000;
constexpr std::int64_t silence_us = 300'000;
constexpr std::int64_t probe_us = 1'000'000;
constexpr std::int64_t answers_us = 6'000'000;

std::vector<Viewer*> open_viewers(std::deque<Viewer>& viewers, const SimSession& session) {
  std::vector<Viewer*> open;
  for (Viewer& viewer : viewers) {
    if (&viewer.session() == &session && viewer.is_open()) open.push_back(&viewer);
  }
  return open;
}

std::string words_of(const std::map<MemberId, std::string>& members) {
  std::string words;
  for (const auto& [id, name] : members)
    words += fmt::format(" m{} \"{}\"", id.value, name);
  return words;
}

std::string words_of(const std::vector<QueueItemId>& queue) {
  std::string words;
  for (const QueueItemId item : queue)
    words += fmt::format(" q{}", item.value);
  return words;
}

std::string place_of(const Place& place) {
  return fmt::format("({}, {})", place.epoch, place.seq);
}

}  // namespace

// Two of one id would displace each other for good.
void World::part_doubles() {
  for (SimSession& session : sessions_) {
    if (!session.may_be_doubled) continue;
    std::unordered_set<MemberId> ids;
    for (Viewer& viewer : viewers_) {
      const bool is_here = &viewer.session() == &session && viewer.id();
      if (is_here && !ids.insert(viewer.id()).second) viewer.leave();
    }
  }
}

void World::make_peace() {
  tell("--- peace");
  is_peace_ = true;
  mend();
  part_doubles();
  for (Viewer& viewer : viewers_) {
    viewer.read_again();
    viewer.hurry();
  }
  note_disturbance();
  if (!run_while([this] { return !is_settled(); }, settling_max_us)) {
    return find("settling", "20 s after everything was mended: {}", unsettled());
  }
  if (!has_more_failed_ && !check_soon_agreed()) return;
  const std::int64_t last_us = now_us() + settling_max_us;
  const auto due_us = [this] {
    return disturbed_us_ + (has_node_died_ ? agreed_after_death_us : agreed_us_max);
  };
  while (now_us() < due_us() && now_us() < last_us) {
    if (!run_until(std::min(due_us(), last_us))) return;
  }
  if (!await_silence()) return;
  ++checks_;
  tell("--- everybody agrees now");
  for (auto& node : nodes_) {
    if (node->is_up()) node->process().check_invariants();
  }
  check_displaced();
  for (SimSession& session : sessions_) {
    check_agreement(session);
    check_stored(session);
    ask_everyone(session);
    knock_barred(session);
  }
  check_probes();
  check_commands();
  has_node_died_ = has_more_failed_ = false;
  is_peace_ = false;
}

// Nothing but messages was lost: that has been mended by now. False: a finding.
bool World::check_soon_agreed() {
  const std::int64_t last_us = disturbed_us_ + agreed_us_max;
  while (now_us() < agreed_us(0) && agreed_us(0) <= last_us) {
    if (!run_until(agreed_us(0))) return false;
  }
  if (agreed_us(0) > last_us || !is_settled()) return true;
  ++silences_;
  for (SimSession& session : sessions_)
    check_agreement(session);
  return !finding_;
}

// What falls due by itself (a host's grace, a session that follows its host) may do so right now:
// what is being said is still on its way then.
bool World::await_silence() {
  const std::int64_t way_us = silence_us + 2 * plan_.client.slow_us + 2 * plan_.redis.slow_us;
  const std::int64_t last_us = now_us() + 3 * way_us;
  while (now_us() < last_us && said_us_ + way_us > now_us()) {
    if (!run_until(std::min(last_us, said_us_ + way_us))) return false;
  }
  return true;
}

bool World::is_settled() {
  return unsettled().empty();
}

std::string World::unsettled() {
  for (auto& node : nodes_) {
    if (!node->is_up()) continue;
    if (node->process().is_draining()) return fmt::format("node {} still drains", node->index());
    if (!node->process().store().is_ready()) {
      return fmt::format("node {} has no store", node->index());
    }
  }
  for (Viewer& viewer : viewers_) {
    const bool is_on_its_way =
        viewer.phase() == Viewer::Phase::joining || viewer.phase() == Viewer::Phase::waiting;
    if (is_on_its_way) return viewer.name() + " has not come in";
    const bool is_cut = viewer.is_open() && viewer.connection()->is_vanished;
    if (is_cut) return viewer.name() + " has not noticed that its node is dead";
  }
  return {};
}

// --- Agreement -----------------------------------------------------------------------------------

void World::check_agreement(SimSession& session) {
  const std::vector<Viewer*> open = open_viewers(viewers_, session);
  const bool may_go_on = session.has_gone_back || session.was_over_apart;
  if (session.is_end_seen && !may_go_on && !open.empty()) {
    find("one end", "the session has ended for some, and {} is still there", open.front()->name());
  }
  for (Viewer* viewer : open) {
    const Viewer& first = *open.front();
    const SimConnection* connection = viewer->connection();
    if (connection->phase != SimConnection::Phase::member) {
      find("one seat", "{} is open, and its node knows no such member", viewer->name());
    }
    if (viewer->held() != first.held()) {
      find("agreement", "{} holds {}, {} holds {}", first.name(), place_of(first.held()),
           viewer->name(), place_of(viewer->held()));
    }
    if (viewer->host() != first.host() || viewer->is_host_away() != first.is_host_away()) {
      find("agreement: host", "{} takes m{}{} for the host, {} m{}{}", first.name(),
           first.host().value, first.is_host_away() ? " (away)" : "", viewer->name(),
           viewer->host().value, viewer->is_host_away() ? " (away)" : "");
    }
    if (viewer->settings() != first.settings()) {
      find("agreement: settings", "{} has {}, {} has {}", first.name(), first.settings(),
           viewer->name(), viewer->settings());
    }
    if (viewer->queue() != first.queue()) {
      find("agreement: queue", "{} has{}, {} has{}", first.name(), words_of(first.queue()),
           viewer->name(), words_of(viewer->queue()));
    }
    if (viewer->up_next() != first.up_next()) {
      find("agreement: up next", "{} has q{}, {} q{}", first.name(), first.up_next().value,
           viewer->name(), viewer->up_next().value);
    }
    if (viewer->ready() != first.ready()) {
      find("agreement: ready", "{} takes {} for ready, {} {}", first.name(), first.ready(),
           viewer->name(), viewer->ready());
    }
    if (viewer->members() != first.members()) {
      find("agreement: list", "{} (m{}) knows{}; {} (m{}) knows{}", first.name(), first.id().value,
           words_of(first.members()), viewer->name(), viewer->id().value,
           words_of(viewer->members()));
    }
    if (viewer->count() != open.size() || viewer->members().size() != open.size() ||
        !viewer->members().contains(viewer->id())) {
      find("agreement: list", "{} are there; {} (m{}) counts {} and knows{}", open.size(),
           viewer->name(), viewer->id().value, viewer->count(), words_of(viewer->members()));
    }
  }
}

// A node has closed what nobody is at the other end of any more: who came back has one connection.
void World::check_displaced() {
  for (auto& node : nodes_) {
    for (std::size_t i = 0; node->is_up() && i < node->process().workers(); ++i) {
      node->process().worker(i).visit_connections([&](const SimConnection& connection) {
        const bool is_kept =
            connection.phase == SimConnection::Phase::member && connection.client == nullptr;
        if (!is_kept) return;
        find("one seat", "node {} keeps a connection of m{}, who has come back through another one",
             node->index(), connection.member.value);
      });
    }
  }
}

// What the store has is what the members hold, and somebody who lives is home.
void World::check_stored(SimSession& session) {
  const std::vector<Viewer*> open = open_viewers(viewers_, session);
  const RedisData::Entry* entry = server_of(session).data.find(session.key, now_us());
  if (entry == nullptr || !entry->bytes) {
    if (!open.empty()) {
      find("stored", "{} is there, and the store has no such session", open.front()->name());
    }
    return;
  }
  const auto stored = decode_stored_session(entry->bytes.text());
  if (!stored) return find("stored", "the record cannot be read: {}", stored.error().message);
  const Uuid* found = server_of(session).data.find(session.code, now_us());
  if (stored->record.code != session.code || found == nullptr || *found != session.key) {
    find("stored", "the session's code is lost");
  }
  std::vector<TakenOver> forks;
  for (const Fork& fork : stored->record.forks)
    forks.push_back({fork.epoch, {fork.after_epoch, fork.after_seq}});
  session.ledger.set_forks(forks);
  check_barred(session, stored->record.removed_browsers);
  if (open.empty()) return;
  const Place place{stored->record.state.epoch, stored->record.state.seq};
  if (place != open.front()->held()) {
    find("stored", "{} holds {}, the store {}", open.front()->name(),
         place_of(open.front()->held()), place_of(place));
  }
  const auto queue = Queue::decode(entry->queue ? entry->queue.text() : Queue().encode());
  if (!queue) return find("stored", "the queue cannot be read: {}", queue.error().message);
  std::vector<QueueItemId> items;
  for (const QueueItem& item : queue->items())
    items.push_back(item.id);
  if (items != open.front()->queue()) {
    find("stored", "{} has{} in the queue, the store{}", open.front()->name(),
         words_of(open.front()->queue()), words_of(items));
  }
  const bool is_alive = std::any_of(nodes_.begin(), nodes_.end(), [&](const auto& node) {
    return node->is_up() && node->process().id() == stored->home;
  });
  if (!is_alive) find("stored", "members are there, and their home is not");
}

// Every node says of every session what is so.
void World::ask_everyone(SimSession& session) {
  const std::size_t there = open_viewers(viewers_, session).size();
  for (auto& node : nodes_) {
    if (!node->is_up() || !session.is_made) continue;
    const std::size_t index = node->index();
    ask(session, index, ValidateOrder{}, [this, &session, index](const SessionReply* reply) {
      // Nobody knows whether one that has died with what the store lost comes back after all.
      const auto* fault = reply == nullptr ? nullptr : std::get_if<SessionFault>(reply);
      const bool is_unsure = fault != nullptr && *fault == SessionFault::unavailable;
      if (is_unsure && session.may_be_gone) return;
      const auto* valid = reply == nullptr ? nullptr : std::get_if<SessionValidity>(reply);
      if (valid == nullptr) return find("requests", "in peace node {} cannot validate", index);
      if (!valid->key) note_end(session, "somebody", "not valid");
      const bool may_go_on = session.has_gone_back || session.was_over_apart;
      if (valid->key && session.is_end_granted && !may_go_on) {
        find("one end", "node {} takes a deleted session for valid", index);
      }
    });
    if (there == 0) continue;
    ask(session, index, InfoOrder{}, [this, index, there](const SessionReply* reply) {
      const auto* info = reply == nullptr ? nullptr : std::get_if<SessionInfo>(reply);
      if (info == nullptr) return find("requests", "in peace node {} has no information", index);
      if (info->members != there) {
        find("one seat", "{} are there, and node {} says {}", there, index, info->members);
      }
    });
  }
}

// Whom the host has removed stays so, whoever goes on from the record.
void World::check_barred(SimSession& session, const std::vector<BrowserId>& stored) {
  for (const BrowserId browser : session.barred) {
    const bool is_kept = std::ranges::find(stored, browser) != stored.end();
    if (is_kept || may_have_forgotten(session)) continue;
    find("removed", "browser {} was removed, and the store knows it no more", browser.value);
  }
  session.barred = stored;
}

// It comes without a right of its own, to every node.
void World::knock_barred(SimSession& session) {
  if (open_viewers(viewers_, session).empty()) return;
  for (const BrowserId browser : session.barred) {
    for (auto& node : nodes_) {
      if (!node->is_up()) continue;
      JoinOrder order;
      order.request.browser = browser;
      const std::size_t index = node->index();
      ask(session, index, std::move(order), [this, browser, index](const SessionReply* reply) {
        const auto* fault = reply == nullptr ? nullptr : std::get_if<SessionFault>(reply);
        if (fault != nullptr && *fault == SessionFault::removed) return;
        find("removed", "in peace node {} does not refuse browser {}", index, browser.value);
      });
    }
  }
}

// Somebody says something: it reaches all.
void World::check_probes() {
  std::vector<std::pair<Viewer*, std::uint64_t>> probes;
  for (SimSession& session : sessions_) {
    for (Viewer* viewer : open_viewers(viewers_, session)) {
      const bool may = viewer->host() == viewer->id() || viewer->settings().starts_with("everyone");
      if (!may || finding_) continue;
      viewer->say(Kind::seek);
      probes.emplace_back(viewer, commands_);
      break;
    }
  }
  if (!run_until(now_us() + probe_us + 4 * plan_.client.slow_us + 2 * plan_.redis.slow_us)) return;
  for (const auto& [by, number] : probes) {
    for (Viewer* viewer : open_viewers(viewers_, by->session())) {
      // An older command whose message was lost may still come after it.
      if (viewer->newest_seen() >= number) continue;
      find("one seat", "{} (m{}) did not hear what {} (m{}) said in peace", viewer->name(),
           viewer->id().value, by->name(), by->id().value);
    }
  }
}

// --- Once, or refused ----------------------------------------------------------------------------

void World::check_commands() {
  if (!run_until(now_us() + answers_us + 2 * plan_.client.slow_us)) return;
  for (SimSession& session : sessions_)
    check_forks(session);
  wrong_doubts_ = gone_ = 0;  // all are counted anew
  for (Viewer& viewer : viewers_) {
    // Of one that is over nobody knows any more which states count.
    if (is_over(viewer.session())) continue;
    for (std::size_t i = 0; i < static_cast<std::size_t>(Kind::count_); ++i)
      check_refusals(viewer, static_cast<Kind>(i));
    for (Viewer::Talk& talk : viewer.talks())
      check_talk(viewer, talk);
    for (std::size_t i = 0; i < viewer.talks().size(); ++i)
      check_seen(viewer, i);
  }
}

// The probe may have come after a take-over that nobody had to be told of yet.
void World::check_forks(SimSession& session) {
  const RedisData::Entry* entry = server_of(session).data.find(session.key, now_us());
  if (entry == nullptr || !entry->bytes) return;
  const auto stored = decode_stored_session(entry->bytes.text());
  if (!stored) return;
  std::vector<TakenOver> forks;
  for (const Fork& fork : stored->record.forks)
    forks.push_back({fork.epoch, {fork.after_epoch, fork.after_seq}});
  session.ledger.set_forks(forks);
}

bool World::is_over(const SimSession& session) {
  const RedisData::Entry* entry = server_of(session).data.find(session.key, now_us());
  return entry == nullptr || !entry->bytes;
}

// No command is refused twice, nor refused for sure and carried out. An answer follows its member
// to the connection that it has by then, so all of a viewer's are counted together. `unavailable`
// is said in doubt, too: how often that was wrong is counted.
void World::check_refusals(Viewer& viewer, Kind kind) {
  if (kind == Kind::chat || kind == Kind::reaction) return;
  unsigned said = 0, counting = 0, errors = 0, doubts = 0;
  for (const Viewer::Talk& talk : viewer.talks()) {
    for (const auto& each : talk.said[static_cast<std::size_t>(kind)]) {
      ++said;
      counting += viewer.session().ledger.tally(each.number).counting > 0 ? 1 : 0;
    }
    errors += talk.errors[static_cast<std::size_t>(kind)];
    doubts += talk.doubts[static_cast<std::size_t>(kind)];
  }
  if (errors > said) {
    find("once or refused", "{} said {} {} and was refused {} times", viewer.name(), said,
         kind_name(kind), errors);
  }
  if (counting + errors > said + doubts) {
    find("once or refused", "{}: of {} {} {} count, and {} were refused, {} of them in doubt",
         viewer.name(), said, kind_name(kind), counting, errors, doubts);
  }
  if (counting + errors > said) wrong_doubts_ += counting + errors - said;
}

// Of all that was said through one connection.
void World::check_talk(Viewer& viewer, Viewer::Talk& talk) {
  const Ledger& ledger = viewer.session().ledger;
  for (std::size_t i = 0; i < talk.said.size(); ++i) {
    const auto kind = static_cast<Kind>(i);
    const bool is_talk = kind == Kind::chat || kind == Kind::reaction;
    if (is_talk || talk.said[i].empty()) continue;
    unsigned unknown = 0;
    unsigned untold = 0;  // undone, and nobody has said so
    const Viewer::Talk::Said* example = nullptr;
    for (const auto& said : talk.said[i]) {
      const Ledger::Tally tally = ledger.tally(said.number);
      if (tally.counting > 1) {
        find("once", "{} {} of {} was carried out {} times", kind_name(kind), said.number,
             viewer.name(), tally.counting);
      }
      if (tally.counting > 0) continue;
      if (tally.undone == 0) {
        unknown += ledger.has_unseen_after(said.held) ? 0 : 1;
      } else {
        const bool is_told = std::any_of(talk.undone_us.begin(), talk.undone_us.end(),
                                         [&](std::int64_t us) { return us >= said.sent_us; });
        untold += is_told ? 0 : 1;
        if (!is_told) example = &said;
      }
    }
    const auto errors = talk.errors[i];
    const auto size = static_cast<unsigned>(talk.said[i].size());
    if (!talk.is_open()) {
      check_gone(viewer, talk, kind, unknown);
      continue;
    }
    if (errors < unknown) {
      find("once or refused", "{} (m{}): of {} {} {} were neither carried out nor refused ({})",
           viewer.name(), talk.member.value, size, kind_name(kind), unknown, errors);
    }
    if (errors < unknown + untold) {
      find("undone", "{} (m{}): {} {} was undone, and {} was not told so", viewer.name(),
           talk.member.value, kind_name(kind), example->number, viewer.name());
    }
  }
}

// What was said through a connection that has ended is carried out, or refused while there is
// somebody to be told, or goes with it: then it was said in the last seconds before.
void World::check_gone(const Viewer& viewer, const Viewer::Talk& talk, Kind kind,
                       unsigned unknown) {
  const unsigned errors = talk.errors[static_cast<std::size_t>(kind)];
  if (errors >= unknown) return;
  gone_ += unknown - errors;
  const auto& said = talk.said[static_cast<std::size_t>(kind)];
  const auto late = std::count_if(said.begin(), said.end(), [&](const Viewer::Talk::Said& each) {
    return each.sent_us > talk.answered_us;
  });
  if (unknown - errors <= late) return;
  find("once or refused", "{} (m{}): {} {} went with a connection that was there for 6 s after",
       viewer.name(), talk.member.value, unknown - errors, kind_name(kind));
}

// What a viewer saw itself carried out, and then lost its connection: if it does not count, the
// next welcome says so. Of what it saw: another line may have gone on from there meanwhile, and
// have been undone in turn, where nobody was to hear of it.
void World::check_seen(Viewer& viewer, std::size_t index) {
  const Viewer::Talk& talk = viewer.talks()[index];
  if (talk.is_open() || talk.is_anothers || !viewer.is_open()) return;
  const Ledger& ledger = viewer.session().ledger;
  for (const auto& of_kind : talk.said) {
    for (const auto& said : of_kind) {
      const Ledger::Tally tally = ledger.tally(said.number);
      if (said.seen == Place{} || tally.counting > 0 || tally.undone == 0) continue;
      // Who does not say what it held may come to the line that was taken over, which knows of
      // nothing to be told.
      const auto is_covered = [&](const Viewer::Talk& later) {
        if (later.is_older) return true;
        if (std::any_of(later.undone_us.begin(), later.undone_us.end(),
                        [&](std::int64_t us) { return us >= said.sent_us; })) {
          return true;
        }
        return std::any_of(later.taken_over.begin(), later.taken_over.end(),
                           [&](const TakenOver& taken) {
                             return said.seen.epoch < taken.epoch && said.seen > taken.after;
                           });
      };
      const auto first = viewer.talks().begin() + static_cast<std::ptrdiff_t>(index);
      if (std::any_of(first, viewer.talks().end(), is_covered)) continue;
      find("undone", "{} saw its {} carried out; that does not count any more, and it was not told",
           viewer.name(), said.number);
    }
  }
}

}  // namespace videosync::sim
