#include "tests/sim/worker.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "core/base/assert.h"
#include "tests/sim/node.h"

namespace videosync::sim {

namespace {

// A wheel that asks to be looked at again at once gets a moment all the same: time passes in a
// turn.
constexpr std::int64_t turn_takes_us = 20;

// Turns in one millisecond in which nothing has arrived: more is a timer that is armed again and
// again for what cannot be done yet, and a core that is burnt.
constexpr std::uint32_t idle_turns_max = 16;

}  // namespace

SimWorker::SimWorker(SimProcess& process, std::size_t index, Scheduler& scheduler, NodeClock& clock,
                     Random random) noexcept
    : process_(process),
      index_(index),
      scheduler_(scheduler),
      clock_(clock),
      random_(random.fork(1)),
      pace_(random.fork(2)),
      timers_(clock.monotonic_us() / 1'000) {}

void SimWorker::open(std::unique_ptr<SessionDirectory> directory,
                     std::vector<std::unique_ptr<Pipe>> lanes) {
  directory_ = std::move(directory);
  lanes_ = std::move(lanes);
}

// --- Turns ---------------------------------------------------------------------------------------

void SimWorker::arrive(InlineTask task) noexcept {
  if (is_halted_) return;
  inbox_.push_back(std::move(task));
  arm_turn(scheduler_.now_us() + process_.turn_latency().draw(pace_));
}

void SimWorker::arm_turn(std::int64_t time_us) noexcept {
  if (is_halted_ || is_still_ || is_in_turn_ || time_us >= turn_us_) return;
  turn_us_ = time_us;
  scheduler_.at(time_us, [this, number = ++turn_number_]() noexcept {
    if (number == turn_number_ && !is_halted_ && !is_still_) turn();
  });
}

void SimWorker::turn() noexcept {
  is_in_turn_ = true;
  turn_us_ = INT64_MAX;
  const bool is_idle = inbox_.empty() && now_ms() == idle_ms_;
  idle_turns_ = is_idle ? idle_turns_ + 1 : 0;
  idle_ms_ = now_ms();
  VS_ASSERT(idle_turns_ <= idle_turns_max);
  timers_.expire(now_ms());
  arrived_.swap(inbox_);
  for (InlineTask& task : arrived_)
    task();
  arrived_.clear();
  run_tasks();
  is_in_turn_ = false;
  if (!inbox_.empty()) arm_turn(scheduler_.now_us() + turn_takes_us);
  arm_wake();
  directory_->check_invariants();
}

// As Worker::on_turn_end does.
void SimWorker::run_tasks() noexcept {
  do {
    while (!tasks_.empty()) {
      running_.swap(tasks_);
      for (InlineTask& task : running_)
        task();
      running_.clear();
    }
    directory_->on_turn_end();
  } while (!tasks_.empty());
}

void SimWorker::arm_wake() noexcept {
  const auto wake_ms = timers_.next_wake_ms();
  if (!wake_ms) return;
  arm_turn(std::max(clock_.when(*wake_ms * 1'000), scheduler_.now_us() + turn_takes_us));
}

void SimWorker::set_still(bool is_still) noexcept {
  is_still_ = is_still;
  ++turn_number_;
  turn_us_ = INT64_MAX;
  if (!is_still) arm_turn(scheduler_.now_us());
}

void SimWorker::halt() noexcept {
  VS_ASSERT(!is_in_turn_);
  is_halted_ = true;
  for (Slot& slot : slots_) {
    if (slot.connection != nullptr) slot.connection->phase = SimConnection::Phase::gone;
    if (slot.connection != nullptr) slot.connection->worker = nullptr;
  }
  for (auto& lane : lanes_) {
    if (lane) lane->clear();
  }
  inbox_.clear();
  tasks_.clear();
  hub_.clear();
  slots_.clear();
  free_.clear();
  directory_.reset();
}

// --- Surroundings --------------------------------------------------------------------------------

SimWorker& SimWorker::peer(std::size_t worker) noexcept {
  return process_.worker(worker);
}

void SimWorker::post(std::size_t worker, InlineTask task) noexcept {
  VS_ASSERT(!is_halted_);
  if (worker != index_) {
    lanes_[worker]->send(std::move(task));
    return;
  }
  tasks_.push_back(std::move(task));
  if (!is_in_turn_) arm_turn(scheduler_.now_us());
}

SessionDirectory& SimWorker::directory_of(std::size_t worker) noexcept {
  return *peer(worker).directory_;
}

bool SimWorker::is_draining() const noexcept {
  return process_.is_draining();
}

std::optional<VideoChoice> SimWorker::choose_video(const std::optional<std::string>& id) noexcept {
  if (!id || *id == "film") return VideoChoice{"film", film_s};
  if (*id == "other") return VideoChoice{"other", 0};
  return std::nullopt;
}

void SimWorker::on_said(const Uuid& channel, const BufferRef& event) noexcept {
  process_.witness().on_event_said(process_.node(), channel, event);
}

// --- Connections ---------------------------------------------------------------------------------

ConnectionRef SimWorker::enter(SimConnection& connection) noexcept {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  slots_[slot].connection = &connection;
  connection.worker = this;
  connection.handle = {slot, ++slots_[slot].generation};
  connection.phase = SimConnection::Phase::awaiting;
  return {static_cast<std::uint32_t>(index_), connection.handle};
}

void SimWorker::release(SimConnection& connection) noexcept {
  VS_ASSERT(connection.worker == this);
  Slot& slot = slots_[connection.handle.slot];
  VS_ASSERT(slot.connection == &connection && slot.generation == connection.handle.generation);
  slot.connection = nullptr;
  ++slot.generation;
  free_.push_back(connection.handle.slot);
  connection.worker = nullptr;
  connection.phase = SimConnection::Phase::gone;
}

SimConnection* SimWorker::find(SlotHandle handle) noexcept {
  if (handle.slot >= slots_.size()) return nullptr;
  Slot& slot = slots_[handle.slot];
  return slot.generation == handle.generation ? slot.connection : nullptr;
}

void SimWorker::on_order(SimConnection& connection, Order order) noexcept {
  connection.accepted = this;
  arrive([this, &connection, boxed = std::make_unique<Order>(std::move(order))]() mutable noexcept {
    const Uuid key = connection.key;
    const ConnectionRef ref = enter(connection);
    const std::size_t owner = worker_of(key, process_.workers());
    post(owner, [directory = &directory_of(owner), key, ref, boxed = std::move(boxed)]() noexcept {
      if (auto* join = std::get_if<JoinOrder>(boxed.get())) {
        directory->on_join(key, join->request, ref);
      } else if (auto* create = std::get_if<SessionDirectory::CreateOrder>(boxed.get())) {
        directory->on_create(key, *create, ref);
      } else if (std::holds_alternative<InfoOrder>(*boxed)) {
        directory->on_info(key, ref);
      } else if (std::holds_alternative<ValidateOrder>(*boxed)) {
        directory->on_validate(key, ref);
      } else if (std::holds_alternative<VideoOrder>(*boxed)) {
        directory->on_video(key, ref);
      } else {
        directory->on_delete(key, std::get<DeleteOrder>(*boxed).host_token, ref);
      }
    });
  });
}

void SimWorker::on_message(SimConnection& connection,
                           std::unique_ptr<ClientMessage> message) noexcept {
  arrive([this, &connection, message = std::move(message)]() mutable noexcept {
    if (connection.worker != this || connection.phase != SimConnection::Phase::member) return;
    const std::size_t owner = worker_of(connection.key, process_.workers());
    const ConnectionRef ref{static_cast<std::uint32_t>(index_), connection.handle};
    post(owner, [directory = &directory_of(owner), key = connection.key, member = connection.member,
                 number = connection.connection, ref, message = std::move(message)]() noexcept {
      directory->on_message(key, member, number, ref, *message);
    });
  });
}

void SimWorker::on_gone(SimConnection& connection) noexcept {
  arrive([this, &connection]() noexcept {
    if (connection.worker != this) return;
    leave_session(connection);
    release(connection);
  });
}

void SimWorker::close_connection(SimConnection& connection, std::uint16_t code) noexcept {
  if (connection.worker != this) return;
  leave_session(connection);
  release(connection);
  if (connection.is_vanished) return;
  connection.down.send([&connection, code]() noexcept {
    if (connection.client != nullptr) connection.client->on_closed(connection, code);
  });
}

void SimWorker::leave_session(SimConnection& connection) noexcept {
  if (connection.phase == SimConnection::Phase::waiting) {
    connection.phase = SimConnection::Phase::gone;
    return tell_knocker_left(connection.key, connection.connection);
  }
  if (connection.phase != SimConnection::Phase::member) return;
  connection.phase = SimConnection::Phase::gone;
  --members_;
  const auto found = hub_.find(connection.key);
  VS_ASSERT(found != hub_.end());
  std::erase(found->second, &connection);
  if (found->second.empty()) hub_.erase(found);
  tell_left(connection.key, connection.member, connection.connection);
}

void SimWorker::tell_left(const Uuid& key, MemberId member, ConnectionNumber number) noexcept {
  process_.witness().on_gone(process_.node(), member, number);
  const std::size_t owner = worker_of(key, process_.workers());
  post(owner, [directory = &directory_of(owner), key, member, number]() noexcept {
    directory->on_leave(key, member, number);
  });
}

void SimWorker::deliver(SimConnection& connection, const FrameRef& frame) noexcept {
  if (connection.is_vanished) return;
  connection.down.send([&connection, frame]() noexcept {
    if (connection.client != nullptr) connection.client->on_frame(connection, frame);
  });
}

// --- Delivery ------------------------------------------------------------------------------------

void SimWorker::answer(ConnectionRef to, SessionReply reply) noexcept {
  post(to.worker, [worker = &peer(to.worker), slot = to.slot,
                   boxed = std::make_unique<SessionReply>(std::move(reply))]() noexcept {
    worker->reply(slot, *boxed);
  });
}

void SimWorker::reply(SlotHandle to, const SessionReply& reply) noexcept {
  SimConnection* connection = find(to);
  if (connection == nullptr || connection->phase != SimConnection::Phase::awaiting) return;
  release(*connection);
  if (connection->is_vanished) return;
  connection->down.send([connection, reply = std::make_unique<SessionReply>(reply)]() noexcept {
    if (connection->client != nullptr) connection->client->on_reply(*connection, *reply);
  });
}

void SimWorker::begin(ConnectionRef to, const Uuid& key, MemberId member, ConnectionNumber number,
                      const BufferRef& welcome) noexcept {
  process_.witness().on_let_in(process_.node(), key, member, number);
  process_.witness().on_frame_said(process_.node(), key, process_.read(welcome));
  post(to.worker, [worker = &peer(to.worker), slot = to.slot, key, member, number,
                   welcome]() noexcept { worker->begin_here(slot, key, member, number, welcome); });
}

void SimWorker::begin_here(SlotHandle to, const Uuid& key, MemberId member, ConnectionNumber number,
                           const BufferRef& welcome) noexcept {
  SimConnection* connection = find(to);
  const bool is_there =
      connection != nullptr && (connection->phase == SimConnection::Phase::awaiting ||
                                connection->phase == SimConnection::Phase::waiting);
  if (!is_there) return tell_left(key, member, number);
  connection->phase = SimConnection::Phase::member;
  connection->member = member;
  connection->connection = number;
  ++members_;
  hub_[key].push_back(connection);
  deliver(*connection, process_.read(welcome));
}

void SimWorker::knock(ConnectionRef to, const Uuid& key, ConnectionNumber number,
                      const BufferRef& frame) noexcept {
  post(to.worker, [worker = &peer(to.worker), slot = to.slot, key, number, frame]() noexcept {
    worker->knock_here(slot, key, number, frame);
  });
}

void SimWorker::knock_here(SlotHandle to, const Uuid& key, ConnectionNumber number,
                           const BufferRef& frame) noexcept {
  SimConnection* connection = find(to);
  if (connection == nullptr || connection->phase != SimConnection::Phase::awaiting) {
    return tell_knocker_left(key, number);
  }
  connection->phase = SimConnection::Phase::waiting;
  connection->connection = number;
  deliver(*connection, process_.read(frame));
}

void SimWorker::tell_knocker_left(const Uuid& key, ConnectionNumber number) noexcept {
  const std::size_t owner = worker_of(key, process_.workers());
  post(owner, [directory = &directory_of(owner), key, number]() noexcept {
    directory->on_knocker_left(key, number);
  });
}

void SimWorker::send(ConnectionRef to, const BufferRef& frame, SendClass) noexcept {
  post(to.worker, [worker = &peer(to.worker), slot = to.slot, frame]() noexcept {
    SimConnection* connection = worker->find(slot);
    if (connection == nullptr || connection->phase != SimConnection::Phase::member) return;
    worker->deliver(*connection, worker->process_.read(frame));
  });
}

void SimWorker::close(ConnectionRef to, std::uint16_t code) noexcept {
  post(to.worker, [worker = &peer(to.worker), slot = to.slot, code]() noexcept {
    if (SimConnection* connection = worker->find(slot)) worker->close_connection(*connection, code);
  });
}

void SimWorker::broadcast(std::size_t worker, const Uuid& key, const BufferRef& frame, SendClass,
                          std::int64_t) noexcept {
  process_.witness().on_frame_said(process_.node(), key, process_.read(frame));
  post(worker, [to = &peer(worker), key, frame]() noexcept {
    const auto found = to->hub_.find(key);
    if (found == to->hub_.end()) return;
    const FrameRef& read = to->process_.read(frame);
    for (SimConnection* connection : found->second)
      to->deliver(*connection, read);
  });
}

void SimWorker::close_all(std::size_t worker, const Uuid& key, std::uint16_t code) noexcept {
  post(worker, [to = &peer(worker), key, code]() noexcept {
    const auto found = to->hub_.find(key);
    if (found == to->hub_.end()) return;
    const std::vector<SimConnection*> members = found->second;
    for (SimConnection* connection : members)
      to->close_connection(*connection, code);
  });
}

}  // namespace videosync::sim
