#include "core/reactor/page_residency.h"

#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/base/assert.h"

namespace videosync {

namespace {

// From linux/mman.h of Linux 6.5; Debian 12's headers are older.
constexpr long cachestat_number = 451;
struct CacheStatRange {
  std::uint64_t offset;
  std::uint64_t length;
};
struct CacheStat {
  std::uint64_t cached, dirty, writeback, evicted, recently_evicted;
};

bool is_byte_ready(int file, std::int64_t offset) noexcept {
  char byte;
  const iovec vector{&byte, 1};
  return ::preadv2(file, &vector, 1, offset, RWF_NOWAIT) == 1;
}

std::int64_t end_of(const FileRange& range) noexcept {
  return range.offset + range.length;
}

}  // namespace

std::int64_t PageResidency::ready_bytes(const FileRange& range, std::int64_t bytes_max,
                                        std::int64_t now_ms) noexcept {
  VS_ASSERT(range.length > 0 && bytes_max > 0);
  const std::int64_t length = std::min(range.length, bytes_max);
  std::int64_t ready = 0;
  while (range.identity != 0 && ready < length) {
    const std::int64_t index = (range.offset + ready) / block_bytes;
    const auto now = static_cast<std::uint32_t>(now_ms);
    if (!is_trusted(range, index, now) && !learn(range, index, now)) break;
    ready = (index + 1) * block_bytes - range.offset;
  }
  if (ready > 0) return std::min(ready, length);
  // Its block is not there as a whole; it may be all the same.
  return is_cached(range.descriptor, range.offset, length) ? length : 0;
}

std::uint64_t PageResidency::key_of(const FileRange& range, std::int64_t index) noexcept {
  return range.identity ^ (static_cast<std::uint64_t>(index) * 0x9e37'79b9'7f4a'7c15);
}

PageResidency::Block& PageResidency::place_of(const FileRange& range, std::int64_t index) noexcept {
  // Blocks of one file that follow each other never want the same place.
  return (*blocks_)[(range.identity + static_cast<std::uint64_t>(index)) % remembered_max];
}

bool PageResidency::is_trusted(const FileRange& range, std::int64_t index,
                               std::uint32_t now_ms) noexcept {
  const Block& block = place_of(range, index);
  if (block.key != key_of(range, index)) return false;
  const std::int64_t found_for_ms = block.asked_ms - block.since_ms;
  const std::int64_t passed_ms = now_ms - block.asked_ms;
  const std::int64_t trusted_ms =
      found_for_ms < proven_ms ? trusted_min_ms : std::min(found_for_ms / 4, trusted_max_ms);
  return passed_ms <= trusted_ms;
}

bool PageResidency::learn(const FileRange& range, std::int64_t index,
                          std::uint32_t now_ms) noexcept {
  const std::int64_t last = (end_of(range) - 1) / block_bytes;
  std::int64_t count = std::min(last - index + 1, asked_ahead_blocks);
  if (!are_blocks_cached(range, index, count)) {
    if (count == 1 || !are_blocks_cached(range, index, 1)) {
      place_of(range, index) = {};
      return false;
    }
    count = 1;
  }
  for (std::int64_t i = index; i < index + count; ++i)
    remember(range, i, now_ms);
  return true;
}

bool PageResidency::are_blocks_cached(const FileRange& range, std::int64_t index,
                                      std::int64_t count) noexcept {
  const std::int64_t offset = index * block_bytes;
  const std::int64_t end = std::min(offset + count * block_bytes, range.file_bytes);
  return offset < end && is_cached(range.descriptor, offset, end - offset);
}

void PageResidency::remember(const FileRange& range, std::int64_t index,
                             std::uint32_t now_ms) noexcept {
  Block& block = place_of(range, index);
  const std::uint64_t key = key_of(range, index);
  // Of what nobody asked for so long it is not known whether it has been there all the time.
  const bool goes_on = block.key == key && now_ms - block.asked_ms <= 2 * trusted_max_ms;
  block = {key, goes_on ? block.since_ms : now_ms, now_ms};
}

bool PageResidency::is_cached(int file, std::int64_t offset, std::int64_t length) noexcept {
  if (!has_cachestat_) return false;
  static const std::int64_t page_bytes = ::sysconf(_SC_PAGESIZE);
  CacheStatRange asked{static_cast<std::uint64_t>(offset), static_cast<std::uint64_t>(length)};
  CacheStat answer{};
  ++asked_;
  if (::syscall(cachestat_number, file, &asked, &answer, 0) != 0) {
    // EPERM may be said of this file alone.
    has_cachestat_ = errno != ENOSYS;
    return false;
  }
  const std::int64_t last = offset + length - 1;
  const std::int64_t pages = last / page_bytes - offset / page_bytes + 1;
  if (static_cast<std::int64_t>(answer.cached) < pages) return false;
  for (std::int64_t at = offset; at < last; at += block_bytes) {
    if (!is_byte_ready(file, at)) return false;
  }
  return is_byte_ready(file, last);
}

}  // namespace videosync
