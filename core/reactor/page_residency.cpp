#include "core/reactor/page_residency.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

#include "core/base/assert.h"
#include "core/kernel/kernel.h"

namespace videosync {

// Of no file: a kernel that has the call says so.
bool PageResidency::has_cachestat() noexcept {
  return kernel::count_cached_pages(-1, 0, 0) != -ENOSYS;
}

std::int64_t PageResidency::ready_bytes(FileTransfer& file, std::int64_t now_ms) noexcept {
  const FileRange& range = file.range;
  VS_ASSERT(range.length > 0);
  const bool is_known = file.cached_until > 0 && now_ms - file.cached_at_ms <= trusted_ms;
  const std::int64_t known = is_known ? file.cached_until - range.offset : 0;
  if (known > 0) return std::min(known, step_bytes);
  // It has moved on to the end of what was known in so short a time: it will go on so.
  std::int64_t length = std::min(range.length, is_known ? asked_ahead_bytes : step_bytes);
  if (!is_cached(range, length, now_ms)) {
    if (length <= step_bytes) return 0;
    length = step_bytes;
    if (!is_cached(range, length, now_ms)) return 0;
  }
  file.cached_until = range.offset + length;
  file.cached_at_ms = now_ms;
  return std::min(length, step_bytes);
}

PageResidency::Seen& PageResidency::seen(const FileRange& range, std::int64_t now_ms) noexcept {
  const void* owner = range.owner.get();
  const std::size_t place = reinterpret_cast<std::uintptr_t>(owner) / alignof(std::max_align_t);
  Seen& file = files_[place % files_max];
  if (file.owner != owner || owner == nullptr) file = {owner, now_ms};
  return file;
}

bool PageResidency::is_cached(const FileRange& range, std::int64_t length,
                              std::int64_t now_ms) noexcept {
  if (!has_cachestat_) return false;
  Seen& file = seen(range, now_ms);
  const bool is_settled = now_ms - file.cold_ms > settling_ms;
  const bool is_ready = are_pages_there(range, length) &&
                        ((is_settled && file.has_been_read) || can_read(range, length));
  file.has_been_read = file.has_been_read || is_ready;
  if (!is_ready) file.cold_ms = now_ms;
  return is_ready;
}

bool PageResidency::are_pages_there(const FileRange& range, std::int64_t length) noexcept {
  static const std::int64_t page_bytes = ::sysconf(_SC_PAGESIZE);
  ++asked_;
  const std::int64_t cached = kernel::count_cached_pages(range.descriptor, range.offset, length);
  if (cached < 0) {
    // EPERM may be said of this file alone.
    has_cachestat_ = cached != -ENOSYS;
    return false;
  }
  const std::int64_t last = range.offset + length - 1;
  const std::int64_t pages = last / page_bytes - range.offset / page_bytes + 1;
  return cached >= pages;
}

bool PageResidency::can_read(const FileRange& range, std::int64_t length) noexcept {
  const std::int64_t last = range.offset + length - 1;
  for (std::int64_t offset = range.offset; offset < last; offset += step_bytes) {
    if (!can_read_byte(range.descriptor, offset)) return false;
  }
  return can_read_byte(range.descriptor, last);
}

bool PageResidency::can_read_byte(int file, std::int64_t offset) noexcept {
  char byte;
  ++bytes_read_;
  const int answer = kernel::read_byte_now(file, offset, byte);
  // A file in memory alone never waits and does not say so.
  return answer == 1 || (answer == -EOPNOTSUPP && kernel::has_seals(file));
}

}  // namespace videosync
