#include "tests/sim/node.h"

#include <utility>

#include "core/base/assert.h"

namespace videosync::sim {

// --- SimProcess ----------------------------------------------------------------------------------

SimProcess::SimProcess(const NodeWorld& world, std::size_t node, const NodePlan& plan,
                       NodeClock& clock, const std::vector<std::size_t>& servers, Random random)
    : world_(world), node_(node), plan_(plan), clock_(clock), metrics_(plan.workers, "sim") {
  random.fill(id_.bytes);
  for (std::size_t i = 0; i < plan.workers; ++i) {
    workers_.push_back(
        std::make_unique<SimWorker>(*this, i, world.scheduler, clock, random.fork(100 + i)));
  }
  SimWorker& first = *workers_.front();
  store_ = std::make_unique<SimCluster>(world.redis, node, first, first.timers(), random.fork(1),
                                        servers);
  nodes_ = std::make_unique<Nodes>(NodesPorts{.clock = clock,
                                              .timers = first.timers(),
                                              .store = *store_,
                                              .around = first,
                                              .workers = plan.workers,
                                              .self = id_},
                                   static_cast<NodesOwner&>(*this));
  store_->listen(*this);
  for (std::size_t i = 0; i < plan.workers; ++i) {
    SimWorker& worker = *workers_[i];
    relays_.push_back(std::make_unique<StoreRelay>(*store_, StoreRelay::End{first, 0},
                                                   StoreRelay::End{worker, i}));
    auto directory = std::make_unique<SessionDirectory>(SessionPorts{.worker = i,
                                                                     .workers = plan.workers,
                                                                     .clock = clock,
                                                                     .timers = worker.timers(),
                                                                     .store = *relays_.back(),
                                                                     .delivery = worker,
                                                                     .around = worker,
                                                                     .metrics = metrics_.worker(i),
                                                                     .limits = world.limits,
                                                                     .nodes = nodes_.get()});
    std::vector<std::unique_ptr<Pipe>> lanes;
    for (std::size_t to = 0; to < plan.workers; ++to) {
      lanes.push_back(to == i ? nullptr
                              : std::make_unique<Pipe>(world.scheduler,
                                                       random.fork(1'000 + i * 64 + to),
                                                       plan.mailbox, &workers_[to]->mailbox()));
    }
    worker.open(std::move(directory), std::move(lanes));
  }
}

void SimProcess::start() noexcept {
  store_->start();
  nodes_->start();
  for (auto& worker : workers_)
    worker->arrive([]() noexcept {});  // arms the first turn
}

// Answers that were waited for go unheard, and so does what lies in mailboxes.
void SimProcess::halt(bool is_silent) noexcept {
  VS_ASSERT(!is_halted_);
  is_halted_ = true;
  store_->abandon(is_silent);
  for (auto& worker : workers_)
    worker->halt();
  nodes_.reset();
  store_.reset();
  last_frame_.reset();
}

void SimProcess::set_still(bool is_still) noexcept {
  for (auto& worker : workers_)
    worker->set_still(is_still);
}

void SimProcess::begin_drain() noexcept {
  is_draining_ = true;
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    workers_.front()->arrive([this, i]() noexcept {
      workers_.front()->post(i,
                             [this, i]() noexcept { workers_[i]->directory_of(i).begin_drain(); });
    });
  }
}

void SimProcess::say_goodbye() noexcept {
  workers_.front()->arrive([this]() noexcept { nodes_->stop(); });
}

bool SimProcess::is_settled() const noexcept {
  for (const auto& worker : workers_) {
    if (!worker->directory().is_settled()) return false;
  }
  return true;
}

std::size_t SimProcess::connections() const noexcept {
  std::size_t count = 0;
  for (const auto& worker : workers_)
    count += worker->connections();
  return count;
}

void SimProcess::check_invariants() const {
  for (const auto& worker : workers_)
    worker->directory().check_invariants();
}

const FrameRef& SimProcess::read(const BufferRef& bytes) {
  if (!last_frame_ || !(last_frame_->bytes == bytes)) last_frame_ = read_frame(bytes);
  return last_frame_;
}

void SimProcess::void_store_calls(const SharedSlots& slots) noexcept {
  for (const auto& relay : relays_)
    relay->on_store_lost(slots);
}

NodesOwner::Totals SimProcess::totals() noexcept {
  std::size_t members = 0;
  for (const auto& worker : workers_)
    members += worker->members();
  return {static_cast<std::uint32_t>(members), 0};
}

void SimProcess::on_session_event(const Uuid& channel, const BufferRef& event) noexcept {
  nodes_->on_session_event(channel, event);
}
void SimProcess::on_store_ready() noexcept {
  nodes_->on_store_ready();
  world_.witness.on_store_ready(node_);
}
void SimProcess::on_store_lost(const Error& why) noexcept {
  nodes_->on_store_lost(why);
}
void SimProcess::on_part_ready(const SlotSet& slots) noexcept {
  nodes_->on_part_ready(slots);
  world_.witness.on_store_ready(node_);
}
void SimProcess::on_part_lost(const SlotSet& slots, const Error& why) noexcept {
  nodes_->on_part_lost(slots, why);
}
void SimProcess::on_store_round_trip(std::int64_t took_us) noexcept {
  nodes_->on_store_round_trip(took_us);
}

// --- SimNode -------------------------------------------------------------------------------------

SimNode::SimNode(const NodeWorld& world, std::size_t index, const NodePlan& plan, Random random,
                 std::size_t shards)
    : world_(world),
      index_(index),
      plan_(plan),
      random_(random),
      clock_(world.scheduler, random_.between(1'000'000, 100'000'000'000)) {
  clock_.set_drift_ppm(plan.drift_ppm);
  clock_.set_error_us(plan.clock_error_us);
  for (std::size_t i = 0; i < shards; ++i)
    servers_.push_back(i);
  latest_servers_ = servers_;
}

void SimNode::start() {
  VS_ASSERT(!is_up());
  is_still_ = false;
  processes_.push_back(std::make_unique<SimProcess>(world_, index_, plan_, clock_, servers_,
                                                    random_.fork(processes_.size() + 1)));
  processes_.back()->start();
}

void SimNode::crash(bool is_silent) noexcept {
  if (is_up()) process().halt(is_silent);
  is_still_ = false;
}

void SimNode::set_still(bool is_still) noexcept {
  is_still_ = is_still;
  if (is_up()) process().set_still(is_still);
}

void SimNode::move_to(std::size_t shard, std::size_t server) noexcept {
  servers_[shard] = server;
  if (!is_up()) return;
  process().worker(0).arrive([this, shard, server, of = &process()]() noexcept {
    if (is_up() && of == &process()) of->store().move_to(shard, server);
  });
}

void SimNode::on_connect(SimConnection& connection, Order order) noexcept {
  if (!is_up() || process().is_draining()) {
    connection.phase = SimConnection::Phase::gone;
    connection.down.send([&connection]() noexcept {
      if (connection.client != nullptr) connection.client->on_closed(connection, code_refused);
    });
    return;
  }
  process().worker(random_.below(process().workers())).on_order(connection, std::move(order));
}

}  // namespace videosync::sim
