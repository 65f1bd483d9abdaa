// Pipe: one direction of a connection, or a lane between two threads: first in, first out, late.
//
// What is sent in one moment arrives in one moment; a later one never before an earlier one. A pipe
// that is held delivers nothing until it is released, as a network does that comes back before
// anybody gave up. One thread; it lives as long as its scheduler.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/inline_task.h"
#include "tests/sim/random.h"
#include "tests/sim/scheduler.h"

namespace videosync::sim {

// How long things take: mostly between the two, and now and then up to `slow_us`.
struct Latency {
  std::int64_t min_us = 50;
  std::int64_t max_us = 500;
  double slow_chance = 0;
  std::int64_t slow_us = 0;

  std::int64_t draw(Random& random) const noexcept {
    if (slow_chance > 0 && random.chance(slow_chance)) return random.between(max_us, slow_us);
    return random.between(min_us, max_us);
  }
};

// Who is given what arrives; without one it is run.
class PipeSink {
 public:
  virtual void take(InlineTask task) noexcept = 0;

 protected:
  ~PipeSink() = default;
};

class Pipe {
 public:
  Pipe(Scheduler& scheduler, Random random, const Latency& latency,
       PipeSink* sink = nullptr) noexcept
      : scheduler_(scheduler), random_(random), latency_(latency), sink_(sink) {}
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  void send(InlineTask task);
  void hold() noexcept { is_held_ = true; }
  void release();
  // What is under way is lost.
  void clear() noexcept;
  std::size_t waiting() const noexcept { return items_.size() - first_; }

 private:
  struct Item {
    std::int64_t due_us;
    InlineTask task;
  };

  void arm(std::int64_t due_us);
  void deliver() noexcept;

  Scheduler& scheduler_;
  Random random_;
  Latency latency_;
  PipeSink* const sink_;
  std::vector<Item> items_;  // those before first_ have been delivered
  std::size_t first_ = 0;
  std::int64_t sent_us_ = -1;  // when the latest was sent
  std::int64_t due_us_ = 0;    // and when it is due
  bool is_held_ = false;
  bool is_armed_ = false;  // a delivery is scheduled
};

}  // namespace videosync::sim
