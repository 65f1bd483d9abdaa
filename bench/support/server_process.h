// ServerProcess: a real server for a benchmark, and what the kernel says about it.
//
// Started on a port of the kernel's choice, on loopback, with one worker; ended by its own process
// id when this goes. One thread. The figures are the kernel's: /proc/PID/stat,
// smaps_rollup, and for its own memory /proc/slabinfo (root only) and /proc/net/sockstat.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"

namespace videosync::bench {

struct CpuTime {
  std::int64_t user_us = 0;    // of the kernel's tick: 10 ms steps at worst
  std::int64_t system_us = 0;  // likewise
};

// Of one process, in bytes.
struct ProcessMemory {
  std::int64_t resident = 0;
  std::int64_t proportional = 0;  // shared pages divided among those who share them
  std::int64_t anonymous = 0;     // the heap and the stacks
};

// Of the whole machine, in bytes; both ends of a loopback connection are in it.
struct KernelMemory {
  std::int64_t slabs = 0;         // sockets, files, ring requests; 0 where it may not be read
  std::int64_t socket_pages = 0;  // queued bytes of TCP
};

class ServerProcess {
 public:
  // `core`: the processor to run on; negative: any. Waits until it listens.
  static Result<ServerProcess> start(const std::string& binary, std::vector<std::string> arguments,
                                     int core);
  ServerProcess(ServerProcess&& other) noexcept;
  ServerProcess& operator=(ServerProcess&&) = delete;
  ~ServerProcess();

  pid_t pid() const noexcept { return pid_; }
  std::uint16_t port() const noexcept { return port_; }
  bool is_alive() const noexcept;

  CpuTime cpu_time() const;
  ProcessMemory memory() const;

 private:
  ServerProcess() = default;

  pid_t pid_ = -1;
  int output_ = -1;
  std::uint16_t port_ = 0;
};

KernelMemory kernel_memory();

struct CreatedSession {
  std::string key;
  std::string host_token;
};
Result<CreatedSession> create_session(std::uint16_t port);

// Binds this process to one processor where there is more than one.
void pin_to_core(int core) noexcept;
int core_count() noexcept;

// Raises the soft limit of descriptors to the hard one; returns it.
std::uint64_t raise_descriptor_limit() noexcept;

}  // namespace videosync::bench
