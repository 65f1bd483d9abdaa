#include "core/reactor/output_queue.h"

#include <utility>

#include "core/base/assert.h"

namespace videosync {

OutputSegment* SegmentPool::take() {
  if (free_ == nullptr) {
    slabs_.push_back(std::make_unique<OutputSegment[]>(slab_segments));
    for (std::size_t i = 0; i < slab_segments; ++i)
      give_back(&slabs_.back()[i]);
  }
  OutputSegment* segment = std::exchange(free_, free_->next);
  segment->next = nullptr;
  return segment;
}

OutputSegment* SegmentPool::take_for(FileRange range) {
  OutputSegment* segment = take();
  if (idle_files_.empty()) {
    segment->file = std::make_unique<FileTransfer>();
  } else {
    segment->file = std::move(idle_files_.back());
    idle_files_.pop_back();
  }
  segment->file->range = std::move(range);
  return segment;
}

void SegmentPool::give_back(OutputSegment* segment) noexcept {
  segment->buffer.reset();
  if (segment->file) {
    VS_ASSERT(!segment->file->pipe);
    *segment->file = {};
    if (idle_files_.size() < idle_files_max) idle_files_.push_back(std::move(segment->file));
    segment->file.reset();
  }
  segment->offset = 0;
  segment->next = std::exchange(free_, segment);
}

OutputQueue::~OutputQueue() {
  VS_ASSERT(empty());
}

void OutputQueue::spill(SegmentPool& pool) {
  VS_ASSERT(single_ && head_ == nullptr);
  OutputSegment* segment = pool.take();
  segment->buffer = std::move(single_);
  segment->send_class = single_class_;
  append(segment);
}

void OutputQueue::append(OutputSegment* segment) noexcept {
  if (tail_ != nullptr) tail_->next = segment;
  if (head_ == nullptr) head_ = segment;
  tail_ = segment;
}

void OutputQueue::pop_front(SegmentPool& pool) noexcept {
  OutputSegment* segment = std::exchange(head_, head_->next);
  if (head_ == nullptr) tail_ = nullptr;
  if (segment->is_file()) --files_;
  pool.give_back(segment);
}

bool OutputQueue::replace_queued(BufferRef& buffer, SendClass send_class) noexcept {
  std::size_t place = 0;
  for (OutputSegment* segment = head_; segment != nullptr; segment = segment->next, ++place) {
    const bool is_free = place >= in_flight_ && is_untouched(*segment);
    if (segment->send_class != send_class || segment->is_file() || !is_free) continue;
    queued_bytes_ += static_cast<std::uint32_t>(buffer.size());
    queued_bytes_ -= static_cast<std::uint32_t>(segment->buffer.size());
    segment->buffer = std::move(buffer);
    return true;
  }
  return false;
}

std::uint32_t OutputQueue::drop_class(SendClass send_class, SegmentPool& pool) noexcept {
  std::uint32_t dropped = 0;
  std::size_t place = 0;
  OutputSegment* previous = nullptr;
  for (OutputSegment* segment = head_; segment != nullptr; ++place) {
    OutputSegment* next = segment->next;
    const bool is_free = place >= in_flight_ && is_untouched(*segment);
    if (segment->is_file() || segment->send_class != send_class || !is_free) {
      previous = segment;
    } else {
      (previous != nullptr ? previous->next : head_) = next;
      if (tail_ == segment) tail_ = previous;
      queued_bytes_ -= static_cast<std::uint32_t>(segment->buffer.size());
      pool.give_back(segment);
      ++dropped;
    }
    segment = next;
  }
  return dropped;
}

OutputQueue::Outcome OutputQueue::push(SegmentPool& pool, BufferRef buffer, SendClass send_class,
                                       std::size_t bytes_max, FrameLosses& losses) {
  VS_ASSERT(buffer && buffer.size() > 0);
  if (empty() && buffer.size() <= bytes_max) {
    queued_bytes_ = static_cast<std::uint32_t>(buffer.size());
    single_ = std::move(buffer);
    single_class_ = send_class;
    return Outcome::queued;
  }
  return push_behind(pool, std::move(buffer), send_class, bytes_max, losses);
}

OutputQueue::Outcome OutputQueue::push_behind(SegmentPool& pool, BufferRef buffer,
                                              SendClass send_class, std::size_t bytes_max,
                                              FrameLosses& losses) {
  if (single_) spill(pool);
  if (send_class == SendClass::latest_pong && replace_queued(buffer, send_class)) {
    ++losses.pongs;
    return Outcome::replaced;
  }
  const bool is_behind = queued_bytes_ >= bytes_max / latest_queue_share;
  std::uint32_t replaced_now = 0;
  if (send_class == SendClass::latest && is_behind) {
    replaced_now = drop_class(SendClass::latest, pool);
    losses.states += replaced_now;
  }
  if (queued_bytes_ + buffer.size() > bytes_max) {
    if (send_class == SendClass::droppable) {
      ++losses.news;
      return Outcome::dropped;
    }
    losses.news += drop_class(SendClass::droppable, pool);
    const bool fits = queued_bytes_ + buffer.size() <= bytes_max;
    if (!fits && send_class == SendClass::reliable) return Outcome::overflow;
    if (!fits && send_class == SendClass::answer) {
      ++losses.answers;
      return Outcome::dropped;
    }
  }
  OutputSegment* segment = pool.take();
  queued_bytes_ += static_cast<std::uint32_t>(buffer.size());
  segment->buffer = std::move(buffer);
  segment->send_class = send_class;
  append(segment);
  return replaced_now > 0 ? Outcome::replaced : Outcome::queued;
}

void OutputQueue::push_file(SegmentPool& pool, FileRange range) {
  VS_ASSERT(range.descriptor >= 0 && range.offset >= 0 && range.length > 0);
  if (single_) spill(pool);
  OutputSegment* segment = pool.take_for(std::move(range));
  segment->send_class = SendClass::reliable;
  ++files_;
  append(segment);
}

std::size_t OutputQueue::gather(std::span<iovec> vectors, bool keep_in_flight) noexcept {
  VS_ASSERT(in_flight_ == 0 && vectors.size() <= UINT8_MAX);
  if (single_) {
    vectors[0] = {const_cast<std::uint8_t*>(single_.bytes().data()), single_.size()};
    if (keep_in_flight) in_flight_ = 1;
    return 1;
  }
  std::size_t count = 0;
  for (OutputSegment* segment = head_; segment != nullptr && !segment->is_file();
       segment = segment->next) {
    if (count == vectors.size()) break;
    const auto bytes = segment->buffer.bytes().subspan(segment->offset);
    vectors[count++] = {const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
  }
  if (keep_in_flight) in_flight_ = static_cast<std::uint8_t>(count);
  return count;
}

void OutputQueue::consume(SegmentPool& pool, std::size_t bytes) noexcept {
  in_flight_ = 0;
  VS_ASSERT(bytes <= queued_bytes_);
  queued_bytes_ -= static_cast<std::uint32_t>(bytes);
  if (single_) {
    if (queued_bytes_ == 0) return single_.reset();
    if (bytes > 0) spill(pool);
  }
  while (bytes > 0) {
    VS_ASSERT(head_ != nullptr && !head_->is_file());
    const std::size_t left = head_->bytes_left();
    if (bytes < left) {
      head_->offset += static_cast<std::uint32_t>(bytes);
      return;
    }
    bytes -= left;
    pop_front(pool);
  }
}

void OutputQueue::consume_file(SegmentPool& pool, std::int64_t bytes) noexcept {
  VS_ASSERT(front_file() != nullptr && bytes <= front_file()->range.length);
  FileRange& range = head_->file->range;
  range.offset += bytes;
  range.length -= bytes;
  if (range.length == 0) pop_front(pool);
}

void OutputQueue::clear_from(std::size_t place, SegmentPool& pool) noexcept {
  if (single_) {
    if (place > 0) return;
    queued_bytes_ = 0;
    return single_.reset();
  }
  OutputSegment* last_kept = nullptr;
  OutputSegment* segment = head_;
  for (std::size_t i = 0; i < place && segment != nullptr; ++i) {
    last_kept = segment;
    segment = segment->next;
  }
  (last_kept != nullptr ? last_kept->next : head_) = nullptr;
  tail_ = last_kept;
  while (segment != nullptr) {
    OutputSegment* next = segment->next;
    queued_bytes_ -= static_cast<std::uint32_t>(segment->bytes_left());
    if (segment->is_file()) --files_;
    pool.give_back(segment);
    segment = next;
  }
}

void OutputQueue::drop_untouched(SegmentPool& pool) noexcept {
  const bool is_head_touched = head_ != nullptr && !is_untouched(*head_);
  clear_from(in_flight_ == 0 && is_head_touched ? 1 : in_flight_, pool);
}

void OutputQueue::clear_unsent(SegmentPool& pool) noexcept {
  clear_from(in_flight_, pool);
}

}  // namespace videosync
