// SimWorker: one worker of a simulated node: a real SessionDirectory on real timers, with the
// turns, the mailboxes and the hub of server/worker.cpp and server/connection, but no ring.
//
// What arrives waits for the next turn. A turn runs timers that are due, then what has arrived,
// then the tasks that these have brought, with the directory's end of turn behind each batch. A
// worker that is still has no turns; one that was halted is gone, and only its shell stays, because
// events that are scheduled lead to it. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/base/inline_task.h"
#include "core/reactor/timer_wheel.h"
#include "server/session/ports.h"
#include "server/session/session_directory.h"
#include "tests/sim/connection.h"
#include "tests/sim/node_clock.h"
#include "tests/sim/pipe.h"
#include "tests/sim/random.h"
#include "tests/sim/scheduler.h"
#include "tests/sim/sim_store.h"

namespace videosync::sim {

class SimProcess;

class SimWorker final : public Delivery, public Surroundings, public StoreTurns, PipeSink {
 public:
  static constexpr double film_s = 7'200;

  SimWorker(SimProcess& process, std::size_t index, Scheduler& scheduler, NodeClock& clock,
            Random random) noexcept;
  SimWorker(const SimWorker&) = delete;
  SimWorker& operator=(const SimWorker&) = delete;

  // Before the first turn. `lanes`: to each worker of the process, null to itself.
  void open(std::unique_ptr<SessionDirectory> directory, std::vector<std::unique_ptr<Pipe>> lanes);
  PipeSink& mailbox() noexcept { return *this; }
  TimerWheel& timers() noexcept { return timers_; }
  std::size_t index() const noexcept { return index_; }
  SimProcess& process() noexcept { return process_; }
  const SessionDirectory& directory() const noexcept { return *directory_; }

  void set_still(bool is_still) noexcept;
  void halt() noexcept;

  // --- From the network
  // ----------------------------------------------------------------------------
  void on_order(SimConnection& connection, Order order) noexcept;
  void on_message(SimConnection& connection, std::unique_ptr<ClientMessage> message) noexcept;
  // The client's end is gone.
  void on_gone(SimConnection& connection) noexcept;
  // The server ends it.
  void close_connection(SimConnection& connection, std::uint16_t code) noexcept;
  std::size_t members() const noexcept { return members_; }
  std::size_t connections() const noexcept { return slots_.size() - free_.size(); }
  template <class Visit>
  void visit_connections(Visit visit) {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].connection != nullptr) visit(*slots_[i].connection);
    }
  }

  // StoreTurns
  void arrive(InlineTask task) noexcept override;
  std::int64_t now_ms() noexcept override { return clock_.monotonic_us() / 1'000; }
  void on_said(const Uuid& channel, const BufferRef& event) noexcept override;

  // Delivery
  void answer(ConnectionRef to, SessionReply reply) noexcept override;
  void begin(ConnectionRef to, const Uuid& key, MemberId member, ConnectionNumber number,
             const BufferRef& welcome) noexcept override;
  void knock(ConnectionRef to, const Uuid& key, ConnectionNumber number,
             const BufferRef& frame) noexcept override;
  void send(ConnectionRef to, const BufferRef& frame, SendClass send_class) noexcept override;
  void close(ConnectionRef to, std::uint16_t code) noexcept override;
  void broadcast(std::size_t worker, const Uuid& key, const BufferRef& frame, SendClass send_class,
                 std::int64_t sent_us) noexcept override;
  void close_all(std::size_t worker, const Uuid& key, std::uint16_t code) noexcept override;

  // Surroundings
  void post(std::size_t worker, InlineTask task) noexcept override;
  SessionDirectory& directory_of(std::size_t worker) noexcept override;
  std::optional<VideoChoice> choose_video(const std::optional<std::string>& id) noexcept override;
  std::optional<VideoChoice> next_episode(const std::string& id) noexcept override {
    return id == "film" ? std::nullopt : choose_video("film");
  }
  std::string title_of(const std::string& id) noexcept override { return id; }
  void fill_random(std::span<std::uint8_t> bytes) noexcept override { random_.fill(bytes); }
  bool is_draining() const noexcept override;

 private:
  struct Slot {
    std::uint32_t generation = 0;  // odd exactly while a connection has it
    SimConnection* connection = nullptr;
  };

  void take(InlineTask task) noexcept override { arrive(std::move(task)); }
  void arm_turn(std::int64_t time_us) noexcept;
  // All that touches the directory; what has to be so of it is looked at behind each.
  void turn() noexcept;
  void run_tasks() noexcept;
  void arm_wake() noexcept;
  ConnectionRef enter(SimConnection& connection) noexcept;
  void release(SimConnection& connection) noexcept;
  SimConnection* find(SlotHandle handle) noexcept;
  SimWorker& peer(std::size_t worker) noexcept;
  void reply(SlotHandle to, const SessionReply& reply) noexcept;
  void begin_here(SlotHandle to, const Uuid& key, MemberId member, ConnectionNumber number,
                  const BufferRef& welcome) noexcept;
  void knock_here(SlotHandle to, const Uuid& key, ConnectionNumber number,
                  const BufferRef& frame) noexcept;
  void tell_knocker_left(const Uuid& key, ConnectionNumber number) noexcept;
  void deliver(SimConnection& connection, const FrameRef& frame) noexcept;
  void leave_session(SimConnection& connection) noexcept;
  void tell_left(const Uuid& key, MemberId member, ConnectionNumber number) noexcept;

  std::int64_t idle_ms_ = 0;  // of the last turn
  std::uint32_t idle_turns_ = 0;
  SimProcess& process_;
  const std::size_t index_;
  Scheduler& scheduler_;
  NodeClock& clock_;
  Random random_;
  Random pace_;  // of turns
  TimerWheel timers_;
  std::unique_ptr<SessionDirectory> directory_;
  std::vector<std::unique_ptr<Pipe>> lanes_;
  std::vector<InlineTask> inbox_;
  std::vector<InlineTask> arrived_;
  std::vector<InlineTask> tasks_;
  std::vector<InlineTask> running_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::unordered_map<Uuid, std::vector<SimConnection*>> hub_;  // members of each session here
  std::size_t members_ = 0;
  std::int64_t turn_us_ = INT64_MAX;  // when the next turn is due
  std::uint64_t turn_number_ = 0;     // of the event that is to run it
  bool is_still_ = false;
  bool is_halted_ = false;
  bool is_in_turn_ = false;
};

}  // namespace videosync::sim
