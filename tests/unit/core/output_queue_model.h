// A naive OutputQueue, written for being obviously right, and a random walk of both side by side.
#pragma once

#include <criterion/criterion.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/reactor/output_queue.h"

namespace videosync::test {

// What `vectors` point at, joined by '|'.
inline std::string join(std::span<const iovec> vectors) {
  std::string text;
  for (const iovec& vector : vectors) {
    if (!text.empty()) text += '|';
    text.append(static_cast<const char*>(vector.iov_base), vector.iov_len);
  }
  return text;
}

struct ModelItem {
  std::string bytes;           // what has not left; empty: a file range
  std::int64_t file_left = 0;  // of a file range
  SendClass send_class = SendClass::reliable;
  bool has_begun = false;  // has left in part

  bool is_file() const { return bytes.empty(); }
};

struct ModelQueue {
  std::vector<ModelItem> items;
  std::size_t in_flight = 0;
  FrameLosses losses;

  std::size_t queued_bytes() const {
    std::size_t sum = 0;
    for (const ModelItem& item : items)
      sum += item.bytes.size();
    return sum;
  }
  bool is_pinned(const ModelItem& item) const {
    return item.has_begun || static_cast<std::size_t>(&item - items.data()) < in_flight;
  }
  bool has_file() const { return std::ranges::any_of(items, &ModelItem::is_file); }

  // Erases what is not pinned and meets the condition; returns how many.
  template <class Condition>
  std::uint32_t erase_free(Condition condition) {
    std::vector<ModelItem> kept;
    for (const ModelItem& item : items) {
      if (is_pinned(item) || !condition(item)) kept.push_back(item);
    }
    const std::size_t erased = items.size() - kept.size();
    items = std::move(kept);
    return static_cast<std::uint32_t>(erased);
  }

  OutputQueue::Outcome push(const std::string& bytes, SendClass send_class, std::size_t max) {
    if (send_class == SendClass::latest_pong) {
      for (ModelItem& item : items) {
        if (is_pinned(item) || item.is_file() || item.send_class != send_class) continue;
        item.bytes = bytes;
        ++losses.pongs;
        return OutputQueue::Outcome::replaced;
      }
    }
    std::uint32_t outdated = 0;
    const bool is_behind = queued_bytes() >= max / OutputQueue::latest_queue_share;
    if (send_class == SendClass::latest && is_behind) {
      outdated =
          erase_free([](const ModelItem& item) { return item.send_class == SendClass::latest; });
      losses.states += outdated;
    }
    if (queued_bytes() + bytes.size() > max) {
      if (send_class == SendClass::droppable) {
        ++losses.news;
        return OutputQueue::Outcome::dropped;
      }
      losses.news +=
          erase_free([](const ModelItem& item) { return item.send_class == SendClass::droppable; });
      const bool is_full = queued_bytes() + bytes.size() > max;
      if (is_full && send_class == SendClass::reliable) return OutputQueue::Outcome::overflow;
      if (is_full && send_class == SendClass::answer) {
        ++losses.answers;
        return OutputQueue::Outcome::dropped;
      }
    }
    items.push_back({bytes, 0, send_class, false});
    return outdated > 0 ? OutputQueue::Outcome::replaced : OutputQueue::Outcome::queued;
  }

  std::string gather(std::size_t vectors_max, bool keep_in_flight) {
    std::string text;
    std::size_t count = 0;
    while (count < std::min(vectors_max, items.size()) && !items[count].is_file()) {
      if (count > 0) text += '|';
      text += items[count].bytes;
      ++count;
    }
    if (keep_in_flight) in_flight = count;
    return text;
  }

  void consume(std::size_t bytes) {
    in_flight = 0;
    while (bytes > 0) {
      ModelItem& first = items.front();
      const std::size_t part = std::min(bytes, first.bytes.size());
      first.bytes.erase(0, part);
      first.has_begun = true;
      bytes -= part;
      if (first.bytes.empty()) items.erase(items.begin());
    }
  }
};

class OutputQueueWalk {
 public:
  explicit OutputQueueWalk(unsigned seed) : seed_(seed), random_(seed) {}

