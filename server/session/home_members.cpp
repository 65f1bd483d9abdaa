// Sessions that are at home here: their members, and what follows every event of theirs.
#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "proto/websocket/websocket_frames.h"
#include "server/digest.h"
#include "server/session/directory_impl.h"

namespace videosync {

using Impl = SessionDirectory::Impl;

namespace {

// So much the clocks of two nodes may differ, and some more.
constexpr std::uint64_t epoch_ahead_us = 1'000'000;

// Of who is not in step by wish or for want of data the drift says nothing of the service.
void count_report(WorkerMetrics& metrics, const ReportMessage& report, const PlaybackState& state,
                  std::int64_t now_us) noexcept {
  if (report.cannot_play || report.own_pace) return;
  const bool is_running = state.playing && state.at_us <= now_us;
  if (report.buffering) {
    if (is_running || state.cause == Cause::stall) metrics.count(Counter::reports_buffering);
    return;
  }
  if (!is_running) return;
  constexpr double ms_max = 3'600'000;  // fmin: of what is no number, too
  const double skew_ms = std::fmin(std::fabs(report.drift_ms), ms_max);
  VS_ASSERT(skew_ms >= 0);
  VS_ASSERT(skew_ms <= ms_max);
  metrics.count_playing(report.form);
  metrics.observe(Histogram::viewer_skew_seconds, std::llround(skew_ms * 1'000));
}

}  // namespace

Home& Impl::adopt(Residence& residence, std::unique_ptr<SessionMachine> machine,
                  StoreVersion version) {
  VS_ASSERT(!residence.home);
  VS_ASSERT(!residence.outpost);
  VS_ASSERT(machine != nullptr);
  VS_ASSERT(!machine->ended());
  residence.home = std::make_unique<Home>(std::move(machine), version, ports_.workers);
  Home& home = residence.at_home();
  home.touched_us = home.moved_us = home.empty_since_us = now_us();
  ports_.metrics.add(Gauge::sessions, 1);
  return home;
}

SessionInfo Impl::info_of(const Residence& residence) const {
  const SessionMachine& machine = *residence.at_home().machine;
  return {residence.key, machine.settings(), machine.member_count(), machine.state()};
}

// --- How long a film is --------------------------------------------------------------------------

std::optional<VideoChoice> Impl::find_other_length(const SessionMachine& machine) const noexcept {
  if (machine.state().video.empty()) return std::nullopt;
  auto video = ports_.around.choose_video(machine.state().video);
  const bool is_other = video && video->duration_s > 0 && video->duration_s != machine.duration_s();
  return is_other ? std::move(video) : std::nullopt;
}

void Impl::learn_length(SessionMachine& machine) noexcept {
  if (machine.ended()) return;
  if (const auto video = find_other_length(machine))
    machine.learn_duration(*video, server_us(), effects_);
}

void Impl::library_changed() noexcept {
  VS_ASSERT(effects_.empty());
  std::vector<std::pair<Uuid, VideoChoice>> learned;
  for (const auto& [key, residence] : residences_) {
    if (!residence->is_home()) continue;  // who is moving learns it where it arrives, or stays
    auto video = find_other_length(*residence->at_home().machine);
    if (video) learned.emplace_back(key, std::move(*video));
  }
  for (const auto& [key, video] : learned) {
    Residence* residence = find(key);
    if (residence == nullptr || !residence->is_home()) continue;
    residence->at_home().machine->learn_duration(video, server_us(), effects_);
    settle(*residence);
  }
}

// --- Members -------------------------------------------------------------------------------------

std::expected<SessionMachine::JoinOutcome, SessionMachine::JoinRefusal> Impl::let_in(
    Residence& residence, SessionMachine::JoinRequest request, Seat seat) noexcept {
  Home& home = residence.at_home();
  VS_ASSERT(request.connection);
  // Epochs are of server time: that one nobody can have seen.
  const auto now = static_cast<std::uint64_t>(server_us());
  if (request.held.epoch > now + epoch_ahead_us) request.held = {};
  if (const auto& resume = request.resume) {
    request.is_resume_proven =
        resume_secret(home.machine->resume_key(), resume->member).equals(resume->secret);
  }
  const Uuid node = seat.is_here() ? own_node() : home.remote_at(seat).node;
  request.knock = {knock_id_of(node, request.connection), seat.node};
  // Its welcome tells of the state after what is due, and after what its coming has changed: that
  // comes to the others alone, and before it.
  home.machine->catch_up(server_us(), effects_);
  carry_out(residence);
  const auto joined = home.machine->join(request, server_us(), effects_);
  if (!joined) return joined;
  carry_out_states(residence);
  const auto before = home.seats.find(joined->id);
  if (before != home.seats.end()) {
    close_seat(residence, joined->id, before->second, close_code::connected_elsewhere);
    unseat(home, joined->id);
  }
  seat.number = joined->connection;
  this->seat(residence.key, home, joined->id, seat);
  return joined;
}

// Somebody has seen a later state than this home has reached. It may have been taken over, as the
// store will tell; or what was seen is lost, with its home and with the store's latest: then it is
// taken over by itself, in an epoch above that. False: not now, or not for this reason.
bool Impl::begins_anew(Residence& residence, SessionMachine::JoinRefusal refusal,
                       const HeldState& seen) noexcept {
  const Home& home = residence.at_home();
  const bool may = !is_alone() && presence_.has(residence.key) && !home.is_reread_due &&
                   now_us() >= moves_at_us(home) && !ports_.around.is_draining();
  if (refusal != SessionMachine::JoinRefusal::behind || !may) return false;
  const Uuid key = residence.key;
  superseded(residence);
  note_told(open(key).away(), seen.epoch, seen.seq);  // whoever comes with it is about to ask
  return true;
}

SessionFault Impl::refuse_join(SessionMachine::JoinRefusal refusal) noexcept {
  switch (refusal) {
    case SessionMachine::JoinRefusal::full:
      return SessionFault::full;
    case SessionMachine::JoinRefusal::ended:
      return SessionFault::not_found;
    case SessionMachine::JoinRefusal::behind:
    case SessionMachine::JoinRefusal::late:
      return SessionFault::unavailable;
    case SessionMachine::JoinRefusal::locked:
      return SessionFault::locked;
    case SessionMachine::JoinRefusal::waits:
      return SessionFault::must_knock;
    case SessionMachine::JoinRefusal::turned_away:
      return SessionFault::turned_away;
    case SessionMachine::JoinRefusal::door_full:
      return SessionFault::door_full;
    case SessionMachine::JoinRefusal::removed:
      return SessionFault::removed;
  }
  std::unreachable();
}

void Impl::seat(const Uuid& key, Home& home, MemberId member, const Seat& seat) noexcept {
  VS_ASSERT(seat.number);
  VS_ASSERT(home.seats.find(member) == home.seats.end());
  // There may have been somebody elsewhere all the time: what was not cast has a number, too.
  if (!seat.is_here() && std::exchange(home.has_untold, false)) ++home.casts;
  Seat& taken = home.seats[member] = seat;
  if (seat.is_here()) {
    VS_ASSERT(seat.at().worker < home.members_on.size());
    ++home.members_on[seat.at().worker];
    return;
  }
  taken.set_casts(home.casts);
  Home::Remote& remote = home.remote_at(seat);
  shared_.insert(key);
  remote.changed_us = now_us();
  ++remote.members;
  remote.members_sum += seat_hash(member, seat.number);
  ++home.remote_members;
  VS_ASSERT(remote.members <= home.remote_members);
}

void Impl::unseat(Home& home, MemberId member) noexcept {
  const auto found = home.seats.find(member);
  if (found == home.seats.end()) return;
  const Seat& seat = found->second;
  if (seat.is_here()) {
    VS_ASSERT(home.members_on[seat.at().worker] > 0);
    --home.members_on[seat.at().worker];
  } else {
    Home::Remote& remote = home.remote_at(seat);
    VS_ASSERT(remote.members > 0);
    VS_ASSERT(home.remote_members > 0);
    --remote.members;
    remote.changed_us = now_us();
    remote.members_sum -= seat_hash(member, seat.number);
    --home.remote_members;
  }
  home.seats.erase(found);
  home.assert_sound();
  if (home.seats.empty()) home.empty_since_us = now_us();
}

void Impl::join_home(Residence& residence, const SessionMachine::JoinRequest& request,
                     ConnectionRef from) noexcept {
  VS_ASSERT(residence.is_home());
  VS_ASSERT(effects_.empty());
  const Uuid key = residence.key;
  const auto joined = let_in(residence, request, Seat::here(from));
  if (!joined && begins_anew(residence, joined.error(), request.held)) {
    return join(key, request, from);
  }
  if (!joined) {
    answer_join(key, request, from, refuse_join(joined.error()));
  } else {
    begin_member(key, from, joined->id, joined->connection, write_welcome(residence, joined->id));
    const SessionMachine& machine = *residence.at_home().machine;
    tell_queue(from, machine.queue(), machine.state().epoch);
    tell_history(from, machine.chat(), request.chat_held);
  }
  settle(residence);
}

void Impl::leave_home(Residence& residence, MemberId member, ConnectionNumber number) noexcept {
  VS_ASSERT(effects_.empty());
  Home& home = residence.at_home();
  const auto seat = home.seats.find(member);
  if (seat != home.seats.end() && seat->second.number == number) unseat(home, member);
  home.machine->leave(member, number, server_us(), effects_);
  settle(residence);
}

void Impl::load_video(SessionMachine& machine, MemberId member, const LoadMessage& load) noexcept {
  VS_ASSERT(effects_.empty());
  VS_ASSERT(!machine.ended());
  std::optional<VideoChoice> film;
  if (!is_film_url(load.video)) {
    film = ports_.around.choose_video(load.video);
  } else if (ports_.around.allows_film_url(load.video)) {
    film = VideoChoice{load.video, load.duration_s};
  }
  machine.handle_load(member, std::move(film), server_us(), effects_);
}

void Impl::message_home(Residence& residence, MemberId member,
                        const ClientMessage& message) noexcept {
  VS_ASSERT(effects_.empty());
  SessionMachine& machine = *residence.at_home().machine;
  if (std::holds_alternative<EndMessage>(message) && machine.host() == member) {
    return demand_end(residence, [this, key = residence.key, member](bool is_over) noexcept {
      Residence* now = find(key);
      const bool is_here = now != nullptr && !now->home && now->outpost->members.contains(member);
      if (!is_over && is_here) say(*now, member, EndMessage{});
    });
  }
  if (const auto* load = std::get_if<LoadMessage>(&message)) {
    load_video(machine, member, *load);
  } else if (const auto* enqueue = std::get_if<EnqueueMessage>(&message)) {
    machine.handle_enqueue(member, *enqueue, ports_.around.choose_video(enqueue->video),
                           server_us(), effects_);
  } else {
    if (const auto* report = std::get_if<ReportMessage>(&message)) {
      count_report(ports_.metrics, *report, machine.state(), server_us());
    }
    machine.handle(member, message, server_us(), effects_);
  }
  // The library may have learned the length of what was in the queue meanwhile.
  const bool is_next =
      std::holds_alternative<NextMessage>(message) || std::holds_alternative<JumpMessage>(message);
  if (is_next) learn_length(machine);
  if (std::holds_alternative<ReactionMessage>(message)) await_turn_end(residence);
  settle(residence);
}

void Impl::await_turn_end(Residence& residence) noexcept {
  if (std::exchange(residence.at_home().is_talking, true)) return;
  talking_.push_back(&residence);
}

void Impl::stop_talking(Residence& residence) noexcept {
  if (!std::exchange(residence.at_home().is_talking, false)) return;
  const auto erased = std::erase(talking_, &residence);
  VS_ASSERT(erased == 1);
}

void Impl::turn_end() noexcept {
  for (Residence* residence : std::exchange(talking_, {})) {
    Home& home = residence->at_home();
    VS_ASSERT(home.is_talking);
    VS_ASSERT(effects_.empty());
    home.is_talking = false;
    home.machine->flush_turn(effects_);
    carry_out(*residence);
    commit(*residence);
  }
}

// --- After the machine ---------------------------------------------------------------------------

void Impl::settle(Residence& residence) noexcept {
  const Home& home = residence.at_home();
  carry_out(residence);
  offer_next(residence);
  VS_ASSERT(home.is_over == home.machine->ended());
  commit(residence);
  if (home.is_over) return forget(residence);
  if (const auto heir = better_home(residence)) return hand_over(residence, *heir);
  arm_timer(residence);
}

// What other nodes' members are to hear travels with the change that it tells of.
void Impl::commit(Residence& residence) noexcept {
  SessionMachine& machine = *residence.at_home().machine;
  VS_ASSERT(effects_.empty());
  if (machine.ended()) return;
  if (machine.take_durable_changed()) {
    return store(residence, is_alone() ? Uuid{} : self());
  }
  if (BufferRef cast = take_cast(residence)) {
    ports_.store.publish(residence.key, std::move(cast), [](Result<std::uint32_t>) noexcept {});
  }
}

StoredSession Impl::stored(const Home& home, const Uuid& home_node) const {
  StoredSession session{.home = home_node, .heard = {}, .record = home.machine->record()};
  if (home.own_heard > 0) session.heard.push_back({self(), home.own_heard});
  for (auto remote = home.remotes.rbegin(); remote != home.remotes.rend(); ++remote) {
    if (session.heard.size() == StoredSession::heard_max) break;
    if (remote->heard > 0) {
      session.heard.push_back({remote->node, remote->heard, remote->refused});
    }
  }
  return session;
}

// The answer is not waited for: changes leave in order, each expects the one before it.
void Impl::store(Residence& residence, const Uuid& home_node) noexcept {
  Home& home = residence.at_home();
  VS_ASSERT(!home.machine->ended());
  VS_ASSERT(depth_ > 0);
  if (home.is_reread_due) return say_unstored(residence);
  home.touched_us = now_us();
  const StoreVersion expected = home.version;
  ++home.version.revision;
  home.is_queue_unstored = home.machine->take_queue_changed() || home.is_queue_unstored;
  // Written with each change until the store is known to have it: one of several may get lost.
  const Queue* queue = home.is_queue_unstored ? &home.machine->queue() : nullptr;
  const SessionBytes bytes = bytes_of(encode(stored(home, home_node)), queue);
  home.is_remade = true;
  BufferRef cast = take_cast(residence);
  // A store that has refused the last one will refuse this one, too: what is said in the meantime
  // would come before it, and everybody elsewhere miss it.
  // And since the store was looked at another home may have come to it, at a lower fence.
  std::shared_ptr<const Uuid> beneath;
  if (is_unsaved(residence.key)) {
    if (cast)
      ports_.store.publish(residence.key, std::exchange(cast, {}),
                           [](Result<std::uint32_t>) noexcept {});
    beneath = ask_beneath(residence.key, home.version.fence);
  }
  home.change = ++changes_asked_;
  VS_ASSERT(changes_answered_ < changes_asked_);
  ports_.store.change(
      name_of(residence), expected, home.version, bytes, store_ttl_us(), cast,
      [this, key = residence.key, fence = expected.fence, cast,
       queue_version = queue != nullptr ? std::optional(queue->version()) : std::nullopt,
       beneath = std::move(beneath)](Result<> result) noexcept {
        ++changes_answered_;
        // Mostly there is nothing to do; then no event of its own is needed.
        const bool is_all_saved = unsaved_.empty() && unsaved_away_.empty();
        if (result && is_all_saved && !queue_version) return;
        answered([this, key, fence, cast, queue_version, beneath](const Result<>& stored) noexcept {
          if (stored && beneath) tell_beneath(*beneath, key, fence);
          on_stored(key, fence, cast, queue_version, stored);
        })(std::move(result));
      });
}

// The change is stored when the store has been looked at, soon after its return.
void Impl::say_unstored(Residence& residence) noexcept {
  residence.home->is_remade = true;
  if (const BufferRef cast = take_cast(residence)) {
    ports_.store.publish(residence.key, cast, [](Result<std::uint32_t>) noexcept {});
  }
}

// A store that takes no changes (out of memory) may still carry what is said.
void Impl::on_stored(const Uuid& key, std::uint64_t fence, const BufferRef& cast,
                     std::optional<std::uint64_t> queue_version, const Result<>& result) noexcept {
  VS_ASSERT(changes_answered_ <= changes_asked_);
  Residence* residence = find(key);
  // It has ended or moved meanwhile, or moves: then the answer to that counts.
  if (residence == nullptr || !residence->is_home()) return;
  Home& home = residence->at_home();
  if (home.version.fence != fence) return;
  if (result && queue_version == home.machine->queue().version()) home.is_queue_unstored = false;
  if (result) return set_unsaved(key, "");
  switch (result.error().code) {
    case ErrorCode::conflict:
      return presence_.is_divided() ? on_conflict(*residence) : superseded(*residence);
    case ErrorCode::not_found:
      home.machine->end(server_us(), effects_);
      return settle(*residence);
    default:
      set_unsaved(key, result.error().message);
      home.is_queue_unstored = true;  // another home's may lie there when it is written next
      if (!cast) return;
      home.cast_us = now_us();
      ports_.store.publish(key, cast, [](Result<std::uint32_t>) noexcept {});
  }
}

// Such a session lives in memory only, until it can be stored again.
void Impl::set_unsaved(const Uuid& key, std::string why) noexcept {
  VS_ASSERT(why.empty() || residences_.contains(key) || copies_.contains(key));
  const bool was_empty = unsaved_.empty();
  if (!why.empty() && presence_.is_apart(key)) {
    unsaved_away_.insert(key);  // of that Nodes know anyway
    return;
  }
  const bool was_away = unsaved_away_.erase(key) > 0;
  VS_ASSERT(!was_away || !unsaved_.contains(key));
  if (why.empty()) {
    if (unsaved_.erase(key) == 0) return;
  } else if (unsaved_.insert(key).second && was_empty) {
    log_warn("session", "a change could not be stored", field("why", why));
    unsaved_why_ = std::move(why);
  }
  const bool is_other =
      presence_.has_parts() && !unsaved_.empty() && !unsaved_.contains(unsaved_told_);
  if (unsaved_.empty() != was_empty || is_other) tell_unsaved();
}

// Those whose part of the store is away: what is not stored for that is refused by nobody.
void Impl::set_aside_unsaved() noexcept {
  const bool was_empty = unsaved_.empty();
  for (auto each = unsaved_.begin(); each != unsaved_.end();) {
    if (!presence_.is_apart(*each)) {
      ++each;
      continue;
    }
    unsaved_away_.insert(*each);
    each = unsaved_.erase(each);
  }
  VS_ASSERT(!was_empty || unsaved_.empty());
  if (!was_empty && !unsaved_.contains(unsaved_told_)) tell_unsaved();
  VS_ASSERT(presence_.has_parts() || unsaved_away_.empty());
}

// With one of them for all: what refuses it is the store's affair, and not the session's.
void Impl::tell_unsaved() noexcept {
  VS_ASSERT(unsaved_.empty() || !unsaved_why_.empty());
  unsaved_told_ = unsaved_.empty() ? Uuid{} : *unsaved_.begin();
  if (is_alone()) return;
  to_nodes(
      [worker = ports_.worker, slot = slot_of(unsaved_told_),
       why = unsaved_.empty() ? std::string() : unsaved_why_](NodePort& nodes) mutable noexcept {
        nodes.report_unsaved(worker, std::move(why), slot);
      });
}

void Impl::store_again(Residence& residence) noexcept {
  Home& home = residence.at_home();
  home.machine->take_durable_changed();
  home.is_queue_unstored = true;  // the store may have lost it, or have another home's
  store(residence, self());
}

void Impl::arm_timer(Residence& residence) noexcept {
  const Home& home = residence.at_home();
  VS_ASSERT(!home.is_over);
  VS_ASSERT(!home.machine->ended());
  std::int64_t wait_us = home.machine->next_deadline_us() - server_us();
  // While somebody is there the store has to hear of it now and then.
  if (!home.seats.empty()) wait_us = std::min(wait_us, store_ttl_us() / 4);
  // A moment that nothing can be done at would come again at once, and again.
  const std::int64_t leaves_us = leaves_at_us(residence);
  if (leaves_us != INT64_MAX) {
    wait_us = std::min(wait_us, std::max<std::int64_t>(leaves_us - now_us(), 0));
  }
  schedule(residence.timer, wait_us);
}

void Impl::on_timer(Residence& residence) noexcept {
  VS_ASSERT(effects_.empty());
  VS_ASSERT(!residence.timer.is_armed());
  Home& home = residence.at_home();
  if (now_us() - home.touched_us >= store_ttl_us() / 4) {
    home.touched_us = now_us();
    ports_.store.touch(name_of(residence), store_ttl_us(), [](Result<>) noexcept {});
  }
  const std::string video = home.machine->state().video;
  home.machine->tick(server_us(), effects_);
  if (home.machine->state().video != video) learn_length(*home.machine);
  settle(residence);
}

}  // namespace videosync
