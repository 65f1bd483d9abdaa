#include "storage/forms/form_run.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "core/base/text.h"

namespace videosync {

namespace {

// Frames of 4K in several threads; more than this is a file that means harm.
constexpr std::uint64_t memory_bytes_max = std::uint64_t{3} << 30;
constexpr std::uint64_t file_bytes_max = std::uint64_t{1} << 30;
constexpr std::size_t lines_bytes_max = 4 << 20;
constexpr std::size_t said_bytes_max = 4'096;

struct Pipe {
  UniqueFd ours;
  UniqueFd theirs;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno("a pipe", errno);
  Pipe pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
  ::fcntl(pipe.ours.get(), F_SETFL, O_NONBLOCK);
  return pipe;
}

}  // namespace

Result<FormRun> FormRun::start(Spawner& spawner, const Order& order) {
  const UniqueFd folder(::open(order.folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return fail_errno(order.folder, errno);
  auto output = make_pipe();
  if (!output) return std::unexpected(output.error());
  auto errors = make_pipe();
  if (!errors) return std::unexpected(errors.error());
  std::vector<std::string> arguments{order.program, order.words.front(),
                                     fmt::format("/dev/fd/{}", ChildProcess::input_fd)};
  arguments.insert(arguments.end(), order.words.begin() + 1, order.words.end());
  arguments.insert(arguments.end(), {"--parent", std::to_string(::getpid())});
  const auto child_precedence = order.is_waited_for ? Precedence::aside : Precedence::back;
  auto child = ChildProcess::start(spawner, {.words = std::move(arguments),
                                             .output = output->theirs.get(),
                                             .errors = errors->theirs.get(),
                                             .input = order.film,
                                             .writes = folder.get(),
                                             .precedence = child_precedence,
                                             .memory_bytes_max = memory_bytes_max,
                                             .file_bytes_max = file_bytes_max});
  if (!child) return std::unexpected(child.error());
  UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, child->pid(), 0)));
  if (!process) return fail_errno("a descriptor of a process", errno);
  return FormRun(std::move(*child), std::move(output->ours), std::move(errors->ours),
                 std::move(process));
}

// At its end the pipe is closed, so that nobody polls it any more.
void FormRun::read_all(UniqueFd& from, std::string& to, std::size_t bytes_max) {
  std::array<char, 16'384> chunk;
  while (from) {
    const ssize_t n = ::read(from.get(), chunk.data(), chunk.size());
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) return from.reset();
    if (to.size() < bytes_max) to.append(chunk.data(), static_cast<std::size_t>(n));
  }
}

std::vector<std::string> FormRun::take_lines() {
  read_all(output_, unread_, lines_bytes_max);
  std::vector<std::string> lines;
  std::size_t begin = 0;
  for (std::size_t end; (end = unread_.find('\n', begin)) != std::string::npos; begin = end + 1)
    lines.push_back(unread_.substr(begin, end - begin));
  unread_.erase(0, begin);
  return lines;
}

std::optional<int> FormRun::take_status() {
  return child_.take_status();
}

// State D of any of its threads, proc(5).
bool FormRun::waits_in_kernel() const {
  std::error_code error;
  const std::string tasks = fmt::format("/proc/{}/task", pid());
  for (std::filesystem::directory_iterator it(tasks, error), end; !error && it != end;
       it.increment(error)) {
    std::ifstream file(it->path() / "stat");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const std::size_t name_end = text.rfind(") ");
    if (name_end != text.npos && text.substr(name_end + 2, 1) == "D") return true;
  }
  return false;
}

std::string FormRun::last_words() {
  read_all(errors_, said_, said_bytes_max);
  const std::string_view text = trim(said_, "\n");
  return std::string(text.substr(text.rfind('\n') + 1));
}

}  // namespace videosync
