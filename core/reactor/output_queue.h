// OutputQueue: what one stream has still to send, in order: frames and file ranges.
//
// One frame alone, which is what a broadcast queues for a member, is held in place. Segments for
// more come from the reactor's pool, so a queue that moves does not allocate; what only files need
// is pooled apart.
// `in_flight` segments at the front are read by the kernel and untouchable until the send
// completes. Bounded by what the caller says: see Outcome. One thread.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/send_class.h"
#include "core/base/shared_buffer.h"
#include "core/base/unique_fd.h"

namespace videosync {

// `length` bytes of a file from `offset`; `owner` keeps the descriptor open, and tells the file
// from others.
struct FileRange {
  std::shared_ptr<const void> owner;
  int descriptor = -1;
  std::int64_t offset = 0;
  std::int64_t length = 0;
};

struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
  std::int64_t held_bytes = 0;  // spliced in and not yet out

  explicit operator bool() const noexcept { return bool{read_end}; }
};

struct FileTransfer {
  FileRange range;  // what has left is cut off its front
  Pipe pipe;        // non-null while a cold quantum passes through it

  // What PageResidency knows: up to this place in the file all was cached, at this time.
  std::int64_t cached_until = 0;
  std::int64_t cached_at_ms = 0;
};

struct OutputSegment {
  OutputSegment* next = nullptr;
  BufferRef buffer;
  std::unique_ptr<FileTransfer> file;  // there exactly where `buffer` is null
  std::uint32_t offset = 0;            // bytes of `buffer` that have left
  SendClass send_class = SendClass::reliable;

  bool is_file() const noexcept { return file != nullptr; }
  std::size_t bytes_left() const noexcept { return buffer ? buffer.size() - offset : 0; }
};
static_assert(sizeof(OutputSegment) == 32, "two frames in one turn: two a member");

// Frames that who reads too slowly did not get.
struct FrameLosses {
  std::uint32_t states = 0;   // of class latest: newer ones took their place
  std::uint32_t pongs = 0;    // of class latest_pong: the same
  std::uint32_t news = 0;     // droppable ones
  std::uint32_t answers = 0;  // for which dropping those made no room

  bool operator==(const FrameLosses&) const = default;
};

// Free segments of one reactor. Grows by slabs, never shrinks.
class SegmentPool {
 public:
  OutputSegment* take();
  OutputSegment* take_for(FileRange range);
  // REQUIRES that the segment's file, if any, has no pipe.
  void give_back(OutputSegment* segment) noexcept;

 private:
  static constexpr std::size_t slab_segments = 256;
  static constexpr std::size_t idle_files_max = 256;

  OutputSegment* free_ = nullptr;
  std::vector<std::unique_ptr<FileTransfer>> idle_files_;
  std::vector<std::unique_ptr<OutputSegment[]>> slabs_;
};

class OutputQueue {
 public:
  enum class Outcome : std::uint8_t {
    queued,
    replaced,  // took the place of older frames of its class
    dropped,   // droppable or an answer, and the queue is at its limit
    overflow,  // reliable, and no room even after dropping: the caller should give the peer up
  };

  // From a queue of 1/this of its limit on, its reader is behind: see SendClass::latest.
  static constexpr std::size_t latest_queue_share = 4;

  OutputQueue() noexcept = default;
  OutputQueue(const OutputQueue&) = delete;
  OutputQueue& operator=(const OutputQueue&) = delete;
  ~OutputQueue();

  bool empty() const noexcept { return head_ == nullptr && !single_; }
  bool has_file() const noexcept { return files_ != 0; }
  // The file range at the front; null where there is none.
  FileTransfer* front_file() noexcept { return head_ != nullptr ? head_->file.get() : nullptr; }
  // Of buffers; file ranges cost no memory and do not count.
  std::size_t queued_bytes() const noexcept { return queued_bytes_; }

  // `bytes_max` bounds queued_bytes(). Counts the frames that it left out or removed. A reader that
  // keeps up gets every frame of class latest: several of one turn wait together without any of
  // them being late.
  Outcome push(SegmentPool& pool, BufferRef buffer, SendClass send_class, std::size_t bytes_max,
               FrameLosses& losses);
  void push_file(SegmentPool& pool, FileRange range);

  // Points `vectors` at the buffers at the front, up to a file range; returns how many. With
  // `keep_in_flight` they stay put until consume().
  std::size_t gather(std::span<iovec> vectors, bool keep_in_flight) noexcept;
  // `bytes` of the buffers at the front have left; nothing is in flight any more.
  void consume(SegmentPool& pool, std::size_t bytes) noexcept;
  // `bytes` of the file range at the front have left.
  void consume_file(SegmentPool& pool, std::int64_t bytes) noexcept;

  // Drops what has not begun to leave.
  void drop_untouched(SegmentPool& pool) noexcept;
  // Drops what is not in flight, also what has left in part.
  void clear_unsent(SegmentPool& pool) noexcept;

 private:
  static bool is_untouched(const OutputSegment& segment) noexcept { return segment.offset == 0; }

  // push(), where not a frame alone is held in place.
  Outcome push_behind(SegmentPool& pool, BufferRef buffer, SendClass send_class,
                      std::size_t bytes_max, FrameLosses& losses);
  // The frame that is held in place becomes a segment.
  void spill(SegmentPool& pool);
  void append(OutputSegment* segment) noexcept;
  void clear_from(std::size_t place, SegmentPool& pool) noexcept;
  void pop_front(SegmentPool& pool) noexcept;
  bool replace_queued(BufferRef& buffer, SendClass send_class) noexcept;
  // Drops those of this class that have not begun to leave; returns how many.
  std::uint32_t drop_class(SendClass send_class, SegmentPool& pool) noexcept;

  BufferRef single_;  // nothing of it has left; there are no segments beside it
  OutputSegment* head_ = nullptr;
  OutputSegment* tail_ = nullptr;
  std::uint32_t queued_bytes_ = 0;
  std::uint16_t files_ = 0;
  std::uint8_t in_flight_ = 0;  // frames at the front that the kernel may be reading
  SendClass single_class_ = SendClass::reliable;
};
static_assert(sizeof(OutputQueue) == 32, "every viewer has one");

}  // namespace videosync
