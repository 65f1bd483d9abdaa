// Nodes: this process among the others that share its store.
//
// Every node has an id, made anew at each start, and two channels of the store: its own, for what
// others tell it, and everybody's, on which each says once a second that it is alive. Who is silent
// for too long, or says goodbye, is lost: its sessions are taken over and its members leave. What
// comes for a session goes to the worker that is the session's home here.
//
// Belongs to the first worker's thread, on which the store lives, but for what says otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/uuid.h"
#include "core/reactor/timer_wheel.h"
#include "proto/wire/node_messages.h"
#include "server/nodes/digest_exchange.h"
#include "server/session/ports.h"
#include "storage/key_slots.h"
#include "storage/session_store.h"

namespace videosync {

// What Nodes needs of the world; the first worker's thread.
struct NodesPorts {
  const Clock& clock;
  TimerWheel& timers;  // in milliseconds of clock.monotonic_us()
  SessionStore& store;
  Surroundings& around;  // of the first worker
  std::size_t workers = 1;
  Uuid self;  // made anew at each start
};

class NodesOwner {
 public:
  struct Totals {
    std::uint32_t members = 0;
    std::uint32_t sessions = 0;
  };
  virtual Totals totals() noexcept = 0;
  // This node's members of the sessions in these slots are to be told: there the store has been
  // away for a while, or refuses changes; or no longer.
  virtual void on_degraded(const SharedSlots& slots, bool is_degraded) noexcept = 0;
  // The store can be used, for the first time or again.
  virtual void on_store_usable() noexcept {}
  virtual void on_round_trip(std::int64_t took_us) noexcept = 0;
  // What is on its way from the workers to the store, about what lies in these slots (null: all),
  // was for a connection that is gone. Their directories are being told, by tasks that were posted
  // before.
  virtual void void_store_calls(const SharedSlots& slots) noexcept = 0;

 protected:
  ~NodesOwner() = default;
};

class Nodes final : public SessionListener, public NodePort {
 public:
  static constexpr std::int64_t silence_max_us = 3'500'000;
  static constexpr std::int64_t deaf_max_us = 500'000;
  // After the store's return the others come back one by one: deafness says nothing yet.
  static constexpr std::int64_t return_us = 2'000'000;
  // So long it is thought possible that a node which was lost about then comes back, with sessions
  // that the store has lost; and so long, once it is back, that it takes to write them back, also
  // those of which it has a copy only, and whose home it does not hear.
  static constexpr std::int64_t missing_max_us = 12'000'000;
  static constexpr std::int64_t write_back_us = silence_max_us + 500'000;
  static constexpr std::int64_t degraded_after_us = 500'000;
  // More at the start: the store looks for nodes whose time it shares before it says that it is
  // ready.
  static constexpr std::int64_t start_us = 2'000'000;

  Nodes(const NodesPorts& ports, NodesOwner& owner) noexcept;

  // Any thread.
  const Uuid& self() const noexcept override { return ports_.self; }

  // Once, when all workers run.
  void start() noexcept;
  // Tells the others, who need not wait for this node's silence then. For good.
  void stop() noexcept;

  // "" while the store is there and takes changes, else why not, for a person.
  const std::string& problem() const noexcept { return problem_; }
  // The same of parts of it; "" also where all of it is away.
  const std::string& parts_problem() const noexcept { return parts_problem_; }
  // Members of this node have been told so, some at least.
  bool is_degraded() const noexcept { return is_degraded_; }
  // This node and those that were heard of lately.
  std::size_t alive() const noexcept;

  void watch(const Uuid& node) noexcept override;
  void report_deaf(const Uuid& node) noexcept override;
  void report_hearing(const Uuid& node) noexcept override;
  void report_unsaved(std::size_t worker, std::string why, std::uint16_t slot) noexcept override;
  void report_written_back(std::size_t worker) noexcept override;
  void add_sums(std::uint64_t round, std::vector<SharedSums> sums) noexcept override;
  void compare_again(const Uuid& node) noexcept override { digests_.tell_again(node); }

  void on_session_event(const Uuid& channel, const BufferRef& event) noexcept override;
  void on_store_ready() noexcept override;
  void on_store_lost(const Error& why) noexcept override;
  void on_part_ready(const SlotSet& slots) noexcept override;
  void on_part_lost(const SlotSet& slots, const Error& why) noexcept override;
  void on_store_round_trip(std::int64_t took_us) noexcept override;

 private:
  // Of a worker: why the store refuses its changes ("": it does not), and where.
  struct Unsaved {
    std::string why;
    std::uint16_t slot = 0;
  };
  // Slots that were lost at once, as far as they have not come back.
  struct Outage {
    SlotSet slots;
    std::int64_t since_us = 0;
    std::string why;
  };
  struct Known {
    std::int64_t heard_us = 0;
    std::int64_t deaf_since_us = 0;  // 0: it hears, as far as is known
    std::int64_t back_us = 0;        // when it was first heard since the store's return
    bool is_lost = false;
    bool has_said_bye = false;
    bool has_unsaved = false;
  };

  static void on_timer(void* self) noexcept { static_cast<Nodes*>(self)->tick(); }
  void tick() noexcept;
  void say(const node::Message& message) noexcept;
  void hear(const node::Envelope& envelope) noexcept;
  Known& note_heard(const Uuid& node) noexcept;
  bool is_gone(const Known& known, std::int64_t now_us) const noexcept;
  void lose(const Uuid& node, Known& known) noexcept;
  void forget_lost(std::int64_t now_us) noexcept;
  void judge() noexcept;
  void find_problems() noexcept;
  SlotSet find_degraded() const noexcept;
  void tell_degraded(const SlotSet& slots, bool is_degraded) noexcept;
  void judge_store() noexcept;
  const Unsaved* find_refused() const noexcept;
  bool has_unsaved_sessions() const noexcept;
  bool is_away(std::uint16_t slot) const noexcept;
  void end_outages(const SlotSet& slots) noexcept;
  bool may_have_unsaved() const noexcept;
  bool may_bring_back(const Known& known) const noexcept;
  void complain() noexcept;
  // What must hold whenever an event comes in.
  void assert_sound() const noexcept;
  template <class Task>
  void on_all_directories(Task task) noexcept;
  std::int64_t now_us() const noexcept { return ports_.clock.monotonic_us(); }
  void arm_timer() noexcept;

  const NodesPorts ports_;
  NodesOwner& owner_;
  DigestExchange digests_{ports_, *this};
  std::unordered_map<Uuid, Known> known_;
  TimerEntry timer_{&Nodes::on_timer, this};
  bool is_store_ready_ = false;
  bool is_degraded_ = false;
  bool may_store_lack_ = false;      // as the directories were told
  std::int64_t ready_since_us_ = 0;  // or since this process was last held up
  std::int64_t whole_since_us_ = 0;  // the same, or since a part of the store was last back
  std::int64_t lost_since_us_ = 0;
  std::int64_t last_tick_us_ = 0;
  std::int64_t last_alive_us_ = 0;
  std::int64_t complained_us_ = 0;  // when the log was last told why it is degraded
  std::string store_problem_ = "the store has not been reached yet";
  bool has_parts_ = false;          // ever heard of
  std::vector<Outage> outages_;     // of parts; none while the store is lost as a whole
  SlotSet told_;                    // where members were told that it is degraded
  std::vector<Unsaved> unsaved_;    // by worker
  std::vector<bool> written_back_;  // by worker
  std::string problem_ = store_problem_;
  std::string parts_problem_;
  std::string complaint_;  // the log was told last
};

}  // namespace videosync
