// PageResidency: how much of a file's range is in the page cache, so that sending it waits for no
// disk.
//
// Asked of cachestat(2) (Linux 6.5). That counts pages whose bytes are still on their way, so where
// a file was cold within `settling_ms` a byte is read with RWF_NOWAIT as well. Of a file that has
// been warm for longer only cachestat is asked: reading was a tenth of the cost of a range of
// 64 KiB. A file system that cannot read without waiting (those over a network, and FUSE) may make
// its readers wait for a server whatever is in the cache, so of its files nothing is ever ready.
// What is asked for one range is trusted for that range alone, for `trusted_ms`; answers for whole
// files, or trusted across ranges, made small requests wait beside a file that was evicted again
// and again. A page that is evicted meanwhile, or that somebody else is reading into a file that
// was warm here, makes the sender wait for the disk once.
//
// The kernel answers only those who own a file or may write to it (from some 6.x releases on); to
// others nothing is ever resident. One a reactor; one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/reactor/output_queue.h"

namespace videosync {

class PageResidency {
 public:
  static constexpr std::int64_t settling_ms = 1'000;
  static constexpr std::int64_t trusted_ms = 20;
  static constexpr std::int64_t step_bytes = 256 * 1024;

  // Whether this kernel has cachestat at all.
  static bool has_cachestat() noexcept;

  // How many of the range's first bytes, `step_bytes` at most, can be sent now; 0: the first of
  // them are not in the cache. REQUIRES a range that is not empty.
  std::int64_t ready_bytes(FileTransfer& file, std::int64_t now_ms) noexcept;

  // Questions to the kernel so far: cachestat, and bytes read.
  std::uint64_t asked() const noexcept { return asked_; }
  std::uint64_t bytes_read() const noexcept { return bytes_read_; }

 private:
  static constexpr std::size_t files_max = 256;  // two that want one place take turns
  static constexpr std::int64_t asked_ahead_bytes = 4 * step_bytes;

  struct Seen {
    const void* owner = nullptr;  // compared only: it may be gone
    std::int64_t cold_ms = 0;     // when it was last found cold; not before it was first seen
    bool has_been_read = false;   // without waiting
  };

  Seen& seen(const FileRange& range, std::int64_t now_ms) noexcept;
  bool is_cached(const FileRange& range, std::int64_t length, std::int64_t now_ms) noexcept;
  bool are_pages_there(const FileRange& range, std::int64_t length) noexcept;
  bool can_read(const FileRange& range, std::int64_t length) noexcept;
  bool can_read_byte(int file, std::int64_t offset) noexcept;

  std::array<Seen, files_max> files_{};
  std::uint64_t asked_ = 0;
  std::uint64_t bytes_read_ = 0;
  bool has_cachestat_ = true;
};

}  // namespace videosync
