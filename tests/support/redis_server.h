// A real redis-server for a test: on a unix socket in a folder of its own, without persistence.
//
// Ended by its own process id when the object goes, also in the middle of a failing test's process.
#pragma once

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "tests/support/temp_folder.h"

namespace videosync::test {

class RedisServer {
 public:
  explicit RedisServer(std::vector<std::string> arguments = {}) : arguments_(std::move(arguments)) {
    start();
  }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;
  ~RedisServer() { kill(); }

  std::string socket_path() const { return folder_.path() + "/redis.sock"; }

  // Returns once it accepts connections.
  void start() {
    const std::string path = socket_path();
    ::unlink(path.c_str());
    std::vector<std::string> words{
        "redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no"};
    words.insert(words.end(), arguments_.begin(), arguments_.end());
    pid_ = ::fork();
    cr_assert_geq(pid_, 0);
    if (pid_ == 0) run(words);
    for (int i = 0; i < 1'000 && !accepts(); ++i)
      ::usleep(5'000);
    cr_assert(accepts(), "redis-server did not start: is the package redis-server installed?");
  }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  void pause() const { ::kill(pid_, SIGSTOP); }
  void resume() const { ::kill(pid_, SIGCONT); }

 private:
  [[noreturn]] void run(std::vector<std::string>& words) const {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int nothing = ::open("/dev/null", O_RDWR);
    ::dup2(nothing, STDOUT_FILENO);
    ::dup2(nothing, STDERR_FILENO);
    std::vector<char*> argv;
    for (std::string& word : words)
      argv.push_back(word.data());
    argv.push_back(nullptr);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }

  bool accepts() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = socket_path();
    std::memcpy(address.sun_path, path.data(), path.size());
    const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool is_up =
        ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(probe);
    return is_up;
  }

  TempFolder folder_;
  const std::vector<std::string> arguments_;
  pid_t pid_ = -1;
};

}  // namespace videosync::test
