// Children that are started, killed and left behind.
#include "storage/files/child_process.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <memory>
#include <string>

#include "core/base/unique_fd.h"
#include "storage/files/spawner.h"

using namespace videosync;

namespace {

UniqueFd nowhere() {
  return UniqueFd(::open("/dev/null", O_WRONLY | O_CLOEXEC));
}

// As /proc has it: 'Z' for one that has ended and whose status nobody has taken; 0: there is none.
char state_of(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const std::size_t at = text.rfind(") ");
  return at == text.npos ? '\0' : text[at + 2];
}

// A process that has another one stand still at its very end, as one that gets no processor does,
// until it is let go. 0: the kernel lets nobody do that here.
pid_t hold_at_its_end(pid_t pid, int ready) {
  const pid_t holder = ::fork();
  if (holder != 0) return holder;
  const bool holds = ::ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEEXIT) == 0;
  const char word = holds ? 'y' : 'n';
  if (::write(ready, &word, 1) != 1) ::_exit(1);
  for (;;)
    ::pause();
}

void let_go(pid_t holder) {
  ::kill(holder, SIGKILL);
  ::waitpid(holder, nullptr, 0);
}

Spawner& spawner() {
  static const std::unique_ptr<Spawner> started = Spawner::start({}).value();
  return *started;
}

void run_to_its_end(const char* program) {
  const UniqueFd output = nowhere();
  auto child = ChildProcess::start(spawner(), {.words = {program}, .output = output.get()});
  cr_assert(child);
  cr_assert_eq(child->wait(10'000, BreakOff{}), ChildProcess::End::succeeded);
}

}  // namespace

Test(child_process, one_that_is_not_waited_for_is_killed_and_gone) {
  const UniqueFd output = nowhere();
  pid_t pid = 0;
  {
    auto child = ChildProcess::start(spawner(), {.words = {"sleep", "60"}, .output = output.get()});
    cr_assert(child);
    pid = child->pid();
    cr_assert_eq(::kill(pid, 0), 0);
  }
  cr_assert_eq(state_of(pid), '\0');
}

Test(child_process, one_that_dies_slowly_does_not_stay_in_the_kernels_table) {
  const UniqueFd output = nowhere();
  int ready[2];
  cr_assert_eq(::pipe(ready), 0);
  pid_t pid = 0;
  pid_t holder = 0;
  {
    auto child = ChildProcess::start(spawner(), {.words = {"sleep", "60"}, .output = output.get()});
    cr_assert(child);
    pid = child->pid();
    holder = hold_at_its_end(pid, ready[1]);
    char word = 0;
    cr_assert_eq(::read(ready[0], &word, 1), 1);
    if (word != 'y') {
      let_go(holder);
      cr_skip_test("no process may be traced here");
    }
  }  // its end is not there within a second
  cr_assert_neq(state_of(pid), '\0');
  cr_assert_neq(state_of(pid), 'Z');
  let_go(holder);
  while (state_of(pid) != 'Z')
    ::usleep(1'000);
  run_to_its_end("true");
  cr_assert_eq(state_of(pid), '\0', "it is in the state %c", state_of(pid));
}
