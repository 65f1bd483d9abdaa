#include "server/nodes/nodes.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "server/session/session_directory.h"

namespace videosync {

namespace {

constexpr std::int64_t tick_ms = 250;
constexpr std::int64_t alive_every_us = 1'000'000;
constexpr std::int64_t held_up_us = 2'000'000;
constexpr std::int64_t complain_every_us = 5'000'000;
constexpr std::int64_t remembered_us = 3'600'000'000;

constexpr Uuid everybody = [] {
  Uuid channel;
  channel.bytes.fill(0xff);
  return channel;
}();

}  // namespace

Nodes::Nodes(const NodesPorts& ports, NodesOwner& owner) noexcept
    : ports_(ports), owner_(owner), unsaved_(ports.workers), written_back_(ports.workers) {}

template <class Task>
void Nodes::on_all_directories(Task task) noexcept {
  for (std::size_t i = 0; i < ports_.workers; ++i) {
    SessionDirectory* directory = &ports_.around.directory_of(i);
    ports_.around.post(i, [directory, task]() noexcept { task(*directory); });
  }
}

void Nodes::arm_timer() noexcept {
  ports_.timers.schedule(timer_, now_us() / 1'000 + tick_ms);
}

void Nodes::start() noexcept {
  VS_ASSERT(!timer_.is_armed());
  VS_ASSERT(ports_.workers > 0);
  last_tick_us_ = now_us();
  lost_since_us_ = last_tick_us_ + start_us;
  ports_.store.follow(Channel::of_node(ports_.self), [](Result<>) noexcept {});
  ports_.store.follow(Channel::of_all_nodes(everybody), [](Result<>) noexcept {});
  arm_timer();
  VS_ASSERT(timer_.is_armed());
}

void Nodes::tick() noexcept {
  VS_ASSERT(!timer_.is_armed());
  const std::int64_t now = now_us();
  // After a standstill of our own, everybody's silence is our deafness.
  if (now - last_tick_us_ > held_up_us) ready_since_us_ = whole_since_us_ = now;
  last_tick_us_ = now;
  if (is_store_ready_ && now - last_alive_us_ >= alive_every_us) {
    last_alive_us_ = now;
    const NodesOwner::Totals totals = owner_.totals();
    say(node::Alive{totals.members, totals.sessions, ports_.around.is_draining(),
                    may_have_unsaved()});
  }
  for (auto& [node, known] : known_) {
    if (is_store_ready_ && !known.is_lost && is_gone(known, now)) lose(node, known);
  }
  if (is_store_ready_) digests_.tick();
  forget_lost(now);
  judge();
  judge_store();
  arm_timer();
  assert_sound();
}

void Nodes::assert_sound() const noexcept {
  VS_ASSERT(unsaved_.size() == ports_.workers);
  VS_ASSERT(written_back_.size() == ports_.workers);
  VS_ASSERT(!is_degraded_ || !problem_.empty() || !parts_problem_.empty());
  VS_ASSERT(is_degraded_ || complaint_.empty());
  VS_ASSERT(outages_.empty() || is_store_ready_);
}

bool Nodes::is_gone(const Known& known, std::int64_t now_us) const noexcept {
  if (now_us - std::max(known.heard_us, ready_since_us_) > silence_max_us) return true;
  const bool is_deaf = known.deaf_since_us > 0 && now_us - known.deaf_since_us > deaf_max_us;
  return is_deaf && now_us - ready_since_us_ > return_us;
}

// Ids are new at each start: they would gather. Whoever meets such a one again finds it deaf.
void Nodes::forget_lost(std::int64_t now_us) noexcept {
  for (auto each = known_.begin(); each != known_.end();) {
    const bool is_old = each->second.is_lost && now_us - each->second.heard_us > remembered_us;
    if (!is_old) {
      ++each;
      continue;
    }
    on_all_directories([node = each->first](SessionDirectory& directory) noexcept {
      directory.on_node_alive(node);
    });
    VS_ASSERT(each->first != ports_.self);
    VS_ASSERT(each->second.is_lost);
    each = known_.erase(each);
  }
}

void Nodes::say(const node::Message& message) noexcept {
  const std::string bytes =
      encode(node::Envelope{.from = ports_.self, .key = {}, .message = message});
  ports_.store.publish(Channel::of_all_nodes(everybody), BufferRef::copy_of(bytes),
                       [](Result<std::uint32_t>) noexcept {});
}

void Nodes::stop() noexcept {
  ports_.timers.cancel(timer_);
  if (is_store_ready_) say(node::Bye{});
}

void Nodes::hear(const node::Envelope& envelope) noexcept {
  if (envelope.from == ports_.self) return;
  Known& known = note_heard(envelope.from);
  known.has_said_bye = std::holds_alternative<node::Bye>(envelope.message);
  const auto* alive = std::get_if<node::Alive>(&envelope.message);
  known.has_unsaved = alive != nullptr && alive->has_unsaved;
  judge_store();
  VS_ASSERT(!known.is_lost);
  VS_ASSERT(known.deaf_since_us == 0);
  if (known.has_said_bye) lose(envelope.from, known);
}

// Whatever it says: who says anything lives, and is lost anew when it says nothing more.
Nodes::Known& Nodes::note_heard(const Uuid& node) noexcept {
  VS_ASSERT(node != ports_.self);
  Known& known = known_[node];
  known.heard_us = now_us();
  known.deaf_since_us = 0;
  if (known.back_us < whole_since_us_ || known.is_lost) known.back_us = known.heard_us;
  if (!std::exchange(known.is_lost, false)) return known;
  VS_ASSERT(known.deaf_since_us == 0);
  log_info("nodes", "a node is back", field("node", node.to_string()));
  on_all_directories(
      [node](SessionDirectory& directory) noexcept { directory.on_node_alive(node); });
  return known;
}

void Nodes::lose(const Uuid& node, Known& known) noexcept {
  VS_ASSERT(node != ports_.self);
  VS_ASSERT(!known.is_lost);
  known.is_lost = true;
  log_warn("nodes", "a node is gone", field("node", node.to_string()));
  on_all_directories(
      [node](SessionDirectory& directory) noexcept { directory.on_node_lost(node); });
}

void Nodes::watch(const Uuid& node) noexcept {
  const auto [known, is_new] = known_.try_emplace(node);
  if (is_new) known->second.heard_us = now_us();
}

void Nodes::report_deaf(const Uuid& node) noexcept {
  VS_ASSERT(node != ports_.self);
  VS_ASSERT(node != Uuid{});
  Known& known = known_[node];
  if (known.heard_us == 0) known.heard_us = now_us();
  if (known.deaf_since_us == 0) known.deaf_since_us = now_us();
}

void Nodes::report_hearing(const Uuid& node) noexcept {
  const auto known = known_.find(node);
  if (known != known_.end()) known->second.deaf_since_us = 0;
}

void Nodes::report_unsaved(std::size_t worker, std::string why, std::uint16_t slot) noexcept {
  VS_ASSERT(worker < unsaved_.size());
  const bool was_unsaved = has_unsaved_sessions();
  unsaved_[worker] = {std::move(why), slot};
  assert_sound();
  if (was_unsaved != has_unsaved_sessions()) last_alive_us_ = 0;  // the others hear of it soon
  judge();
}

// By a part that is there. Where it is away that is what is to be told; the worker has not heard of
// it yet.
const Nodes::Unsaved* Nodes::find_refused() const noexcept {
  const auto found = std::ranges::find_if(unsaved_, [this](const Unsaved& unsaved) noexcept {
    return !unsaved.why.empty() && !is_away(unsaved.slot);
  });
  return found != unsaved_.end() ? &*found : nullptr;
}

bool Nodes::has_unsaved_sessions() const noexcept {
  return find_refused() != nullptr || !outages_.empty();
}

bool Nodes::is_away(std::uint16_t slot) const noexcept {
  return std::ranges::any_of(outages_,
                             [=](const Outage& outage) { return outage.slots.test(slot); });
}

void Nodes::report_written_back(std::size_t worker) noexcept {
  VS_ASSERT(worker < written_back_.size());
  written_back_[worker] = true;
  assert_sound();
  if (!may_have_unsaved()) last_alive_us_ = 0;
}

bool Nodes::may_have_unsaved() const noexcept {
  return has_unsaved_sessions() || !std::ranges::all_of(written_back_, std::identity());
}

// Whether it may have sessions of which the store knows nothing.
bool Nodes::may_bring_back(const Known& known) const noexcept {
  if (known.has_said_bye) return false;
  const bool is_expected = !known.is_lost || now_us() - known.heard_us < missing_max_us;
  if (known.has_unsaved && is_expected) return true;
  if (now_us() - whole_since_us_ >= missing_max_us) return false;
  if (known.heard_us < whole_since_us_) return whole_since_us_ - known.heard_us < missing_max_us;
  return now_us() - known.back_us < write_back_us;
}

void Nodes::judge_store() noexcept {
  assert_sound();
  const bool may_lack = std::ranges::any_of(
      known_, [this](const auto& node) noexcept { return may_bring_back(node.second); });
  if (std::exchange(may_store_lack_, may_lack) == may_lack) return;
  on_all_directories(
      [may_lack](SessionDirectory& directory) noexcept { directory.on_store_judged(may_lack); });
}

void Nodes::add_sums(std::uint64_t round, std::vector<SharedSums> sums) noexcept {
  digests_.add(round, std::move(sums));
}

std::size_t Nodes::alive() const noexcept {
  return 1 +
         static_cast<std::size_t>(std::count_if(
             known_.begin(), known_.end(), [](const auto& node) { return !node.second.is_lost; }));
}

// --- From the store ------------------------------------------------------------------------------

void Nodes::on_session_event(const Uuid& channel, const BufferRef& event) noexcept {
  const bool is_for_nodes = channel == ports_.self || channel == everybody;
  if (!is_for_nodes) {
    const std::size_t owner = worker_of(channel, ports_.workers);
    SessionDirectory* directory = &ports_.around.directory_of(owner);
    ports_.around.post(
        owner, [directory, channel, event]() noexcept { directory->on_event(channel, event); });
    return;
  }
  const auto bytes = event.bytes();
  auto envelope = node::decode({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (!envelope) {
    log_warn("nodes", "a message of another node cannot be read",
             field("why", envelope.error().message));
    return;
  }
  if (channel == everybody) return hear(*envelope);
  if (envelope->from == ports_.self) return;
  note_heard(envelope->from);
  if (const auto* digest = std::get_if<node::Digest>(&envelope->message)) {
    return digests_.on_digest(envelope->from, *digest);
  }
  if (auto* list = std::get_if<node::DigestList>(&envelope->message)) {
    return digests_.on_list(envelope->from, std::move(*list));
  }
  const std::size_t owner = worker_of(envelope->key, ports_.workers);
  SessionDirectory* directory = &ports_.around.directory_of(owner);
  auto boxed = std::make_unique<node::Envelope>(std::move(*envelope));
  ports_.around.post(owner, [directory, boxed = std::move(boxed)]() mutable noexcept {
    directory->on_envelope(std::move(*boxed));
  });
}

void Nodes::on_store_ready() noexcept {
  written_back_.assign(ports_.workers, false);
  VS_ASSERT(may_have_unsaved());
  is_store_ready_ = true;
  outages_.clear();
  ready_since_us_ = whole_since_us_ = now_us();
  last_alive_us_ = 0;
  on_all_directories([](SessionDirectory& directory) noexcept { directory.on_store_ready(); });
  owner_.on_store_usable();
  // Of which parts of it are away is about to be told: nobody hears that they are back.
  if (!has_parts_) judge();
  judge_store();
  assert_sound();
}

void Nodes::on_store_lost(const Error& why) noexcept {
  assert_sound();
  store_problem_ = why.message;
  if (std::exchange(is_store_ready_, false)) {
    outages_.clear();
    lost_since_us_ = now_us();
    on_all_directories([](SessionDirectory& directory) noexcept { directory.on_store_lost(); });
    owner_.void_store_calls({});
  }
  judge();
  VS_ASSERT(!problem_.empty());
}

void Nodes::on_part_lost(const SlotSet& slots, const Error& why) noexcept {
  assert_sound();
  has_parts_ = true;
  if (!is_store_ready_ || slots.none()) return;
  SlotSet gone = slots;
  for (Outage& outage : outages_) {
    if ((outage.slots & slots).any()) outage.why = why.message;
    gone &= ~outage.slots;
  }
  if (gone.any()) {
    outages_.push_back({gone, now_us(), why.message});
    last_alive_us_ = 0;  // the others hear soon that there may be what is not stored
    const auto shared = std::make_shared<const SlotSet>(gone);
    on_all_directories(
        [shared](SessionDirectory& directory) noexcept { directory.on_part_lost(shared); });
    owner_.void_store_calls(shared);
  }
  judge();
  VS_ASSERT(!outages_.empty());
}

// Whether it is the part that went, and what it has, nobody knows: so it is judged as the return of
// the whole is. Other nodes have been heard all the time.
void Nodes::on_part_ready(const SlotSet& slots) noexcept {
  assert_sound();
  has_parts_ = true;
  if (!is_store_ready_ || slots.none()) return;
  end_outages(slots);
  written_back_.assign(ports_.workers, false);
  whole_since_us_ = now_us();
  last_alive_us_ = 0;
  const auto shared = std::make_shared<const SlotSet>(slots);
  on_all_directories(
      [shared](SessionDirectory& directory) noexcept { directory.on_part_ready(shared); });
  judge();
  judge_store();
  VS_ASSERT(may_have_unsaved());
}

void Nodes::end_outages(const SlotSet& slots) noexcept {
  VS_ASSERT(is_store_ready_);
  for (Outage& outage : outages_)
    outage.slots &= ~slots;
  std::erase_if(outages_, [](const Outage& outage) noexcept { return outage.slots.none(); });
  VS_ASSERT(outages_.size() <= key_slots);
}

void Nodes::on_store_round_trip(std::int64_t took_us) noexcept {
  owner_.on_round_trip(took_us);
}

// Tells the members when things have turned; a blip is not worth a word.
void Nodes::judge() noexcept {
  assert_sound();
  find_problems();
  const SlotSet degraded = find_degraded();
  is_degraded_ = degraded.any();
  const SlotSet before = std::exchange(told_, degraded);
  if (is_degraded_) complain();
  if (!is_degraded_ && before.any()) {
    complaint_.clear();
    log_info("store", "restored");
  }
  VS_ASSERT(!is_degraded_ || !complaint_.empty());
  tell_degraded(degraded & ~before, true);
  tell_degraded(before & ~degraded, false);
}

void Nodes::find_problems() noexcept {
  VS_ASSERT(outages_.empty() || is_store_ready_);
  problem_.clear();
  parts_problem_.clear();
  if (!is_store_ready_) {
    problem_ = "redis: " + store_problem_;
  } else if (const Unsaved* refused = find_refused()) {
    problem_ = "redis: " + refused->why;
  }
  if (outages_.empty()) return;
  std::size_t away = 0;
  for (const Outage& outage : outages_)
    away += outage.slots.count();
  parts_problem_ = "redis: " + std::to_string(away) + " of " + std::to_string(key_slots) +
                   " slots are away: " + outages_.front().why;
  VS_ASSERT(away > 0);
}

// A refusal is everybody's affair: the next command may be of any session.
SlotSet Nodes::find_degraded() const noexcept {
  const auto is_long = [this](std::int64_t since_us) noexcept {
    return now_us() - since_us >= degraded_after_us;
  };
  if (!is_store_ready_) return is_long(lost_since_us_) ? SlotSet().set() : told_;
  if (find_refused() != nullptr) return SlotSet().set();
  SlotSet degraded;
  for (const Outage& outage : outages_)
    degraded |= is_long(outage.since_us) ? outage.slots : outage.slots & told_;
  VS_ASSERT(!outages_.empty() || degraded.none());
  return degraded;
}

void Nodes::tell_degraded(const SlotSet& slots, bool is_degraded) noexcept {
  if (slots.none()) return;
  VS_ASSERT(!is_degraded || is_degraded_);
  owner_.on_degraded(std::make_shared<const SlotSet>(slots), is_degraded);
}

// Once for each reason, and not in a stream where two of them take turns.
void Nodes::complain() noexcept {
  const std::string& problem = problem_.empty() ? parts_problem_ : problem_;
  VS_ASSERT(!problem.empty());
  VS_ASSERT(!is_store_ready_ || has_unsaved_sessions());
  const std::int64_t now = now_us();
  const bool is_soon = !complaint_.empty() && now - complained_us_ < complain_every_us;
  if (problem == complaint_ || is_soon) return;
  complaint_ = problem;
  complained_us_ = now;
  log_warn("store", "degraded: sessions live in memory", field("why", problem));
}

}  // namespace videosync
