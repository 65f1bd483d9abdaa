#include "storage/files/child_process.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <utility>

#include "core/base/assert.h"
#include "core/base/unique_fd.h"

namespace videosync {

namespace {

constexpr int stop_check_ms = 100;
constexpr std::int64_t kill_wait_ms = 1'000;

// Killed children that had not ended when their owner would wait no longer: with the lowest
// priority, on a busy machine, dying alone takes seconds. Until somebody asks for its status a
// process that has ended keeps its place in the kernel's table, and there are only so many. Of all
// threads that start children, and so with a lock.
class LeftBehind {
 public:
  void add(pid_t pid) {
    VS_ASSERT(pid > 0);
    const std::scoped_lock lock(mutex_);
    pids_.push_back(pid);
  }
  // Of those that have ended meanwhile.
  void reap_ended() {
    const std::scoped_lock lock(mutex_);
    std::erase_if(pids_, [](pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) != 0; });
  }

 private:
  std::mutex mutex_;
  std::vector<pid_t> pids_;
};

LeftBehind& left_behind() {
  static LeftBehind of_the_process;
  return of_the_process;
}

}  // namespace

Result<ChildProcess> ChildProcess::start(Spawner& spawner, const SpawnOrder& order) {
  left_behind().reap_ended();
  const auto pid = spawner.spawn(order);
  if (!pid) return std::unexpected(pid.error());
  return ChildProcess(*pid);
}

ChildProcess::~ChildProcess() {
  if (pid_ == 0) return;
  kill();
  if (ends_within(kill_wait_ms)) {
    reap();
  } else {
    left_behind().add(pid_);
  }
}

void ChildProcess::kill() const noexcept {
  VS_ASSERT(pid_ != 0);
  ::kill(-pid_, SIGKILL);
}

bool ChildProcess::ends_within(std::int64_t limit_ms) const noexcept {
  const UniqueFd alive(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (!alive) return true;
  pollfd waited{alive.get(), POLLIN, 0};
  return ::poll(&waited, 1, static_cast<int>(limit_ms)) > 0;
}

// The status as waitpid tells it.
int ChildProcess::reap() noexcept {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  return status;
}

std::optional<int> ChildProcess::take_status() noexcept {
  VS_ASSERT(pid_ != 0);
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  pid_ = 0;
  return status;
}

ChildProcess::End ChildProcess::wait(std::int64_t limit_ms, const BreakOff& stop) {
  using std::chrono::steady_clock;
  VS_ASSERT(pid_ != 0);
  const auto deadline = steady_clock::now() + std::chrono::milliseconds(limit_ms);
  const UniqueFd alive(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (!alive) return End::failed;
  End end = End::timed_out;
  for (;;) {
    pollfd waited{alive.get(), POLLIN, 0};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
    const std::int64_t wait_ms = std::clamp<std::int64_t>(left.count(), 0, stop_check_ms);
    if (::poll(&waited, 1, static_cast<int>(wait_ms)) > 0) {
      const int status = reap();
      end = WIFEXITED(status) && WEXITSTATUS(status) == 0 ? End::succeeded : End::failed;
      break;
    }
    if (stop.is_due()) end = End::stopped;
    if (end == End::stopped || left.count() <= 0) break;
  }
  return end;
}

}  // namespace videosync
