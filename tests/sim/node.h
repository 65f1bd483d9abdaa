// SimNode: a place where a videosync process runs, dies and is started again.
//
// SimProcess is one run of it: workers, the real Nodes, the store's connections. Its id is new at
// each start. A process that crashed leaves a shell behind, to which scheduled events may lead.
// One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/uuid.h"
#include "proto/session/session_machine.h"
#include "server/metrics/metrics.h"
#include "server/nodes/nodes.h"
#include "server/nodes/store_relay.h"
#include "tests/sim/connection.h"
#include "tests/sim/node_clock.h"
#include "tests/sim/sim_cluster.h"
#include "tests/sim/worker.h"

namespace videosync::sim {

// What a node says goes by here as it is said, whether it arrives or not.
class SayingWitness {
 public:
  virtual void on_frame_said(std::size_t node, const Uuid& key, const FrameRef& frame) = 0;
  virtual void on_event_said(std::size_t node, const Uuid& channel, const BufferRef& event) = 0;
  // A home has let the member in; its connection, it is told, is gone.
  virtual void on_let_in(std::size_t node, const Uuid& key, MemberId member,
                         ConnectionNumber number) = 0;
  virtual void on_gone(std::size_t node, MemberId member, ConnectionNumber number) = 0;
  virtual void on_store_ready(std::size_t node) = 0;

 protected:
  ~SayingWitness() = default;
};

struct NodePlan {
  std::size_t workers = 1;
  Latency mailbox{1, 40, 0, 0};
  Latency turn{0, 200, 0, 0};
  std::int64_t drift_ppm = 0;
  std::int64_t clock_error_us = 0;
};

struct NodeWorld {
  Scheduler& scheduler;
  SimRedis& redis;
  SayingWitness& witness;
  const SessionMachine::Limits& limits;
};

class SimProcess final : NodesOwner, SessionListener {
 public:
  SimProcess(const NodeWorld& world, std::size_t node, const NodePlan& plan, NodeClock& clock,
             const std::vector<std::size_t>& servers, Random random);

  void start() noexcept;
  // `is_silent`: the machine with it, so that nobody hears of it.
  void halt(bool is_silent) noexcept;
  void set_still(bool is_still) noexcept;
  void begin_drain() noexcept;
  // It has said goodbye, and nothing waits for an answer.
  void say_goodbye() noexcept;
  bool is_settled() const noexcept;

  bool is_draining() const noexcept { return is_draining_; }
  bool is_halted() const noexcept { return is_halted_; }
  const Uuid& id() const noexcept { return id_; }
  std::size_t node() const noexcept { return node_; }
  SimCluster& store() noexcept { return *store_; }
  const Nodes& nodes() const noexcept { return *nodes_; }
  SimWorker& worker(std::size_t index) noexcept { return *workers_[index]; }
  std::size_t workers() const noexcept { return workers_.size(); }
  std::size_t connections() const noexcept;
  void check_invariants() const;
  // Sessions that were told anew to another node.
  std::uint64_t mended() const noexcept { return metrics_.total(Counter::sessions_mended); }
  SayingWitness& witness() noexcept { return world_.witness; }
  const Latency& turn_latency() const noexcept { return plan_.turn; }

  // Of the last frame that was sent: many get the same one.
  const FrameRef& read(const BufferRef& bytes);

 private:
  Totals totals() noexcept override;
  void on_degraded(const SharedSlots&, bool) noexcept override {}
  void on_round_trip(std::int64_t took_us) noexcept override { static_cast<void>(took_us); }
  void void_store_calls(const SharedSlots& slots) noexcept override;

  // The store tells us, and we tell Nodes.
  void on_session_event(const Uuid& channel, const BufferRef& event) noexcept override;
  void on_store_ready() noexcept override;
  void on_store_lost(const Error& why) noexcept override;
  void on_part_ready(const SlotSet& slots) noexcept override;
  void on_part_lost(const SlotSet& slots, const Error& why) noexcept override;
  void on_store_round_trip(std::int64_t took_us) noexcept override;

  const NodeWorld world_;
  const std::size_t node_;
  const NodePlan plan_;
  NodeClock& clock_;
  Uuid id_;
  Metrics metrics_;
  std::vector<std::unique_ptr<SimWorker>> workers_;
  std::unique_ptr<SimCluster> store_;
  std::unique_ptr<Nodes> nodes_;
  std::vector<std::unique_ptr<StoreRelay>> relays_;
  bool is_draining_ = false;
  bool is_halted_ = false;
  FrameRef last_frame_;
};

class SimNode {
 public:
  SimNode(const NodeWorld& world, std::size_t index, const NodePlan& plan, Random random,
          std::size_t shards);

  bool is_up() const noexcept { return !processes_.empty() && !processes_.back()->is_halted(); }
  bool is_still() const noexcept { return is_still_; }
  // REQUIRES is_up().
  SimProcess& process() noexcept { return *processes_.back(); }
  NodeClock& clock() noexcept { return clock_; }
  std::size_t index() const noexcept { return index_; }
  std::size_t starts() const noexcept { return processes_.size(); }
  // The Redis that it will use when it has heard of it.
  std::size_t latest_server(std::size_t shard) const noexcept { return latest_servers_[shard]; }
  void set_latest_server(std::size_t shard, std::size_t server) noexcept {
    latest_servers_[shard] = server;
  }

  void start();
  void crash(bool is_silent) noexcept;
  void set_still(bool is_still) noexcept;
  void move_to(std::size_t shard, std::size_t server) noexcept;
  // A client's connection has reached this machine.
  void on_connect(SimConnection& connection, Order order) noexcept;

 private:
  const NodeWorld world_;
  const std::size_t index_;
  const NodePlan plan_;
  Random random_;
  NodeClock clock_;
  std::vector<std::unique_ptr<SimProcess>> processes_;
  std::vector<std::size_t> servers_;  // by share
  std::vector<std::size_t> latest_servers_;
  bool is_still_ = false;
};

}  // namespace videosync::sim
