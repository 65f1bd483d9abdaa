#include "server/config/machine.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <memory>

#include "core/base/unique_fd.h"

namespace videosync {

namespace {

std::uint64_t raise_descriptor_limit() noexcept {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1'024;
  const rlimit raised{limit.rlim_max, limit.rlim_max};
  return setrlimit(RLIMIT_NOFILE, &raised) == 0 ? limit.rlim_max : limit.rlim_cur;
}

std::uint32_t usable_cores() noexcept {
  // The kernel refuses a mask smaller than its own with EINVAL: grow until it fits.
  for (int cpus = 1'024; cpus <= 1 << 20; cpus *= 4) {
    const std::size_t bytes = CPU_ALLOC_SIZE(cpus);
    const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> mask(
        CPU_ALLOC(cpus), [](cpu_set_t* set) { CPU_FREE(set); });
    if (mask == nullptr) return 1;
    if (sched_getaffinity(0, bytes, mask.get()) == 0) {
      return static_cast<std::uint32_t>(std::max(CPU_COUNT_S(bytes, mask.get()), 1));
    }
  }
  return 1;
}

}  // namespace

MachineFacts prepare_machine() noexcept {
  return {usable_cores(), raise_descriptor_limit()};
}

void reserve_descriptors(std::uint64_t count) noexcept {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const std::uint64_t highest = std::min<std::uint64_t>({count, limit.rlim_cur, INT32_MAX}) - 1;
  const UniqueFd any(::open("/", O_PATH | O_CLOEXEC));
  const UniqueFd probe(::fcntl(any.get(), F_DUPFD_CLOEXEC, static_cast<int>(highest)));
}

}  // namespace videosync
