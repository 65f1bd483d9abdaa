#include "storage/files/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
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
// These sanitizers reserve terabytes of addresses, in our children, too.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool limits_memory = false;
#else
constexpr bool limits_memory = true;
#endif
constexpr std::int64_t kill_wait_ms = 1'000;
constexpr int lowest_priority = 19;
constexpr int modesty = 5;  // less priority than ours
// linux/ioprio.h, which Debian 12 does not ship for programs.
constexpr int ioprio_who_process = 1;
constexpr int ioprio_idle = 3 << 13;

int spawn(const ChildProcess::Order& order, pid_t& pid) {
  std::vector<char*> argv;
  for (const std::string& argument : order.arguments)
    argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, order.output, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (order.errors >= 0) {
    posix_spawn_file_actions_adddup2(&actions, order.errors, STDERR_FILENO);
  } else {
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  }
  const bool has_input = order.input >= 0;
  if (has_input) {
    posix_spawn_file_actions_adddup2(&actions, order.input, ChildProcess::input_fd);
  }
  posix_spawn_file_actions_addclosefrom_np(&actions, ChildProcess::input_fd + (has_input ? 1 : 0));

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  sigaddset(&signals, SIGPIPE);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  const int group = order.leads_group ? POSIX_SPAWN_SETPGROUP : 0;
  const int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | group;
  posix_spawnattr_setflags(&attributes, static_cast<short>(flags));

  const int error = ::posix_spawnp(&pid, argv[0], &actions, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

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

Result<ChildProcess> ChildProcess::start(const Order& order) {
  VS_ASSERT(!order.arguments.empty() && order.output >= 0);
  left_behind().reap_ended();
  pid_t pid = 0;
  if (const int error = spawn(order, pid); error != 0) {
    return fail_errno(order.arguments.front(), error);
  }
  return ChildProcess(pid, order.leads_group);
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
  ::kill(leads_group_ ? -pid_ : pid_, SIGKILL);
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

// Without these it works as well, only less modestly: what the system refuses is let pass.
void ChildProcess::step_back(std::uint64_t memory_bytes_max,
                             std::uint64_t file_bytes_max) const noexcept {
  VS_ASSERT(pid_ != 0);
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(pid_), lowest_priority);
  ::syscall(SYS_ioprio_set, ioprio_who_process, pid_, ioprio_idle);
  limit(memory_bytes_max, file_bytes_max);
}

void ChildProcess::step_aside(std::uint64_t memory_bytes_max,
                              std::uint64_t file_bytes_max) const noexcept {
  VS_ASSERT(pid_ != 0);
  const int priority = std::min(::getpriority(PRIO_PROCESS, 0) + modesty, lowest_priority);
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(pid_), priority);
  limit(memory_bytes_max, file_bytes_max);
}

void ChildProcess::limit(std::uint64_t memory_bytes_max,
                         std::uint64_t file_bytes_max) const noexcept {
  const rlimit memory{memory_bytes_max, memory_bytes_max};
  if (limits_memory) ::prlimit(pid_, RLIMIT_AS, &memory, nullptr);
  const rlimit file{file_bytes_max, file_bytes_max};
  ::prlimit(pid_, RLIMIT_FSIZE, &file, nullptr);
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