  ~OutputQueueWalk() {
    queue_.consume(pool_, 0);
    queue_.clear_unsent(pool_);
  }

  void step(int number) {
    switch (random_() % 8) {
      case 0:
      case 1:
      case 2:
        push();
        break;
      case 3:
        push_file();
        break;
      case 4:
      case 5:
        send();
        break;
      case 6:
        send_file();
        break;
      default:
        if (random_() % 16 == 0) drop_some();
    }
    check(queue_.empty() == model_.items.empty(), "empty", number);
    check(queue_.queued_bytes() == model_.queued_bytes(), "queued_bytes", number);
    check(queue_.has_file() == model_.has_file(), "has_file", number);
    check(losses_ == model_.losses, "losses", number);
    check(is_right_, "outcome or bytes", number);
  }

 private:
  void check(bool holds, const char* what, int number) const {
    cr_assert(holds, "%s differs from the model's: seed %u, step %d", what, seed_, number);
  }

  void push() {
    constexpr std::array classes{SendClass::reliable, SendClass::latest, SendClass::latest_pong,
                                 SendClass::droppable, SendClass::answer};
    const SendClass send_class = classes[random_() % classes.size()];
    const std::string bytes(1 + random_() % 12, static_cast<char>('a' + random_() % 26));
    const auto outcome =
        queue_.push(pool_, BufferRef::copy_of(bytes), send_class, bytes_max, losses_);
    is_right_ = is_right_ && outcome == model_.push(bytes, send_class, bytes_max);
  }

  void push_file() {
    const auto length = static_cast<std::int64_t>(1 + random_() % 50);
    queue_.push_file(pool_, {nullptr, 0, 0, length});
    model_.items.push_back({"", length, SendClass::reliable, false});
  }

  // Begins a send, or ends the one in flight after any number of its bytes.
  void send() {
    if (in_flight_bytes_ > 0) {
      const std::size_t sent = random_() % (in_flight_bytes_ + 1);
      in_flight_bytes_ = 0;
      queue_.consume(pool_, sent);
      model_.consume(sent);
      return;
    }
    std::array<iovec, 4> vectors;
    const std::size_t count = queue_.gather(vectors, true);
    is_right_ = is_right_ && join(std::span(vectors).first(count)) == model_.gather(4, true);
    for (std::size_t i = 0; i < count; ++i)
      in_flight_bytes_ += vectors[i].iov_len;
  }

  void send_file() {
    const FileTransfer* file = queue_.front_file();
    if (file == nullptr) return;
    ModelItem& first = model_.items.front();
    const std::int64_t left = file->range.length;
    is_right_ = is_right_ && left == first.file_left;
    const std::int64_t sent = 1 + static_cast<std::int64_t>(random_()) % left;
    queue_.consume_file(pool_, sent);
    first.file_left -= sent;
    if (first.file_left == 0) model_.items.erase(model_.items.begin());
  }

  void drop_some() {
    if (random_() % 2 == 0) {
      queue_.clear_unsent(pool_);
      model_.items.resize(model_.in_flight);
    } else if (!queue_.has_file()) {  // only WebSockets drop, and they send no files
      queue_.drop_untouched(pool_);
      model_.erase_free([](const ModelItem&) { return true; });
    }
  }

  static constexpr std::size_t bytes_max = 60;

  const unsigned seed_;
  std::mt19937 random_;
  SegmentPool pool_;
  OutputQueue queue_;
  ModelQueue model_;
  FrameLosses losses_;
  std::size_t in_flight_bytes_ = 0;
  bool is_right_ = true;
};

inline void walk_beside_the_model(unsigned seed, int steps) {
  OutputQueueWalk walk(seed);
  for (int number = 0; number < steps; ++number)
    walk.step(number);
}

}  // namespace videosync::test
