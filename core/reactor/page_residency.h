// PageResidency: which blocks of files are in the page cache, so that sending them waits for no
// disk.
//
// Asked of cachestat(2) (Linux 6.5) and confirmed by reading a byte with RWF_NOWAIT: pages under
// read-ahead are in the cache before their bytes are. A block that has always been found there for
// `proven_ms` is trusted for a quarter of its time, at most `trusted_max_ms`; until then only for
// as long as a range takes to pass. Asking for each range of 64 KiB was a seventh of its cost;
// trusting all for 20 ms made small requests wait beside a file that was evicted twenty times a
// second. A page evicted within the time makes a sender wait for the disk once.
//
// The kernel answers only those who own a file or may write to it (Linux 6.14 and its stable
// relatives); to others nothing is ever resident.
// Remembers `remembered_max` blocks, 16 bytes each; two that want one place take turns. One a
// reactor; one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/reactor/output_queue.h"

namespace videosync {

class PageResidency {
 public:
  static constexpr std::int64_t block_bytes = 256 * 1024;
  static constexpr std::int64_t trusted_min_ms = 2;
  static constexpr std::int64_t proven_ms = 500;
  static constexpr std::int64_t trusted_max_ms = 1'000;

  // How many of the range's first bytes, `bytes_max` at most, can be sent now; 0: the first of them
  // is not in the cache. REQUIRES a range that is not empty.
  std::int64_t ready_bytes(const FileRange& range, std::int64_t bytes_max,
                           std::int64_t now_ms) noexcept;

  // Questions to the kernel so far.
  std::uint64_t asked() const noexcept { return asked_; }

 private:
  static constexpr std::size_t remembered_max = 4'096;
  static constexpr std::int64_t asked_ahead_blocks = 4;

  // Found resident whenever it was asked for, first and last at these times.
  struct Block {
    std::uint64_t key = 0;
    std::uint32_t since_ms = 0;
    std::uint32_t asked_ms = 0;
  };

  static std::uint64_t key_of(const FileRange& range, std::int64_t index) noexcept;
  Block& place_of(const FileRange& range, std::int64_t index) noexcept;

  bool is_trusted(const FileRange& range, std::int64_t index, std::uint32_t now_ms) noexcept;
  // Asks for the block, and in the same question for those of the range that follow.
  bool learn(const FileRange& range, std::int64_t index, std::uint32_t now_ms) noexcept;
  bool are_blocks_cached(const FileRange& range, std::int64_t index, std::int64_t count) noexcept;
  void remember(const FileRange& range, std::int64_t index, std::uint32_t now_ms) noexcept;
  bool is_cached(int file, std::int64_t offset, std::int64_t length) noexcept;

  using Blocks = std::array<Block, remembered_max>;
  std::unique_ptr<Blocks> blocks_ = std::make_unique<Blocks>();
  std::uint64_t asked_ = 0;
  bool has_cachestat_ = true;
};

}  // namespace videosync
