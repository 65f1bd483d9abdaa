// ChildProcess: another program that works for us, started without a shell, by the Spawner and
// confined by it. It ends with its owner, and with this process.
//
// For a background thread: waiting blocks. The child gets no descriptor but the ones named in its
// order, no standard input, and signals as a fresh process has them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <utility>

#include "core/base/error.h"
#include "storage/files/break_off.h"
#include "storage/files/spawner.h"

namespace videosync {

class ChildProcess {
 public:
  static constexpr int input_fd = 3;  // what the child knows its input as

  // Errors: io, with what the system said of the program.
  static Result<ChildProcess> start(Spawner& spawner, const SpawnOrder& order);

  // Kills it if it still runs, with all that it has started. A child that has not ended a second
  // later is left behind: it waits for storage in a way that nothing ends, or for a processor. Its
  // status is taken when a later child is started, by whichever thread.
  ~ChildProcess();
  ChildProcess(ChildProcess&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
  ChildProcess& operator=(ChildProcess&&) = delete;

  // For who watches several: waitpid's status once it has ended, and then no more.
  std::optional<int> take_status() noexcept;
  pid_t pid() const noexcept { return pid_; }
  // At once, without waiting for its end. REQUIRES that no status has been taken.
  void kill() const noexcept;

  enum class End : std::uint8_t { succeeded, failed, timed_out, stopped };  // failed: not status 0
  // Waits at most limit_ms, and about 100 ms once `stop` is requested.
  End wait(std::int64_t limit_ms, const BreakOff& stop);

 private:
  explicit ChildProcess(pid_t pid) noexcept : pid_(pid) {}
  int reap() noexcept;
  bool ends_within(std::int64_t limit_ms) const noexcept;

  pid_t pid_;  // 0: reaped, or left behind
};

}  // namespace videosync
