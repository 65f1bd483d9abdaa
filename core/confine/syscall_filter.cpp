#include "core/confine/syscall_filter.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "core/base/assert.h"

namespace videosync {

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t own_architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t own_architecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t own_architecture = 0;
#endif
constexpr unsigned arguments_of_a_call = 6;

using Program = std::vector<sock_filter>;

sock_filter step(std::uint16_t code, std::uint32_t value) {
  return {code, 0, 0, value};
}

sock_filter jump_unless_equal(std::uint32_t value, std::uint8_t steps) {
  return {BPF_JMP | BPF_JEQ | BPF_K, 0, steps, value};
}

sock_filter load(std::size_t offset) {
  return step(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}

sock_filter answer(std::uint32_t action) {
  return step(BPF_RET | BPF_K, action);
}

sock_filter refuse(int error) {
  return answer(SECCOMP_RET_ERRNO | (static_cast<std::uint32_t>(error) & SECCOMP_RET_DATA));
}

// Both machines are little-endian: the lower half lies first.
std::size_t offset_of(unsigned argument) {
  return offsetof(seccomp_data, args) + argument * sizeof(std::uint64_t);
}

}  // namespace

void SyscallFilter::allow(std::span<const int> calls) {
  for (const int call : calls)
    rules_.push_back({call, 0, 0, {}});
}

void SyscallFilter::allow_where(int call, unsigned argument, std::uint32_t mask,
                                std::initializer_list<std::uint32_t> values) {
  VS_ASSERT(values.size() > 0 && argument < arguments_of_a_call);
  rules_.push_back({call, argument, mask, values});
}

// The first rule of a call decides.
Result<> SyscallFilter::install(Threads threads) const {
  if (own_architecture == 0) return fail(ErrorCode::unsupported, "an unknown architecture");
  // Calls of x32 have numbers that no rule has, and so end as all that is not allowed.
  Program program{load(offsetof(seccomp_data, arch)), jump_unless_equal(own_architecture, 1),
                  step(BPF_JMP | BPF_JA, 1), answer(SECCOMP_RET_KILL_PROCESS),
                  load(offsetof(seccomp_data, nr))};
  for (const Rule& rule : rules_) {
    const auto number = static_cast<std::uint32_t>(rule.call);
    if (rule.values.empty()) {
      program.insert(program.end(), {jump_unless_equal(number, 1), answer(SECCOMP_RET_ALLOW)});
      continue;
    }
    const auto steps = static_cast<std::uint8_t>(3 + 2 * rule.values.size());
    program.insert(program.end(), {jump_unless_equal(number, steps), load(offset_of(rule.argument)),
                                   step(BPF_ALU | BPF_AND | BPF_K, rule.mask)});
    for (const std::uint32_t value : rule.values)
      program.insert(program.end(), {jump_unless_equal(value, 1), answer(SECCOMP_RET_ALLOW)});
    program.push_back(refuse(EPERM));
  }
  program.push_back(refuse(ENOSYS));
  VS_ASSERT(program.size() <= BPF_MAXINSNS);
  const sock_fprog filter{static_cast<std::uint16_t>(program.size()), program.data()};
  const unsigned flags = threads == Threads::all ? SECCOMP_FILTER_FLAG_TSYNC : 0;
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter) != 0) {
    return fail(ErrorCode::unsupported, std::strerror(errno));
  }
  return {};
}

}  // namespace videosync
