#include "server/succession/successor.h"

#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "server/succession/predecessor.h"

namespace videosync {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds offer_wait{1'000};
constexpr int channel_fd = 3;           // in the successor
constexpr int leaving_wait_ms = 1'000;  // from the end of its channel to its own

Result<> say_offer(SuccessionChannel& channel, std::span<const OfferedListener> listeners,
                   const Predecessor::Offer& offered) {
  const auto deadline = steady_clock::now() + offer_wait;
  for (const OfferedListener& listener : listeners) {
    std::span<const int> rest(listener.descriptors);
    while (!rest.empty()) {
      const auto some = rest.first(std::min(rest.size(), SuccessionChannel::descriptors_max));
      auto sent = channel.send(SuccessionWord::listener, listener.address, deadline, some);
      if (!sent) return sent;
      rest = rest.subspan(some.size());
    }
  }
  return channel.send(SuccessionWord::offered, Predecessor::encode(offered), deadline);
}

}  // namespace

Launch own_launch(int argc, char** argv) {
  std::error_code error;
  Launch launch{.program = std::filesystem::read_symlink("/proc/self/exe", error), .arguments = {}};
  launch.arguments.assign(argv, argv + argc);
  if (error) launch.program = launch.arguments.front();
  return launch;
}

std::string Successor::environment_of_channel() {
  return fmt::format("{}={}", Predecessor::variable, channel_fd);
}

Result<std::unique_ptr<Successor>> Successor::start(Spawner& spawner,
                                                    std::span<const OfferedListener> listeners,
                                                    const Predecessor::Offer& offer) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return fail_errno("a socket for the successor (raise `ulimit -n`)", errno);
  }
  SuccessionChannel ours{UniqueFd(ends[0])};
  UniqueFd theirs(ends[1]);
  const auto pid = spawner.spawn_successor(theirs.get());
  if (!pid) return std::unexpected(pid.error());
  theirs.reset();  // its end is noticed here
  std::unique_ptr<Successor> successor(new Successor(std::move(ours), *pid));
  if (const auto offered = say_offer(successor->channel_, listeners, offer); !offered) {
    return std::unexpected(successor->explained(offered.error()));
  }
  return successor;
}

Successor::~Successor() {
  if (!is_released_) end();
}

// It need not end by itself, though its channel has. Returns the status as waitpid tells it.
int Successor::end() noexcept {
  if (pid_ == 0) return 0;
  const UniqueFd alive(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  pollfd waited{alive.get(), POLLIN, 0};
  const bool has_left = is_leaving_ && alive && ::poll(&waited, 1, leaving_wait_ms) > 0;
  if (!has_left) ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  return status;
}

// Where it has ended by itself, that and how.
Error Successor::explained(const Error& error) noexcept {
  if (error.code != ErrorCode::unavailable || pid_ == 0) return error;
  is_leaving_ = true;
  const int status = end();
  return {error.code,
          WIFSIGNALED(status) ? fmt::format("it was ended by signal {}", WTERMSIG(status))
                              : fmt::format("it ended with status {}; what it said of it stands in "
                                            "the log",
                                            WEXITSTATUS(status)),
          0};
}

Result<> Successor::hear_ready() {
  const auto ready = channel_.receive(SuccessionWord::ready, steady_clock::now() + offer_wait);
  if (!ready) return std::unexpected(explained(ready.error()));
  return {};
}

Result<> Successor::send_sessions(std::string_view sessions, SuccessionChannel::Deadline deadline) {
  const auto sent = channel_.send(SuccessionWord::sessions, sessions, deadline);
  if (!sent) return std::unexpected(explained(sent.error()));
  return {};
}

Result<> Successor::hear_serving(SuccessionChannel::Deadline deadline) {
  const auto serving = channel_.receive(SuccessionWord::serving, deadline);
  if (!serving) return std::unexpected(explained(serving.error()));
  return {};
}

void Successor::release() noexcept {
  VS_ASSERT(!is_released_);
  is_released_ = true;
  const auto told = channel_.send(SuccessionWord::released, "", steady_clock::now() + offer_wait);
  if (!told) log_debug("main", "it goes on after a while", field("why", told.error().message));
}

}  // namespace videosync
