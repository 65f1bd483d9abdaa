// The side of the process that asks. What helpers do is in file_helper_process.cpp.
#include "storage/files/file_helpers.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/base/assert.h"
#include "storage/files/file_helper_process.h"

namespace videosync {

namespace {

// Room for more numbers than a process has descriptors; a smaller pipe only means more rounds.
constexpr int closes_pipe_bytes = 1 << 20;

int lane_index(FileHelpers::Lane lane) noexcept {
  return static_cast<int>(lane);
}

}  // namespace

Result<std::unique_ptr<FileHelpers>> FileHelpers::start(HelperTerms terms) {
  std::unique_ptr<FileHelpers> helpers(new FileHelpers(std::move(terms)));
  if (auto prepared = helpers->prepare(); !prepared) return std::unexpected(prepared.error());
  if (auto started = helpers->start_all(); !started) return std::unexpected(started.error());
  return helpers;
}

Result<> FileHelpers::prepare() {
  std::array<int, 2> made{};
  for (Ends& ends : requests_) {
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, made.data()) != 0) {
      return fail_errno("make the sockets to the file helpers (raise `ulimit -n`)", errno);
    }
    ends = {UniqueFd(made[0]), UniqueFd(made[1])};
    ::fcntl(ends[0].get(), F_SETFL, O_NONBLOCK);
  }
  if (::pipe2(made.data(), O_CLOEXEC) != 0) {
    return fail_errno("make the pipe to the file helpers (raise `ulimit -n`)", errno);
  }
  closes_ = {UniqueFd(made[1]), UniqueFd(made[0])};
  ::fcntl(closes_[0].get(), F_SETFL, O_NONBLOCK);
  ::fcntl(closes_[0].get(), F_SETPIPE_SZ, closes_pipe_bytes);
  void* const memory = ::mmap(nullptr, sizeof(CloseProgress), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return fail_errno("make memory for the file helpers", errno);
  progress_ = new (memory) CloseProgress;
  return {};
}

Result<> FileHelpers::start_all() {
  auto spawner = Spawner::start(terms_.programs);
  if (!spawner) return std::unexpected(spawner.error());
  spawner_ = std::move(*spawner);
  const auto start_several = [this](std::size_t count, FileHelperProcess process) -> Result<> {
    for (std::size_t i = 0; i < count; ++i) {
      if (auto started = start_process(process); !started) return started;
    }
    return {};
  };
  const int serving = requests_[lane_index(Lane::serving)][1].get();
  const int scanning = requests_[lane_index(Lane::scanning)][1].get();
  for (const auto& [count, process] :
       {std::pair{serving_helpers, FileHelperProcess{&serve_file_requests, serving, nullptr}},
        std::pair{scanning_helpers, FileHelperProcess{&serve_file_requests, scanning, nullptr}},
        std::pair{std::size_t{1},
                  FileHelperProcess{&close_descriptors, closes_[1].get(), progress_}},
        std::pair{std::size_t{1},
                  FileHelperProcess{&keep_descriptors, closes_[0].get(), nullptr}}}) {
    if (auto started = start_several(count, process); !started) return started;
  }
  return {};
}

// Like fork(), but for the descriptors. The C library's own fork() cannot share them; what it would
// do besides, a process that is still alone and a child that starts no threads can go without.
Result<> FileHelpers::start_process(const FileHelperProcess& process) {
  const pid_t parent = ::getpid();
  const long pid = ::syscall(SYS_clone, CLONE_FILES | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
  if (pid < 0)
    return fail_errno("start a file helper (raise `ulimit -u` or the service's TasksMax)", errno);
  if (pid == 0) run_file_helper(process, terms_, parent);
  processes_.push_back(static_cast<pid_t>(pid));
  return {};
}

FileHelpers::~FileHelpers() {
  for (const pid_t pid : processes_) {
    ::kill(pid, SIGKILL);
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  if (progress_ != nullptr) ::munmap(progress_, sizeof(CloseProgress));
}

bool FileHelpers::ask(Lane lane, const FileRequest& request) noexcept {
  if (lane == Lane::serving) {
    const bool is_full = serving_requests_.fetch_add(1) >= serving_requests_max ||
                         closes_pending() > closes_pending_max;
    if (is_full) {
      --serving_requests_;
      return false;
    }
  }
  const std::size_t length = offsetof(FileRequest, path) + std::strlen(request.path) + 1;
  const ssize_t sent = ::send(requests_[lane_index(lane)][0].get(), &request, length, MSG_NOSIGNAL);
  if (sent == static_cast<ssize_t>(length)) return true;
  if (lane == Lane::serving) --serving_requests_;
  return false;
}

void FileHelpers::settle(Lane lane) noexcept {
  if (lane != Lane::serving) return;
  VS_ASSERT(serving_requests_ > 0);
  --serving_requests_;
}

void FileHelpers::close_later(int descriptor) noexcept {
  VS_ASSERT(descriptor >= 0);
  ++closes_asked_;
  const std::lock_guard lock(mutex_);
  unclosed_.push_back(descriptor);
  hand_over_closes();
}

bool FileHelpers::tend() noexcept {
  {
    const std::lock_guard lock(mutex_);
    hand_over_closes();
  }
  return std::erase_if(processes_,
                       [](pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) == pid; }) == 0;
}

// In one write each, so that the pipe never holds a part of a number.
void FileHelpers::hand_over_closes() {
  std::size_t handed_over = 0;
  for (const int descriptor : unclosed_) {
    if (::write(closes_[0].get(), &descriptor, sizeof descriptor) != sizeof descriptor) break;
    ++handed_over;
  }
  unclosed_.erase(unclosed_.begin(), unclosed_.begin() + static_cast<std::ptrdiff_t>(handed_over));
}

std::uint64_t FileHelpers::closes_pending() const noexcept {
  return closes_asked_ - progress_->closed;
}

}  // namespace videosync
