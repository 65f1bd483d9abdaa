#include "tests/sim/pipe.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace videosync::sim {

void Pipe::send(InlineTask task) {
  const std::int64_t now_us = scheduler_.now_us();
  if (now_us != sent_us_) due_us_ = std::max(due_us_, now_us + latency_.draw(random_));
  sent_us_ = now_us;
  items_.push_back({due_us_, std::move(task)});
  if (!is_held_) arm(items_[first_].due_us);
}

void Pipe::release() {
  is_held_ = false;
  if (waiting() > 0) arm(items_[first_].due_us);
}

void Pipe::clear() noexcept {
  items_.clear();
  first_ = 0;
}

void Pipe::arm(std::int64_t due_us) {
  if (std::exchange(is_armed_, true)) return;
  scheduler_.at(due_us, [this]() noexcept { deliver(); });
}

// A task may send through this pipe, hold it or clear it.
void Pipe::deliver() noexcept {
  is_armed_ = false;
  while (!is_held_ && waiting() > 0 && items_[first_].due_us <= scheduler_.now_us()) {
    InlineTask task = std::move(items_[first_].task);
    ++first_;
    if (first_ == items_.size()) clear();
    if (sink_ != nullptr) {
      sink_->take(std::move(task));
    } else {
      task();
    }
  }
  if (first_ > 64 && first_ > waiting()) {
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
  if (!is_held_ && waiting() > 0) arm(items_[first_].due_us);
}

}  // namespace videosync::sim
