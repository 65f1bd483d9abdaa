// SyscallFilter: which system calls a process may make from now on (seccomp(2)); nothing takes it
// back, and all that it starts is held to the same.
//
// What is not allowed fails with ENOSYS, as on a kernel that does not have it, so that the C
// library takes its older way where it has one; what is allowed with some arguments only fails with
// EPERM with others. Neither ends the process: a list is made from what was seen to be called,
// another C library may call something else, and an attacker gains nothing by an error. Calls of a
// foreign architecture, whose numbers mean something else, do end it.
//
// A filter sees numbers and registers, not what pointers point to, and nothing of what is asked for
// through an io_uring: that is for Ring's own restrictions.
//
// The kernel keeps by call what a filter says of it whatever the arguments (since Linux 5.11), so
// what is allowed without a condition costs next to nothing, however long the list.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include "core/base/error.h"

namespace videosync {

class SyscallFilter {
 public:
  enum class Threads : std::uint8_t { calling, all };

  // Numbers of <sys/syscall.h>.
  void allow(std::span<const int> calls);
  void allow(std::initializer_list<int> calls) { allow(std::span(calls.begin(), calls.size())); }
  // Where the lower half of that argument (from 0), masked, is one of `values`.
  void allow_where(int call, unsigned argument, std::uint32_t mask,
                   std::initializer_list<std::uint32_t> values);

  // The threads lose the right to gain privileges by execve(2), too (no_new_privs). Errors:
  // unsupported, with why; then nothing is filtered.
  Result<> install(Threads threads) const;

 private:
  struct Rule {
    int call;
    unsigned argument;
    std::uint32_t mask;
    std::vector<std::uint32_t> values;  // none: whatever the arguments
  };
  std::vector<Rule> rules_;
};

}  // namespace videosync
