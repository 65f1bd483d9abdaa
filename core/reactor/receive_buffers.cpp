#include "core/reactor/receive_buffers.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "core/base/assert.h"
#include "core/reactor/ring.h"

namespace videosync {

// The layout that the kernel reads (struct io_uring_buf in linux/io_uring.h); the ring's tail lies
// in the last two bytes of the first entry (struct io_uring_buf_ring).
struct ReceiveBuffers::Entry {
  std::uint64_t address;
  std::uint32_t length;
  std::uint16_t buffer_id;
  std::uint16_t tail;
};

Result<std::unique_ptr<ReceiveBuffers>> ReceiveBuffers::create(Ring& ring) {
  void* memory = ::mmap(nullptr, buffers_max * sizeof(Entry), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return fail_errno("mapping the receive-buffer ring", errno);
  std::unique_ptr<ReceiveBuffers> buffers(new ReceiveBuffers(memory));
  if (auto registered = ring.register_buffer_ring(memory, buffers_max, group); !registered) {
    return std::unexpected(registered.error());
  }
  buffers->add(0, buffers_initial);
  return buffers;
}

ReceiveBuffers::ReceiveBuffers(void* ring_memory) noexcept
    : entries_(static_cast<Entry*>(ring_memory)) {
  static_assert(sizeof(Entry) == 16);
  static_assert(buffers_max % buffers_initial == 0);
}

// The ring that uses this memory is gone by now: the reactor destroys it first.
ReceiveBuffers::~ReceiveBuffers() {
  ::munmap(entries_, buffers_max * sizeof(Entry));
}

std::span<std::uint8_t> ReceiveBuffers::bytes(std::uint16_t buffer_id,
                                              std::size_t length) noexcept {
  VS_ASSERT(buffer_id < count_ && length <= buffer_bytes);
  std::uint8_t* slab = slabs_[buffer_id / buffers_initial].get();
  return {slab + buffer_id % buffers_initial * buffer_bytes, length};
}

void ReceiveBuffers::give_back(std::uint16_t buffer_id) noexcept {
  Entry& entry = entries_[tail_ & (buffers_max - 1)];
  entry.address = reinterpret_cast<std::uint64_t>(bytes(buffer_id, 0).data());
  entry.length = buffer_bytes;
  entry.buffer_id = buffer_id;
  ++tail_;
  std::atomic_ref(entries_[0].tail).store(tail_, std::memory_order_release);
}

void ReceiveBuffers::add(std::uint32_t first, std::uint32_t last) {
  for (std::uint32_t base = first; base < last; base += buffers_initial) {
    slabs_.push_back(std::make_unique<std::uint8_t[]>(buffers_initial * buffer_bytes));
  }
  count_ = last;
  for (std::uint32_t id = first; id < last; ++id)
    give_back(static_cast<std::uint16_t>(id));
}

void ReceiveBuffers::grow() noexcept {
  if (count_ < buffers_max) add(count_, std::min(count_ * 2, buffers_max));
}

}  // namespace videosync
