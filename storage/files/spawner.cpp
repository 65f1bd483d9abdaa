// The side of the process that asks. What the spawner does is in spawner_process.cpp.
#include "storage/files/spawner.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "core/base/assert.h"
#include "core/base/byte_codec.h"
#include "storage/files/spawner_process.h"

namespace videosync {

namespace {

bool send_order(int channel, const std::string& message, const std::vector<int>& descriptors) {
  VS_ASSERT(message.size() <= spawn_message_bytes_max);
  VS_ASSERT(!descriptors.empty() && descriptors.size() <= spawn_descriptors_max);
  const std::size_t bytes = descriptors.size() * sizeof(int);
  alignas(cmsghdr) std::array<char, CMSG_SPACE(spawn_descriptors_max * sizeof(int))> control{};
  iovec part{const_cast<char*>(message.data()), message.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = CMSG_SPACE(bytes);
  cmsghdr* const rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(bytes);
  std::memcpy(CMSG_DATA(rights), descriptors.data(), bytes);
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(channel, &header, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(message.size());
}

// 0: the program runs, for its end of the pipe closed when it began.
int reported_error(int report) {
  int error = 0;
  ssize_t length = 0;
  do {
    length = ::read(report, &error, sizeof error);
  } while (length < 0 && errno == EINTR);
  return length == sizeof error ? error : 0;
}

void reap_process(pid_t pid) {
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace

// Like fork(): see FileHelpers::start_process().
Result<std::unique_ptr<Spawner>> Spawner::start(SpawnerTerms terms) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return fail_errno("make the socket to the spawner (raise `ulimit -n`)", errno);
  }
  UniqueFd ours(ends[0]);
  const UniqueFd theirs(ends[1]);
  const pid_t parent = ::getpid();
  const long pid = ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr);
  if (pid < 0)
    return fail_errno("start the spawner (raise `ulimit -u` or the service's TasksMax)", errno);
  if (pid == 0) run_spawner(terms, theirs.get(), parent);
  return std::unique_ptr<Spawner>(
      new Spawner(std::move(ours), static_cast<pid_t>(pid), std::move(terms.successor)));
}

Spawner::~Spawner() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  reap_process(pid_);
}

bool Spawner::tend() noexcept {
  if (pid_ == 0 || ::waitpid(pid_, nullptr, WNOHANG) != pid_) return true;
  pid_ = 0;
  return false;
}

Result<pid_t> Spawner::spawn(const SpawnOrder& order) {
  VS_ASSERT(!order.words.empty() && order.output >= 0);
  ByteWriter message;
  message.put(static_cast<std::uint8_t>(SpawnKind::program));
  std::vector<int> descriptors{order.output};
  for (const int optional : {order.errors, order.input, order.reads, order.writes}) {
    message.put_flag(optional >= 0);
    if (optional >= 0) descriptors.push_back(optional);
  }
  message.put(static_cast<std::uint8_t>(order.precedence));
  message.put(order.memory_bytes_max);
  message.put(order.file_bytes_max);
  message.put(static_cast<std::uint32_t>(order.words.size()));
  for (const std::string& word : order.words)
    message.put_text(word);
  return ask(message.take_bytes(), std::move(descriptors), order.words.front());
}

Result<pid_t> Spawner::spawn_successor(int channel) {
  VS_ASSERT(channel >= 0);
  ByteWriter message;
  message.put(static_cast<std::uint8_t>(SpawnKind::successor));
  return ask(message.take_bytes(), {channel}, "start " + successor_);
}

Result<pid_t> Spawner::ask(const std::string& message, std::vector<int> descriptors,
                           const std::string& name) {
  if (message.size() > spawn_message_bytes_max) return fail_errno(name, E2BIG);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno(name, errno);
  const UniqueFd report(ends[0]);
  UniqueFd reporter(ends[1]);
  descriptors.insert(descriptors.begin(), reporter.get());
  SpawnAnswer answer;
  {
    const std::lock_guard lock(mutex_);
    ssize_t length = -1;
    if (send_order(channel_.get(), message, descriptors)) {
      do {
        length = ::recv(channel_.get(), &answer, sizeof answer, 0);
      } while (length < 0 && errno == EINTR);
    }
    if (length != sizeof answer) {
      return fail(ErrorCode::io, name + ": the process that starts programs has ended");
    }
  }
  reporter.reset();
  const int error = answer.error != 0 ? answer.error : reported_error(report.get());
  if (error == 0) return answer.pid;
  if (answer.pid > 0) reap_process(answer.pid);
  return fail_errno(name, error);
}

}  // namespace videosync
