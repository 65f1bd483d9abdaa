// Operation and Completion: what is asked of the kernel and what it answers.
//
// An Operation is a base of the object whose memory it uses, or a member of it; its address is the
// submission's user data. The object keeps one bit an operation, set exactly from arming to its
// last completion, and lives at least as long. Completions are copied out of the ring before the
// first is handled.
#pragma once

#include <cstdint>

namespace videosync {

struct Completion;

struct Operation {
  // Finds its owner from the operation, of which the owner is the derived class: every connection
  // has two of them, and a pointer in each would cost as much as the rest.
  using Handler = void (*)(Operation& operation, const Completion& completion) noexcept;

  Handler on_complete = nullptr;
};

// One of several operations of one owner, told apart by the tag.
template <class Tag>
struct TaggedOperation : Operation {};

struct Completion {
  Operation* operation = nullptr;
  std::int32_t result = 0;  // bytes, a descriptor or events; negative: -errno
  std::uint16_t buffer_id = 0;
  bool has_buffer = false;  // buffer_id names a provided buffer that is now ours
  bool more = false;        // the multishot stays armed: this is not its last completion
};

}  // namespace videosync
