// ChildProcess: another program that works for us, started without a shell. It ends with its owner.
//
// For a background thread: waiting blocks. The child gets no descriptor but the ones named here, no
// standard input, no place for its complaints, and signals as a fresh process has them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "storage/files/break_off.h"

namespace videosync {

class ChildProcess {
 public:
  static constexpr int input_fd = 3;  // what the child knows its input as

  struct Order {
    std::vector<std::string> arguments;  // [0] is looked up in PATH unless it has a slash
    int output = -1;                     // the caller's descriptor that becomes standard output
    int input = -1;                      // the one that becomes input_fd; -1: none
    int errors = -1;                     // the one that becomes standard error; -1: nowhere
    bool leads_group = false;            // of processes, which all end with it
  };

  // Errors: io, with what the system said of arguments[0].
  static Result<ChildProcess> start(const Order& order);

  // Kills it if it still runs. A child that has not ended a second later is left behind: it waits
  // for storage in a way that nothing ends, or for a processor. Its status is taken when a later
  // child is started, by whichever thread.
  ~ChildProcess();
  ChildProcess(ChildProcess&& other) noexcept
      : pid_(std::exchange(other.pid_, 0)), leads_group_(other.leads_group_) {}
  ChildProcess& operator=(ChildProcess&&) = delete;

  // It gets processor and disk only where nobody else wants them, and may neither take more memory
  // nor write larger files than this.
  void step_back(std::uint64_t memory_bytes_max, std::uint64_t file_bytes_max) const noexcept;
  // The same, a little: somebody waits for what it makes.
  void step_aside(std::uint64_t memory_bytes_max, std::uint64_t file_bytes_max) const noexcept;

  // For who watches several: waitpid's status once it has ended, and then no more.
  std::optional<int> take_status() noexcept;
  pid_t pid() const noexcept { return pid_; }
  // At once, without waiting for its end. REQUIRES that no status has been taken.
  void kill() const noexcept;

  enum class End : std::uint8_t { succeeded, failed, timed_out, stopped };  // failed: not status 0
  // Waits at most limit_ms, and about 100 ms once `stop` is requested.
  End wait(std::int64_t limit_ms, const BreakOff& stop);

 private:
  ChildProcess(pid_t pid, bool leads_group) noexcept : pid_(pid), leads_group_(leads_group) {}
  int reap() noexcept;
  void limit(std::uint64_t memory_bytes_max, std::uint64_t file_bytes_max) const noexcept;
  bool ends_within(std::int64_t limit_ms) const noexcept;

  pid_t pid_;  // 0: reaped, or left behind
  bool leads_group_;
};

}  // namespace videosync
