#include "bench/support/server_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string_view>
#include <thread>
#include <utility>

namespace videosync::bench {

namespace {

constexpr int start_timeout_ms = 10'000;
constexpr int stop_timeout_ms = 5'000;
constexpr std::string_view listening_mark = "listening on 127.0.0.1:";

[[noreturn]] void become_server(const std::string& binary, std::vector<std::string>& arguments,
                                int core, int output) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(output, STDOUT_FILENO);
  if (core >= 0) pin_to_core(core);
  std::vector<char*> argv{const_cast<char*>(binary.c_str())};
  for (std::string& argument : arguments)
    argv.push_back(argument.data());
  argv.push_back(nullptr);
  ::execv(binary.c_str(), argv.data());
  ::_exit(127);
}

// Reads the server's output up to the line that names its port; 0 when it ends or takes too long.
std::uint16_t read_port(int output) {
  std::string text;
  pollfd readable{.fd = output, .events = POLLIN, .revents = 0};
  while (::poll(&readable, 1, start_timeout_ms) > 0) {
    std::array<char, 512> part;
    const ssize_t n = ::read(output, part.data(), part.size());
    if (n <= 0) return 0;
    text.append(part.data(), static_cast<std::size_t>(n));
    const auto mark = text.find(listening_mark);
    if (mark == std::string::npos || text.find('\n', mark) == std::string::npos) continue;
    return static_cast<std::uint16_t>(
        std::strtoul(&text[mark + listening_mark.size()], nullptr, 10));
  }
  return 0;
}

std::string field_of(std::string_view json, std::string_view name) {
  const std::string key = "\"" + std::string(name) + "\":\"";
  const auto start = json.find(key);
  if (start == std::string_view::npos) return {};
  const auto end = json.find('"', start + key.size());
  return std::string(json.substr(start + key.size(), end - start - key.size()));
}

}  // namespace

Result<ServerProcess> ServerProcess::start(const std::string& binary,
                                           std::vector<std::string> arguments, int core) {
  if (::access(binary.c_str(), X_OK) != 0) return fail_errno("cannot run " + binary, errno);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("pipe", errno);
  ServerProcess server;
  server.output_ = ends[0];
  server.pid_ = ::fork();
  if (server.pid_ == 0) become_server(binary, arguments, core, ends[1]);
  ::close(ends[1]);
  if (server.pid_ < 0) return fail_errno("fork", errno);
  server.port_ = read_port(ends[0]);
  if (server.port_ == 0) return fail(ErrorCode::unavailable, binary + " did not begin to listen");
  return server;
}

ServerProcess::ServerProcess(ServerProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      output_(std::exchange(other.output_, -1)),
      port_(other.port_) {}

ServerProcess::~ServerProcess() {
  if (output_ >= 0) ::close(output_);
  if (pid_ <= 0) return;
  ::kill(pid_, SIGTERM);
  for (int waited_ms = 0; waited_ms < stop_timeout_ms; waited_ms += 20) {
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool ServerProcess::is_alive() const noexcept {
  return ::waitpid(pid_, nullptr, WNOHANG) == 0;
}

CpuTime ServerProcess::cpu_time() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/stat");
  std::string line;
  std::getline(file, line);
  // Behind the name in parentheses: state is field 3, utime 14, stime 15.
  std::istringstream fields(line.substr(line.rfind(')') + 2));
  std::string skipped;
  for (int i = 3; i < 14; ++i)
    fields >> skipped;
  std::int64_t user = 0;
  std::int64_t system = 0;
  fields >> user >> system;
  const std::int64_t tick_us = 1'000'000 / ::sysconf(_SC_CLK_TCK);
  return {user * tick_us, system * tick_us};
}

ProcessMemory ServerProcess::memory() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/smaps_rollup");
  ProcessMemory memory;
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::string name;
    std::int64_t kib = 0;
    fields >> name >> kib;
    if (name == "Rss:") memory.resident = kib * 1024;
    if (name == "Pss:") memory.proportional = kib * 1024;
    if (name == "Anonymous:") memory.anonymous = kib * 1024;
  }
  return memory;
}

KernelMemory kernel_memory() {
  KernelMemory memory;
  std::ifstream slabs("/proc/slabinfo");
  std::string line;
  while (std::getline(slabs, line)) {
    std::istringstream fields(line);
    std::string name;
    std::int64_t active = 0;
    std::int64_t total = 0;
    std::int64_t object_bytes = 0;
    fields >> name >> active >> total >> object_bytes;
    const bool counts = name == "TCP" || name == "sock_inode_cache" || name == "filp" ||
                        name == "io_kiocb" || name == "dentry";
    if (counts) memory.slabs += active * object_bytes;
  }
  std::ifstream sockets("/proc/net/sockstat");
  while (std::getline(sockets, line)) {
    const auto mark = line.find(" mem ");
    if (!line.starts_with("TCP:") || mark == std::string::npos) continue;
    memory.socket_pages = std::atoll(&line[mark + 5]) * ::sysconf(_SC_PAGESIZE);
  }
  return memory;
}

Result<CreatedSession> create_session(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return fail_errno("socket", errno);
  std::string answer;
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    constexpr std::string_view request =
        "POST /api/sessions HTTP/1.1\r\nHost: bench\r\nContent-Length: 0\r\nConnection: "
        "close\r\n\r\n";
    ::send(socket, request.data(), request.size(), MSG_NOSIGNAL);
    std::array<char, 2048> part;
    for (ssize_t n = 0; (n = ::recv(socket, part.data(), part.size(), 0)) > 0;)
      answer.append(part.data(), static_cast<std::size_t>(n));
  }
  ::close(socket);
  CreatedSession session{field_of(answer, "key"), field_of(answer, "hostToken")};
  if (session.key.empty()) {
    return fail(ErrorCode::unavailable, "the server made no session: " + answer);
  }
  return session;
}

int core_count() noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  ::sched_getaffinity(0, sizeof set, &set);
  return CPU_COUNT(&set);
}

void pin_to_core(int core) noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(core), &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

std::uint64_t raise_descriptor_limit() noexcept {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

}  // namespace videosync::bench
