// The helpers: what others see of the process that they help, once that has gone.
#include "storage/media/file_helpers.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <utility>

using namespace videosync;

namespace {

struct Pair {
  UniqueFd ours, theirs;
};

Pair make_pipe() {
  std::array<int, 2> ends{};
  cr_assert_eq(::pipe2(ends.data(), O_CLOEXEC), 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// One that ends as soon as it has helpers, while another process, as a helper that hangs would,
// still holds its descriptors: tells which.
[[noreturn]] void be_helped_briefly(UniqueFd pipe) {
  const auto holder = static_cast<pid_t>(
      ::syscall(SYS_clone, CLONE_FILES | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
  while (holder == 0)
    ::pause();
  const bool is_told = ::write(pipe.get(), &holder, sizeof holder) == sizeof holder;
  const auto helpers = FileHelpers::start();
  if (!is_told || !helpers) ::_exit(1);
  ::kill(::getpid(), SIGKILL);
  ::_exit(1);
}

}  // namespace

Test(file_helpers, the_keeper_keeps_from_its_start) {
  auto [news, pipe] = make_pipe();
  const pid_t helped = ::fork();
  cr_assert_geq(helped, 0);
  if (helped == 0) be_helped_briefly(std::move(pipe));
  pipe.reset();
  pid_t holder = 0;
  cr_assert_eq(::read(news.get(), &holder, sizeof holder), sizeof holder);
  int status = 0;
  ::waitpid(helped, &status, 0);
  cr_assert(WIFSIGNALED(status), "it had helpers");
  pollfd end{news.get(), POLLIN, 0};
  const int seen = ::poll(&end, 1, 10'000);
  ::kill(holder, SIGKILL);
  cr_assert_eq(seen, 1, "the pipe's end is seen");
}
