// ReceiveBuffers: the provided-buffer ring from which the kernel takes memory for what arrives.
//
// One a reactor, shared by all its sockets, so an idle connection holds no receive buffer. The
// kernel picks a buffer when bytes are there; the completion names it; it is given back as soon as
// its bytes have been handled. When the kernel finds none (ENOBUFS) the set doubles up to a limit;
// at the limit receivers wait a turn. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/error.h"

namespace videosync {

class Ring;

class ReceiveBuffers {
 public:
  static constexpr std::uint16_t group = 1;
  static constexpr std::size_t buffer_bytes = 2048;   // a browser's request head fits
  static constexpr std::uint32_t buffers_max = 4096;  // a power of two; 8 MiB in all
  static constexpr std::uint32_t buffers_initial = 128;

  static Result<std::unique_ptr<ReceiveBuffers>> create(Ring& ring);
  ~ReceiveBuffers();
  ReceiveBuffers(const ReceiveBuffers&) = delete;
  ReceiveBuffers& operator=(const ReceiveBuffers&) = delete;

  std::span<std::uint8_t> bytes(std::uint16_t buffer_id, std::size_t length) noexcept;
  void give_back(std::uint16_t buffer_id) noexcept;

  // After ENOBUFS: twice as many buffers, unless the limit is reached.
  void grow() noexcept;
  std::uint32_t count() const noexcept { return count_; }

 private:
  struct Entry;  // the kernel's struct io_uring_buf

  explicit ReceiveBuffers(void* ring_memory) noexcept;
  void add(std::uint32_t first, std::uint32_t last);

  Entry* const entries_;
  std::uint16_t tail_ = 0;
  std::uint32_t count_ = 0;
  std::vector<std::unique_ptr<std::uint8_t[]>> slabs_;  // buffers_initial buffers each
};

}  // namespace videosync
