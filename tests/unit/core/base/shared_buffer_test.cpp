#include "core/base/shared_buffer.h"

#include <criterion/criterion.h>

#include <string>

using videosync::BufferRef;

Test(shared_buffer, a_copy_shares_the_bytes) {
  BufferRef first = BufferRef::copy_of("frame");
  BufferRef second = first;
  cr_assert(first == second);
  first.reset();
  cr_assert_eq(second.size(), 5u);
  cr_assert_eq(second.bytes()[0], 'f');
}

Test(shared_buffer, a_freed_block_is_used_again) {
  const std::uint8_t* block = nullptr;
  {
    BufferRef buffer = BufferRef::allocate(100);
    block = buffer.bytes().data();
  }
  BufferRef again = BufferRef::allocate(90);
  cr_assert_eq(again.bytes().data(), block);
}

Test(shared_buffer, large_buffers_are_not_kept) {
  BufferRef large = BufferRef::allocate(1 << 20);
  large.mutable_bytes()[(1 << 20) - 1] = 7;
  cr_assert_eq(large.bytes()[(1 << 20) - 1], 7);
}
