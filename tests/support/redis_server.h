// A real redis-server for a test: on a unix socket in a folder of its own, without persistence.
//
// Ended by its own process id when the object goes, also in the middle of a failing test's process.
#pragma once

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "storage/redis/link/redis_address.h"
#include "tests/support/temp_folder.h"

namespace videosync::test {

// A child that is killed with its owner, and with this process.
class RedisProcess {
 public:
  RedisProcess() = default;
  RedisProcess(const RedisProcess&) = delete;
  RedisProcess& operator=(const RedisProcess&) = delete;
  ~RedisProcess() { kill(); }

  void start(std::vector<std::string> words) {
    pid_ = ::fork();
    cr_assert_geq(pid_, 0);
    if (pid_ == 0) run(words);
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
  [[noreturn]] static void run(std::vector<std::string>& words) {
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

  pid_t pid_ = -1;
};

// Or another program that speaks as it does.
inline std::string redis_program() {
  const char* named = std::getenv("VIDEOSYNC_REDIS_SERVER");
  return named != nullptr && *named != '\0' ? named : "redis-server";
}

// Nobody listens on it at this moment.
inline std::uint16_t free_tcp_port() {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  cr_assert_eq(::bind(probe, reinterpret_cast<const sockaddr*>(&address), size), 0);
  ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(probe);
  return ntohs(address.sin_port);
}

class RedisServer {
 public:
  explicit RedisServer(std::vector<std::string> arguments = {}) : arguments_(std::move(arguments)) {
    start();
  }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  std::string socket_path() const { return folder_.path() + "/redis.sock"; }
  RedisAddress address() const { return {.unix_path = socket_path()}; }

  // Returns once it accepts connections.
  void start() {
    const std::string path = socket_path();
    ::unlink(path.c_str());
    std::vector<std::string> words{
        redis_program(), "--dir", folder_.path(), "--port", "0", "--unixsocket", path,
        "--save",        "",      "--appendonly", "no"};
    words.insert(words.end(), arguments_.begin(), arguments_.end());
    process_.start(std::move(words));
    for (int i = 0; i < 1'000 && !accepts(); ++i)
      ::usleep(5'000);
    cr_assert(accepts(), "redis-server did not start: is the package redis-server installed?");
  }
  void kill() { process_.kill(); }
  void pause() const { process_.pause(); }
  void resume() const { process_.resume(); }

 private:
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
  RedisProcess process_;  // gone before its folder
};

// A Sentinel of its own that watches one master, which it declares dead after half a second.
class SentinelServer {
 public:
  SentinelServer(const std::string& master_name, std::uint16_t master_port)
      : port_(free_tcp_port()) {
    const std::string master = master_name + " ";
    folder_.write("sentinel.conf", "port " + std::to_string(port_) + "\nbind 127.0.0.1\ndir " +
                                       folder_.path() + "\nsentinel monitor " + master +
                                       "127.0.0.1 " + std::to_string(master_port) +
                                       " 1\nsentinel down-after-milliseconds " + master +
                                       "500\nsentinel failover-timeout " + master + "2000\n");
    process_.start({redis_program(), folder_.path() + "/sentinel.conf", "--sentinel"});
  }
  std::uint16_t port() const noexcept { return port_; }

 private:
  const std::uint16_t port_;
  TempFolder folder_;
  RedisProcess process_;
};

}  // namespace videosync::test
