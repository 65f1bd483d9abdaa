#include "core/reactor/mailbox.h"

#include "core/reactor/ring.h"

namespace videosync {

Mailbox::Mailbox(std::size_t senders, int ring_descriptor) : ring_descriptor_(ring_descriptor) {
  on_complete = [](Operation& woken, const Completion&) noexcept {
    static_cast<Mailbox&>(woken).deliver();
  };
  for (std::size_t i = 0; i < senders; ++i) {
    lanes_.push_back(std::make_unique<Lane>());
    Lane& lane = *lanes_.back();
    lane.mailbox = this;
    // The owner's ring could not take the wake-up: the sender's next flush tries again.
    lane.on_complete = [](Operation& wake, const Completion&) noexcept {
      auto& failed = static_cast<Lane&>(wake);
      failed.mailbox->is_wake_pending_.store(false);
      failed.has_news = true;
    };
  }
}

Mailbox::~Mailbox() = default;

bool Mailbox::push(Lane& lane, InlineTask& task) noexcept {
  if (lane.written - lane.consumed.load(std::memory_order_acquire) == lane_tasks) return false;
  lane.tasks[lane.written % lane_tasks] = std::move(task);
  ++lane.written;
  return true;
}

void Mailbox::post(std::size_t sender, InlineTask task) {
  Lane& lane = *lanes_[sender];
  lane.has_news = true;
  if (!lane.spilled.empty() || !push(lane, task)) lane.spilled.push_back(std::move(task));
}

void Mailbox::flush(std::size_t sender, Ring& ring) noexcept {
  Lane& lane = *lanes_[sender];
  while (!lane.spilled.empty() && push(lane, lane.spilled.front()))
    lane.spilled.pop_front();
  lane.published.store(lane.written, std::memory_order_seq_cst);
  lane.has_news = false;
  const bool is_waiting = lane.written != lane.consumed.load(std::memory_order_seq_cst);
  if (is_waiting && !is_wake_pending_.exchange(true, std::memory_order_seq_cst)) {
    ring.wake(ring_descriptor_, *this, lane);
  }
}

bool Mailbox::needs_flush(std::size_t sender) const noexcept {
  const Lane& lane = *lanes_[sender];
  return lane.has_news || !lane.spilled.empty();
}

void Mailbox::deliver() noexcept {
  // Cleared first: what is published after this line brings a wake-up of its own.
  is_wake_pending_.store(false, std::memory_order_seq_cst);
  for (auto& lane : lanes_) {
    const std::size_t published = lane->published.load(std::memory_order_seq_cst);
    std::size_t consumed = lane->consumed.load(std::memory_order_relaxed);
    while (consumed != published) {
      InlineTask task = std::move(lane->tasks[consumed % lane_tasks]);
      lane->consumed.store(++consumed, std::memory_order_release);
      task();
    }
  }
}

}  // namespace videosync
