// Mailbox: tasks from other reactors' threads, in order per sender.
//
// One lane a sender: a single-producer single-consumer ring of InlineTasks, so posting takes no
// lock. A full lane spills into a list on the sender's side, drained at its next turns: order is
// kept and nothing is lost. The list has no bound of its own: who posts is bounded. The receiver is
// woken at most once a turn of the sender, by IORING_OP_MSG_RING, and only when it has not been
// woken already. post() and flush() are the sender's thread's, deliver() the owner's.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "core/base/inline_task.h"
#include "core/reactor/operation.h"

namespace videosync {

class Ring;

class Mailbox : private Operation {
 public:
  // For `senders` threads, numbered from 0; `ring_descriptor` is the owner's ring.
  Mailbox(std::size_t senders, int ring_descriptor);
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // Sender's side. The task runs on the owner's thread after the sender's next flush().
  void post(std::size_t sender, InlineTask task);
  // Publishes what was posted and wakes the owner through the sender's ring.
  void flush(std::size_t sender, Ring& ring) noexcept;
  // True while posts of this sender wait for room or for a repeated wake-up.
  bool needs_flush(std::size_t sender) const noexcept;

  // Owner's side: runs all that has arrived.
  void deliver() noexcept;

 private:
  static constexpr std::size_t lane_tasks = 1024;

  struct Lane : Operation {  // for wake-ups that fail
    // Sender's side.
    alignas(64) std::size_t written = 0;
    std::deque<InlineTask> spilled;
    Mailbox* mailbox = nullptr;
    bool has_news = false;  // posted, or woken in vain, since the last flush
    // Shared.
    alignas(64) std::atomic<std::size_t> published{0};
    alignas(64) std::atomic<std::size_t> consumed{0};
    std::unique_ptr<InlineTask[]> tasks = std::make_unique<InlineTask[]>(lane_tasks);
  };

  static bool push(Lane& lane, InlineTask& task) noexcept;

  const int ring_descriptor_;
  alignas(64) std::atomic<bool> is_wake_pending_{false};
  std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace videosync
