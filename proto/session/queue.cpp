#include "proto/session/queue.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/assert.h"
#include "core/base/byte_codec.h"

namespace videosync {

namespace {

constexpr std::uint8_t bytes_version = 1;

std::uint64_t get_number(ByteReader& reader, std::uint64_t max) {
  const auto value = reader.get<std::uint64_t>();
  reader.require(value <= max);
  return value;
}

QueueItem get_item(ByteReader& reader) {
  QueueItem item;
  item.id.value = get_number(reader, told_number_max);
  item.video.id = reader.get_text<std::uint16_t>(video_id_bytes_max);
  item.video.duration_s = reader.get_real(0, 1e300);
  item.by.value = reader.get<std::uint32_t>();
  item.by_name = reader.get_text<std::uint16_t>(member_name_bytes_max);
  reader.require(item.id && !item.video.id.empty());
  VS_ASSERT(item.video.id.size() <= video_id_bytes_max);
  VS_ASSERT(item.by_name.size() <= member_name_bytes_max);
  return item;
}

}  // namespace

const QueueItem* Queue::find(QueueItemId id) const noexcept {
  const auto found = std::ranges::find(items_, id, &QueueItem::id);
  return found != items_.end() ? &*found : nullptr;
}

void Queue::note_change() noexcept {
  VS_ASSERT(version_ < count_max);
  VS_ASSERT(items_.size() <= items_max);
  ++version_;
}

QueueItemId Queue::add(VideoChoice video, MemberId by, std::string_view by_name, std::size_t at,
                       std::int64_t now_us) {
  VS_ASSERT(!full());
  VS_ASSERT(!video.id.empty() && video.id.size() <= video_id_bytes_max);
  VS_ASSERT(by_name.size() <= member_name_bytes_max);
  const auto now = static_cast<std::uint64_t>(std::max<std::int64_t>(now_us, 1));
  newest_ = std::max(now, newest_ + 1);
  const auto place = items_.begin() + static_cast<std::ptrdiff_t>(std::min(at, items_.size()));
  items_.insert(place, {QueueItemId{newest_}, std::move(video), by, std::string(by_name)});
  note_change();
  VS_ASSERT(find(QueueItemId{newest_}) != nullptr);
  return QueueItemId{newest_};
}

std::optional<QueueItem> Queue::take(QueueItemId id) {
  const auto found = std::ranges::find(items_, id, &QueueItem::id);
  if (found == items_.end()) return std::nullopt;
  std::optional<QueueItem> taken = std::move(*found);
  const std::size_t size = items_.size();
  items_.erase(found);
  note_change();
  VS_ASSERT(items_.size() + 1 == size);
  VS_ASSERT(find(id) == nullptr);
  return taken;
}

bool Queue::move(QueueItemId id, std::size_t at) {
  auto item = std::ranges::find(items_, id, &QueueItem::id);
  if (item == items_.end()) return false;
  const auto to = items_.begin() + static_cast<std::ptrdiff_t>(std::min(at, items_.size() - 1));
  if (item < to) {
    std::rotate(item, item + 1, to + 1);
  } else {
    std::rotate(to, item, item + 1);
  }
  VS_ASSERT(to->id == id);
  note_change();
  VS_ASSERT(find(id) != nullptr);
  return true;
}

std::string Queue::encode() const {
  ByteWriter writer;
  writer.put(bytes_version);
  writer.put(version_);
  writer.put(newest_);
  writer.put(static_cast<std::uint8_t>(items_.size()));
  for (const QueueItem& item : items_) {
    writer.put(item.id.value);
    writer.put_text<std::uint16_t>(item.video.id);
    writer.put_real(item.video.duration_s);
    writer.put(item.by.value);
    writer.put_text<std::uint16_t>(item.by_name);
  }
  return writer.take_bytes();
}

Result<Queue> Queue::decode(std::string_view bytes) {
  ByteReader reader(bytes);
  Queue queue;
  reader.require(reader.get<std::uint8_t>() == bytes_version);
  queue.version_ = get_number(reader, count_max - 1);
  queue.newest_ = get_number(reader, told_number_max / 2);  // far from where ids go out
  const auto count = reader.get<std::uint8_t>();
  reader.require(count <= items_max);
  for (std::uint8_t i = 0; i < count && reader.ok(); ++i) {
    QueueItem item = get_item(reader);
    reader.require(item.id.value <= queue.newest_ && queue.find(item.id) == nullptr);
    queue.items_.push_back(std::move(item));
  }
  reader.require(queue.version_ > 0 || queue.items_.empty());
  if (reader.ok() && reader.at_end()) return queue;
  return fail(ErrorCode::corrupt, "stored queue: bytes that make no sense");
}

}  // namespace videosync
