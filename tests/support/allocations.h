// Counts what a thread asks of malloc, to show that a path asks nothing.
//
// Defines malloc, calloc and realloc for the whole test program (operator new comes through them),
// on top of glibc's own. Under a sanitizer, which has its own allocator,
// nothing can be counted: can_count_allocations is false.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define VS_CAN_COUNT_ALLOCATIONS 0
#else
#define VS_CAN_COUNT_ALLOCATIONS 1
#endif

namespace videosync::test {

inline constexpr bool can_count_allocations = VS_CAN_COUNT_ALLOCATIONS == 1;

inline thread_local bool is_counting_allocations = false;
inline thread_local std::uint64_t allocations_counted = 0;

inline void count_allocation() noexcept {
  if (is_counting_allocations) ++allocations_counted;
}

// The allocations that `work` makes on this thread.
template <class Work>
std::uint64_t allocations_of(Work&& work) {
  allocations_counted = 0;
  is_counting_allocations = true;
  work();
  is_counting_allocations = false;
  return allocations_counted;
}

}  // namespace videosync::test

#if VS_CAN_COUNT_ALLOCATIONS

// Weak: several sources of a program may include this.
extern "C" {

void* __libc_malloc(std::size_t) noexcept;
void* __libc_calloc(std::size_t, std::size_t) noexcept;
void* __libc_realloc(void*, std::size_t) noexcept;

[[gnu::weak]] void* malloc(std::size_t bytes) noexcept {
  videosync::test::count_allocation();
  return __libc_malloc(bytes);
}

[[gnu::weak]] void* calloc(std::size_t count, std::size_t bytes) noexcept {
  videosync::test::count_allocation();
  return __libc_calloc(count, bytes);
}

[[gnu::weak]] void* realloc(void* block, std::size_t bytes) noexcept {
  videosync::test::count_allocation();
  return __libc_realloc(block, bytes);
}
}

#endif
