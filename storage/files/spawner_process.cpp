#include "storage/files/spawner_process.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>

#include "core/base/byte_codec.h"
#include "core/base/unique_fd.h"
#include "storage/files/child_confinement.h"

namespace videosync {

namespace {

// These sanitizers reserve terabytes of addresses, in our children, too.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool limits_memory = false;
#else
constexpr bool limits_memory = true;
#endif
constexpr int lowest_priority = 19;
constexpr int modesty = 5;  // less priority than ours
// linux/ioprio.h, which Debian 12 does not ship for programs.
constexpr int ioprio_who_process = 1;
constexpr int ioprio_idle = 3 << 13;
constexpr std::uint32_t words_max = 1'000;

// Of descriptors: those below are a program's; what is received gets numbers from here on.
constexpr int first_received = 16;

struct Ordered {
  SpawnKind kind = SpawnKind::program;
  SpawnOrder order;  // with descriptors of this process
  int report = -1;
};

std::vector<int> received_descriptors(msghdr& header) {
  std::vector<int> received;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    received.resize((part->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    std::memcpy(received.data(), CMSG_DATA(part), received.size() * sizeof(int));
  }
  return received;
}

// Nullopt: it makes no sense.
std::optional<Ordered> read_order(std::string_view message, const std::vector<int>& descriptors) {
  Ordered ordered;
  auto next = descriptors.begin();
  const auto take = [&] { return next == descriptors.end() ? -1 : *next++; };
  ByteReader reader(message);
  ordered.kind = reader.get_enum(SpawnKind::successor);
  ordered.report = take();
  ordered.order.output = take();
  if (ordered.report < 0 || ordered.order.output < 0) return std::nullopt;
  if (ordered.kind == SpawnKind::successor) return ordered;
  SpawnOrder& order = ordered.order;
  for (int* const optional : {&order.errors, &order.input, &order.reads, &order.writes})
    if (reader.get_flag()) *optional = take();
  order.precedence = reader.get_enum(Precedence::back);
  order.memory_bytes_max = reader.get<std::uint64_t>();
  order.file_bytes_max = reader.get<std::uint64_t>();
  const std::uint32_t words = std::min(reader.get<std::uint32_t>(), words_max);
  for (std::uint32_t i = 0; i < words; ++i)
    order.words.push_back(reader.get_bytes(spawn_message_bytes_max));
  if (order.words.empty() || order.words.front().empty()) return std::nullopt;
  return ordered;
}

std::optional<Ordered> receive_order(int channel) {
  static std::array<char, spawn_message_bytes_max> bytes;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(spawn_descriptors_max * sizeof(int))> control{};
  iovec part{bytes.data(), bytes.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const ssize_t length = ::recvmsg(channel, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (length <= 0) return std::nullopt;
  return read_order({bytes.data(), static_cast<std::size_t>(length)}, received_descriptors(header));
}

// --- In the new process --------------------------------------------------------------------------

// As execvp() would find it. Empty: it is not there.
std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* const variable = std::getenv("PATH");
  std::string_view rest = variable == nullptr ? "/usr/bin:/bin" : variable;
  for (;;) {
    const std::size_t end = rest.find(':');
    const std::string folder(rest.substr(0, end));
    std::string path = (folder.empty() ? "." : folder) + "/" + name;
    if (::access(path.c_str(), X_OK) == 0) return path;
    if (end == std::string_view::npos) return {};
    rest = rest.substr(end + 1);
  }
}

std::vector<char*> pointers_to_words(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (const std::string& word : words)
    pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// However the server goes, its programs go with it.
void end_with_server(pid_t helped) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != helped) ::_exit(0);
}

void fresh_signals() {
  for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGXFSZ})
    ::signal(number, SIG_DFL);
}

bool take_streams(const SpawnOrder& order) {
  const UniqueFd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const int errors = order.errors >= 0 ? order.errors : nothing.get();
  return ::dup2(nothing.get(), STDIN_FILENO) >= 0 && ::dup2(order.output, STDOUT_FILENO) >= 0 &&
         ::dup2(errors, STDERR_FILENO) >= 0 &&
         (order.input < 0 || ::dup2(order.input, spawn_input_fd) >= 0);
}

// What the system refuses of this is let pass: the program works as well, only less modestly.
void take_place(const SpawnOrder& order) {
  ::setpgid(0, 0);
  if (order.precedence == Precedence::aside) {
    const int priority = std::min(::getpriority(PRIO_PROCESS, 0) + modesty, lowest_priority);
    ::setpriority(PRIO_PROCESS, 0, priority);
  }
  if (order.precedence == Precedence::back) {
    ::setpriority(PRIO_PROCESS, 0, lowest_priority);
    ::syscall(SYS_ioprio_set, ioprio_who_process, 0, ioprio_idle);
  }
  const rlimit memory{order.memory_bytes_max, order.memory_bytes_max};
  if (limits_memory && memory.rlim_max > 0) ::setrlimit(RLIMIT_AS, &memory);
  const rlimit file{order.file_bytes_max, order.file_bytes_max};
  if (file.rlim_max > 0) ::setrlimit(RLIMIT_FSIZE, &file);
}

// Returns the errno where it cannot be run.
int run_program(const SpawnerTerms& terms, const SpawnOrder& order, pid_t helped) {
  end_with_server(helped);
  fresh_signals();
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (!take_streams(order)) return errno;
  const std::string path = find_program(order.words.front());
  if (path.empty()) return ENOENT;
  take_place(order);
  const std::array<int, 2> reads{order.input, order.reads};
  if (terms.confines) confine_child({.program = path, .reads = reads, .writes = order.writes});
  ::execv(path.c_str(), pointers_to_words(order.words).data());
  return errno;
}

int run_successor(const SpawnerTerms& terms, int channel) {
  fresh_signals();
  if (::dup2(channel, spawn_input_fd) < 0) return errno;
  std::vector<std::string> environment = terms.successor_environment;
  for (char** variable = environ; *variable != nullptr; ++variable)
    environment.emplace_back(*variable);
  ::execve(terms.successor.c_str(), pointers_to_words(terms.successor_words).data(),
           pointers_to_words(environment).data());
  return errno;
}

bool is_meant(const SpawnerTerms& terms, const Ordered& ordered) {
  if (ordered.kind == SpawnKind::successor) return !terms.successor.empty();
  return terms.programs.empty() ||
         std::ranges::find(terms.programs, ordered.order.words.front()) != terms.programs.end();
}

// Into a pipe that is empty. Whoever has gone needs to hear nothing.
void tell(int pipe, const void* bytes, std::size_t length) {
  const ssize_t written = ::write(pipe, bytes, length);
  static_cast<void>(written);
}

// `taken` is told when the order is no longer there to be seen by the spawner, and whether it is
// carried out. Nothing that was received is closed: that may wait for a film's storage. The
// program's start closes it, the report first, so that nobody here waits with it.
[[noreturn]] void become_program(const SpawnerTerms& terms, int channel, int taken, pid_t helped) {
  const auto ordered = receive_order(channel);
  const int refusal = !ordered ? EINVAL : is_meant(terms, *ordered) ? 0 : EACCES;
  tell(taken, &refusal, sizeof refusal);
  if (refusal != 0) ::_exit(127);
  const bool is_program = ordered->kind == SpawnKind::program;
  const int error = is_program ? run_program(terms, ordered->order, helped)
                               : run_successor(terms, ordered->order.output);
  tell(ordered->report, &error, sizeof error);
  ::_exit(127);
}

// --- In the spawner ------------------------------------------------------------------------------

// An order that nobody has taken.
void drop_order(int channel) {
  char any = 0;
  static_cast<void>(::recv(channel, &any, sizeof any, MSG_DONTWAIT));
}

// The new process is a child of our parent: that one waits for it. It takes the order itself, so
// that the spawner never has a film's descriptor.
SpawnAnswer serve_order(const SpawnerTerms& terms, int channel, pid_t helped) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {.error = errno};
  const UniqueFd taken(ends[0]);
  UniqueFd takes(ends[1]);
  const long pid = ::syscall(SYS_clone, CLONE_PARENT | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
  if (pid < 0) return {.error = errno};
  if (pid == 0) become_program(terms, channel, takes.get(), helped);
  takes.reset();
  SpawnAnswer answer{.pid = static_cast<std::int32_t>(pid)};
  ssize_t length = 0;
  do {
    length = ::read(taken.get(), &answer.error, sizeof answer.error);
  } while (length < 0 && errno == EINTR);
  if (length != sizeof answer.error) answer.error = ECHILD;  // killed at once
  return answer;
}

bool has_order(int channel) {
  char any = 0;
  ssize_t length = 0;
  do {
    length = ::recv(channel, &any, sizeof any, MSG_PEEK);
  } while (length < 0 && errno == EINTR);
  return length > 0;
}

// All numbers that a program gets are taken, so that none of what is received has one.
int keep_only(int channel) {
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  const int moved = ::fcntl(channel, F_DUPFD_CLOEXEC, first_received);
  for (int number = STDERR_FILENO + 1; number < first_received; ++number)
    if (number != nothing) ::dup3(nothing, number, O_CLOEXEC);
  for (unsigned number = first_received; number < static_cast<unsigned>(moved); ++number)
    UniqueFd(static_cast<int>(number)).reset();
  ::close_range(static_cast<unsigned>(moved) + 1, UINT_MAX, 0);
  return moved;
}

}  // namespace

void run_spawner(const SpawnerTerms& terms, int channel, pid_t helped) {
  ::prctl(PR_SET_NAME, "videosync-spawn");
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != helped) ::_exit(0);
  const int kept = keep_only(channel);
  while (kept >= 0 && has_order(kept)) {
    const SpawnAnswer answer = serve_order(terms, kept, helped);
    if (answer.error != 0) drop_order(kept);
    while (::send(kept, &answer, sizeof answer, MSG_NOSIGNAL) < 0 && errno == EINTR) {
    }
  }
  ::_exit(0);
}

}  // namespace videosync
