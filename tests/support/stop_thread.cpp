// Stops one thread of another process, which no signal can do. It goes on when this one ends.
//
// Usage: stop_thread THREAD. Prints "stopped" when it stands.
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  const auto thread = static_cast<pid_t>(argc > 1 ? std::atoi(argv[1]) : 0);
  int status = 0;
  if (::ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0 ||
      ::ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr) != 0 ||
      ::waitpid(thread, &status, __WALL) != thread || !WIFSTOPPED(status)) {
    std::perror("stop_thread");
    return 1;
  }
  std::puts("stopped");
  std::fflush(stdout);
  for (;;)
    ::pause();
}
