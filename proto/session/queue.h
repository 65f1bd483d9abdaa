// Queue: what a session is going to watch, and its bytes for the store.
//
// Items in their order, each with an id that is never given twice in its session: server time in
// microseconds, or one more than the one before, so that also a place which goes on from older
// bytes gives none again. Every change is a version of its own. It asks nobody who may: the session
// machine does. Bytes are versioned and little-endian, at most about 90 KiB; those that do not mean
// what they should give ErrorCode::corrupt. Plain value; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "proto/session/session_values.h"

namespace videosync {

struct QueueItem {
  QueueItemId id;
  VideoChoice video;
  MemberId by;          // none: the service itself
  std::string by_name;  // then; "" where it is nobody's
};

class Queue {
 public:
  static constexpr std::size_t items_max = 200;

  bool empty() const noexcept { return items_.empty(); }
  bool full() const noexcept { return items_.size() >= items_max; }
  const std::vector<QueueItem>& items() const noexcept { return items_; }
  // 0: it never had anything; grows with every change.
  std::uint64_t version() const noexcept { return version_; }
  const QueueItem* find(QueueItemId id) const noexcept;

  // Beyond the end is the end. REQUIRES not full, and a video whose id has video_id_bytes_max at
  // most.
  QueueItemId add(VideoChoice video, MemberId by, std::string_view by_name, std::size_t at,
                  std::int64_t now_us);
  // Nothing: there is no such item.
  std::optional<QueueItem> take(QueueItemId id);
  // `at` counts without the item itself. False: there is no such item.
  bool move(QueueItemId id, std::size_t at);

  std::string encode() const;
  static Result<Queue> decode(std::string_view bytes);

 private:
  void note_change() noexcept;

  std::vector<QueueItem> items_;
  std::uint64_t version_ = 0;
  std::uint64_t newest_ = 0;  // the highest id that was ever given
};

}  // namespace videosync
