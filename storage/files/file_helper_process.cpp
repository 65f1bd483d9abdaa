#include "storage/files/file_helper_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <string_view>

#include "core/base/text.h"
#include "core/base/unique_fd.h"
#include "core/confine/calls.h"
#include "core/confine/landlock.h"
#include "storage/files/folder_walk.h"
#include "storage/files/open_beneath.h"

namespace videosync {

namespace {

constexpr std::size_t answer_bytes_max = 32 * 1024;  // in one answer

// By name: whoever asks may have been taken over. The folder may be another one by then, or on a
// storage that was not there at the start, so there is no rule of Landlock for it.
bool is_named(const HelperTerms& terms, std::string_view path) {
  const auto names = [path](std::string_view folder) {
    if (path == folder) return true;
    while (folder.ends_with('/'))
      folder.remove_suffix(1);
    const std::string_view below = path.substr(std::min(folder.size(), path.size()));
    return path.starts_with(folder) && below.starts_with('/') && !below.contains("/../") &&
           !below.ends_with("/..");
  };
  return terms.folders.empty() || std::ranges::any_of(terms.folders, names);
}

// The answer's descriptor is whoever's it is sent to.
void open_listed_folder(const FileRequest& request, FileReply& answer) noexcept {
  UniqueFd folder(::open(request.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat status{};
  if (!folder || ::fstat(folder.get(), &status) != 0) {
    answer.error = errno;
    return;
  }
  answer.facts = facts_of(status);
  answer.descriptor = folder.release();
}

void send_answer(int socket, const FileReply& answer, std::string_view names = {}) noexcept {
  const std::array<iovec, 2> parts{iovec{const_cast<FileReply*>(&answer), sizeof answer},
                                   iovec{const_cast<char*>(names.data()), names.size()}};
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data());
  message.msg_iovlen = names.empty() ? 1 : 2;
  while (::sendmsg(socket, &message, MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

// Sends all that was found but the last part, which is left for the last answer.
class WalkSender final : public WalkSink {
 public:
  WalkSender(int socket, FileReply& answer) noexcept : socket_(socket), answer_(answer) {}

  void on_folder(const std::string& path) override { add(ListedKind::folder, {}, path); }
  void on_file(const std::string& name, const FileFacts& facts) override {
    add(ListedKind::file, {reinterpret_cast<const char*>(&facts), sizeof facts}, name);
  }
  void on_warning(const std::string& line) override { add(ListedKind::warning, {}, line); }
  void finish() { send(false); }

 private:
  void add(ListedKind kind, std::string_view facts, std::string_view name) {
    if (part_.size() + facts.size() + name.size() + 2 > answer_bytes_max) send(true);
    part_ += static_cast<char>(kind);
    part_ += facts;
    part_ += name;
    part_ += '\0';
  }
  void send(bool has_more) {
    answer_.has_more = has_more;
    send_answer(socket_, answer_, part_);
    part_.clear();
  }

  const int socket_;
  FileReply& answer_;
  std::string part_;
};

// Whoever is answered finds the table of descriptors as it was.
void walk(const FileRequest& request, FileReply& answer) {
  WalkSender sender(request.answer_to, answer);
  const Result<> walked = walk_folder(request.folder, request.watch, sender);
  if (!walked) answer.error = walked.error().system_errno;
  sender.finish();
}

void read_text(const FileRequest& request, FileReply& answer) {
  const OpenedFile opened = open_beneath(request.folder, request.path);
  std::array<char, FileReply::text_bytes_max> text;
  std::size_t length = 0;
  answer.error = opened.error;
  answer.facts = opened.facts;
  while (answer.error == 0 && length < text.size()) {
    const ssize_t n = ::read(opened.descriptor.get(), text.data() + length, text.size() - length);
    if (n == 0) break;
    if (n > 0) length += static_cast<std::size_t>(n);
    if (n < 0 && errno != EINTR) answer.error = errno;
  }
  send_answer(request.answer_to, answer, {text.data(), length});
}

void answer_request(const FileRequest& request, const HelperTerms& terms) {
  FileReply answer;
  answer.number = request.number;
  if (request.verb == FileVerb::walk) return walk(request, answer);
  if (request.verb == FileVerb::read) return read_text(request, answer);
  if (request.verb == FileVerb::open_folder && !is_named(terms, request.path)) {
    answer.error = EACCES;
  } else if (request.verb == FileVerb::open_folder) {
    open_listed_folder(request, answer);
  } else {
    OpenedFile opened = open_beneath(request.folder, request.path);
    answer.descriptor = opened.descriptor.release();
    answer.error = opened.error;
    answer.facts = opened.facts;
  }
  send_answer(request.answer_to, answer);
}

// What others see of a process: its connections, its listeners, its pipes. Not its files: closing
// one may wait, and /proc tells which is which without asking the file's server.
bool is_seen_by_others(int folder, const char* number) noexcept {
  std::array<char, 64> target{};
  const ssize_t length = ::readlinkat(folder, number, target.data(), target.size());
  if (length <= 0) return false;
  const std::string_view path(target.data(), static_cast<std::size_t>(length));
  return !path.starts_with('/') || path.starts_with("/dev/");
}

// Not for the keeper: the other one may go before the keeper has had a processor.
void end_with(pid_t helped) noexcept {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != helped) ::_exit(0);
}

// Nothing is written, made or run; there is no rule.
void write_nothing() {
  if (const auto rules =
          Landlock::create({.files = Landlock::write | Landlock::make | Landlock::run})) {
    [[maybe_unused]] const auto enforced = rules->enforce();
  }
}

constexpr int helping[] = {SYS_recvfrom,   SYS_recvmsg,           SYS_sendto, SYS_sendmsg,
                           SYS_getsockopt, SYS_inotify_add_watch, SYS_prctl};

void confine_helper() {
  write_nothing();
  SyscallFilter filter;
  filter.allow(calls::basic);
  filter.allow(calls::reading_files);
  filter.allow(helping);
  [[maybe_unused]] const auto installed = filter.install(SyscallFilter::Threads::calling);
}

// Asks nobody but the kernel, whatever the descriptor is.
bool is_listener(int descriptor) noexcept {
  int listens = 0;
  socklen_t length = sizeof listens;
  return ::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 &&
         listens != 0;
}

// Listeners first: who sees anything else of the process end may take its addresses at once.
void close_what_others_see(DIR* descriptors) noexcept {
  const int folder = ::dirfd(descriptors);
  for (const bool only_listeners : {true, false}) {
    ::rewinddir(descriptors);
    while (const dirent* item = ::readdir(descriptors)) {
      const auto number = parse_decimal<int>(item->d_name);
      if (!number || *number == folder) continue;
      const bool is_meant =
          only_listeners ? is_listener(*number) : is_seen_by_others(folder, item->d_name);
      if (is_meant) UniqueFd(*number).reset();
    }
  }
}

}  // namespace

void run_file_helper(FileHelperProcess process, const HelperTerms& terms, pid_t helped) noexcept {
  process.helped = helped;
  process.terms = &terms;
  ::prctl(PR_SET_NAME, "videosync-files");
  if (terms.confines) confine_helper();
  process.body(process);
  ::_exit(0);
}

void serve_file_requests(const FileHelperProcess& process) {
  end_with(process.helped);
  for (;;) {
    FileRequest request;
    const ssize_t length = ::recv(process.channel, &request, sizeof request, 0);
    if (length < 0 && errno != EINTR) return;
    if (length > static_cast<ssize_t>(offsetof(FileRequest, path)))
      answer_request(request, *process.terms);
  }
}

void close_descriptors(const FileHelperProcess& process) {
  end_with(process.helped);
  std::array<int, 256> numbers;
  for (;;) {
    const ssize_t length = ::read(process.channel, numbers.data(), sizeof numbers);
    if (length < 0 && errno != EINTR) return;
    for (ssize_t i = 0; i < length / static_cast<ssize_t>(sizeof(int)); ++i) {
      UniqueFd(numbers[static_cast<std::size_t>(i)]).reset();
      ++process.progress->closed;
    }
  }
}

void keep_descriptors(const FileHelperProcess& process) {
  sigset_t end;
  sigemptyset(&end);
  sigaddset(&end, SIGUSR1);
  ::sigprocmask(SIG_BLOCK, &end, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGUSR1);
  while (::getppid() == process.helped)
    ::sigwaitinfo(&end, nullptr);
  // The list needs a number, and a full table has no other.
  UniqueFd(process.channel).reset();
  const FolderStream descriptors(::opendir("/proc/self/fd"));
  if (descriptors) close_what_others_see(descriptors.get());
}

}  // namespace videosync
