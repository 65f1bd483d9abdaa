#include "server/nodes/nodes.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include "core/base/log.h"
#include "server/service.h"
#include "server/worker.h"

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

Nodes::Nodes(Service& service) noexcept : service_(service) {}

Worker& Nodes::first() const noexcept {
  return *service_.workers.front();
}

template <class Task>
void Nodes::on_all_workers(Task task) noexcept {
  for (std::size_t i = 0; i < service_.workers.size(); ++i) {
    Worker* worker = service_.workers[i];
    first().run_on(i, [worker, task]() noexcept { task(*worker); });
  }
}

void Nodes::start() noexcept {
  unsaved_.resize(service_.workers.size());
  last_tick_us_ = lost_since_us_ = first().monotonic_us();
  service_.store.follow(self_, [](Result<>) noexcept {});
  service_.store.follow(everybody, [](Result<>) noexcept {});
  first().reactor().timers().schedule(timer_, first().reactor().now_ms() + tick_ms);
}

void Nodes::tick() noexcept {
  const std::int64_t now_us = first().monotonic_us();
  // After a standstill of our own, everybody's silence is our deafness.
  if (now_us - last_tick_us_ > held_up_us) ready_since_us_ = now_us;
  last_tick_us_ = now_us;
  if (is_store_ready_ && now_us - last_alive_us_ >= alive_every_us) {
    last_alive_us_ = now_us;
    const auto total = [&](Gauge gauge) {
      return static_cast<std::uint32_t>(std::max<std::int64_t>(0, service_.metrics.total(gauge)));
    };
    say(Alive{total(Gauge::members), total(Gauge::sessions), service_.is_draining});
  }
  for (auto& [node, known] : known_) {
    if (is_store_ready_ && !known.is_lost && is_gone(known, now_us)) lose(node, known);
  }
  forget_lost(now_us);
  judge();
  first().reactor().timers().schedule(timer_, first().reactor().now_ms() + tick_ms);
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
    on_all_workers(
        [node = each->first](Worker& worker) noexcept { worker.outposts().on_node_alive(node); });
    each = known_.erase(each);
  }
}

void Nodes::say(const NodeMessage& message) noexcept {
  const std::string bytes = encode(NodeEnvelope{.from = self_, .key = {}, .message = message});
  service_.store.publish(everybody, BufferRef::copy_of(bytes),
                         [](Result<std::uint32_t>) noexcept {});
}

void Nodes::stop() noexcept {
  first().reactor().timers().cancel(timer_);
  if (is_store_ready_) say(Bye{});
}

void Nodes::hear(const NodeEnvelope& envelope) noexcept {
  if (envelope.from == self_) return;
  Known& known = known_[envelope.from];
  known.heard_us = first().monotonic_us();
  known.deaf_since_us = 0;
  if (std::holds_alternative<Bye>(envelope.message)) return lose(envelope.from, known);
  if (!std::exchange(known.is_lost, false)) return;
  log_info("nodes", "a node is back", field("node", envelope.from.to_string()));
  on_all_workers(
      [node = envelope.from](Worker& worker) noexcept { worker.outposts().on_node_alive(node); });
}

void Nodes::lose(const Uuid& node, Known& known) noexcept {
  known.is_lost = true;
  log_warn("nodes", "a node is gone", field("node", node.to_string()));
  on_all_workers([node](Worker& worker) noexcept { worker.outposts().on_node_lost(node); });
}

void Nodes::watch(Worker& from, const Uuid& node) noexcept {
  from.run_on(0, [this, node]() noexcept {
    const auto [known, is_new] = known_.try_emplace(node);
    if (is_new) known->second.heard_us = first().monotonic_us();
  });
}

void Nodes::report_deaf(Worker& from, const Uuid& node) noexcept {
  from.run_on(0, [this, node]() noexcept {
    Known& known = known_[node];
    const std::int64_t now_us = first().monotonic_us();
    if (known.heard_us == 0) known.heard_us = now_us;
    if (known.deaf_since_us == 0) known.deaf_since_us = now_us;
  });
}

