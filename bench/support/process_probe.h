// ProcessProbe: what the kernel says of a process that is measured, and of its children.
//
// CPU time is exact (the process's own clock). How it divides into user and kernel is sampled 5,000
// times a second by the kernel's timer: the division that /proc/PID/stat has goes by ticks, and a
// tick hardly ever finds a server anywhere but in its one system call. One thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace videosync::bench {

struct CpuTime {
  double total_us = 0;
  // Of what was sampled; negative where sampling is not permitted (see perf_event_paranoid).
  double user_share = -1;
};

// In bytes.
struct ProcessMemory {
  std::int64_t resident = 0;
  std::int64_t anonymous = 0;  // the heap and the stacks
};
using MemoryByProcess = std::map<pid_t, ProcessMemory>;

// Of the processes that are in both, all together.
ProcessMemory growth(const MemoryByProcess& before, const MemoryByProcess& after);

// Of the whole machine, in bytes; both ends of a loopback connection are in it.
struct KernelMemory {
  std::int64_t slabs = 0;         // sockets, files, ring requests; 0 where it may not be read
  std::int64_t socket_pages = 0;  // queued bytes of TCP
};
KernelMemory kernel_memory();

class ProcessProbe {
 public:
  // The process and the children that it has now. Of one that ends while it is measured, such as a
  // look into a film, nothing counts.
  explicit ProcessProbe(pid_t pid);
  ~ProcessProbe();
  ProcessProbe(const ProcessProbe&) = delete;
  ProcessProbe& operator=(const ProcessProbe&) = delete;

  bool is_alive() const noexcept;
  // Of those that live.
  MemoryByProcess memory() const;

  void begin_cpu();
  // Since begin_cpu().
  CpuTime cpu() const;

 private:
  class Sampler;  // of one thread

  std::vector<pid_t> pids_;
  std::vector<std::unique_ptr<Sampler>> samplers_;
  std::vector<double> began_us_;  // by process
};

}  // namespace videosync::bench