void Nodes::report_unsaved(Worker& from, std::string why) noexcept {
  from.run_on(0, [this, index = from.index(), why = std::move(why)]() mutable noexcept {
    unsaved_[index] = std::move(why);
    judge();
  });
}

std::size_t Nodes::alive() const noexcept {
  return 1 +
         static_cast<std::size_t>(std::count_if(
             known_.begin(), known_.end(), [](const auto& node) { return !node.second.is_lost; }));
}

// --- From the store ------------------------------------------------------------------------------

void Nodes::on_session_event(const Uuid& channel, const BufferRef& event) noexcept {
  const bool is_for_nodes = channel == self_ || channel == everybody;
  if (!is_for_nodes) {
    const std::size_t home = service_.worker_of(channel);
    Worker* worker = service_.workers[home];
    first().run_on(
        home, [worker, channel, event]() noexcept { worker->outposts().on_event(channel, event); });
    return;
  }
  const auto bytes = event.bytes();
  auto envelope = decode_node_message({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (!envelope) {
    log_warn("nodes", "a message of another node cannot be read",
             field("why", envelope.error().message));
    return;
  }
  if (channel == everybody) return hear(*envelope);
  const std::size_t home = service_.worker_of(envelope->key);
  Worker* worker = service_.workers[home];
  auto boxed = std::make_unique<NodeEnvelope>(std::move(*envelope));
  first().run_on(home, [worker, boxed = std::move(boxed)]() mutable noexcept {
    worker->outposts().on_envelope(std::move(*boxed));
  });
}

void Nodes::on_store_ready() noexcept {
  is_store_ready_ = true;
  ready_since_us_ = first().monotonic_us();
  last_alive_us_ = 0;
  on_all_workers([](Worker& worker) noexcept { worker.outposts().on_store_ready(); });
  judge();
}

void Nodes::on_store_lost(const Error& why) noexcept {
  store_problem_ = why.message;
  if (std::exchange(is_store_ready_, false)) {
    lost_since_us_ = first().monotonic_us();
    on_all_workers([](Worker& worker) noexcept { worker.outposts().on_store_lost(); });
  }
  judge();
}

void Nodes::on_store_round_trip(std::int64_t took_us) noexcept {
  first().metrics().observe(Histogram::redis_round_trip_seconds, took_us);
}

// Tells the members when things have turned; a blip is not worth a word.
void Nodes::judge() noexcept {
  const auto unsaved = std::find_if(unsaved_.begin(), unsaved_.end(),
                                    [](const std::string& why) { return !why.empty(); });
  problem_.clear();
  if (!is_store_ready_) {
    problem_ = "redis: " + store_problem_;
  } else if (unsaved != unsaved_.end()) {
    problem_ = "redis: " + *unsaved;
  }
  const bool is_long =
      is_store_ready_ || first().monotonic_us() - lost_since_us_ >= degraded_after_us;
  const bool is_degraded = !problem_.empty() && is_long;
  if (is_degraded) complain();
  if (is_degraded == is_degraded_ || (!problem_.empty() && !is_long)) return;
  is_degraded_ = is_degraded;
  service_.is_degraded = is_degraded;
  if (!is_degraded) {
    complaint_.clear();
    log_info("store", "restored");
  }
  on_all_workers([is_degraded](Worker& worker) noexcept { worker.tell_degraded(is_degraded); });
}

// Once for each reason, and not in a stream where two of them take turns.
void Nodes::complain() noexcept {
  const std::int64_t now_us = first().monotonic_us();
  const bool is_soon = !complaint_.empty() && now_us - complained_us_ < complain_every_us;
  if (problem_ == complaint_ || is_soon) return;
  complaint_ = problem_;
  complained_us_ = now_us;
  log_warn("store", "degraded: sessions live in memory", field("why", problem_));
}

}  // namespace videosync
