#include "storage/files/file_desk.h"

#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "core/base/assert.h"
#include "storage/files/open_beneath.h"

namespace videosync {

namespace {

constexpr int patience_ms = 100;
constexpr std::size_t names_bytes_max = 64 * 1024;  // more than a helper sends at once

void add_found(FolderTree& tree, std::string_view text) {
  while (!text.empty()) {
    const auto kind = static_cast<ListedKind>(text.front());
    text.remove_prefix(1);
    FileFacts facts;
    if (kind == ListedKind::file) {
      VS_ASSERT(text.size() > sizeof facts && !tree.folders.empty());
      std::memcpy(&facts, text.data(), sizeof facts);
      text.remove_prefix(sizeof facts);
    }
    const std::size_t end = text.find('\0');
    VS_ASSERT(end != std::string_view::npos);
    std::string name(text.substr(0, end));
    text.remove_prefix(end + 1);
    if (kind == ListedKind::file) tree.folders.back().files.push_back({std::move(name), facts});
    if (kind == ListedKind::folder) tree.folders.push_back({std::move(name), {}});
    if (kind == ListedKind::warning) tree.warnings.push_back(std::move(name));
  }
}

}  // namespace

Result<std::unique_ptr<FileDesk>> FileDesk::create(FileHelpers& helpers, FileHelpers::Lane lane) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return fail_errno("make the sockets for answers of file helpers (raise `ulimit -n`)", errno);
  }
  return std::unique_ptr<FileDesk>(
      new FileDesk(helpers, lane, {UniqueFd(ends[0]), UniqueFd(ends[1])}));
}

FileDesk::FileDesk(FileHelpers& helpers, FileHelpers::Lane lane, Ends answers)
    : helpers_(helpers),
      lane_(lane),
      answers_(std::move(answers)),
      names_(std::make_unique<char[]>(names_bytes_max)) {}

FileDesk::~FileDesk() {
  while (const auto answer = receive())
    discard(*answer);
  if (asked_.empty()) return;
  for (UniqueFd& end : answers_)
    static_cast<void>(end.release());
}

// --- Questions and answers -----------------------------------------------------------------------

Result<std::uint64_t> FileDesk::ask(Asked asked) {
  const std::string& path = asked.path;
  const bool is_path = !path.empty() && path.size() < FileRequest::path_bytes_max &&
                       path.find('\0') == std::string::npos;
  if (!is_path) return fail(ErrorCode::not_found, "no such file: no name that can be");
  FileRequest request;
  request.number = ++last_number_;
  request.answer_to = answers_[1].get();
  request.folder = asked.folder != nullptr ? asked.folder->fd() : -1;
  request.verb = asked.verb;
  request.watch = asked.watch;
  std::memcpy(request.path, path.c_str(), path.size() + 1);
  if (!helpers_.ask(lane_, request)) {
    return fail(ErrorCode::exhausted, "the storage has too much to do to open " + path);
  }
  asked_.emplace(request.number, std::move(asked));
  return request.number;
}

std::optional<FileDesk::Answer> FileDesk::receive() {
  Answer answer;
  const std::array<iovec, 2> parts{iovec{&answer.head, sizeof answer.head},
                                   iovec{names_.get(), names_bytes_max}};
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data());
  message.msg_iovlen = parts.size();
  const ssize_t length = ::recvmsg(answers_[0].get(), &message, MSG_DONTWAIT);
  if (length < static_cast<ssize_t>(sizeof answer.head)) return std::nullopt;
  answer.names.assign(names_.get(), static_cast<std::size_t>(length) - sizeof answer.head);
  return answer;
}

void FileDesk::discard(const Answer& answer) {
  if (answer.head.descriptor >= 0) helpers_.close_later(answer.head.descriptor);
  if (answer.head.has_more) return;
  asked_.erase(answer.head.number);
  helpers_.settle(lane_);
}

Result<std::vector<FileDesk::Answer>> FileDesk::call(Asked asked) {
  const auto number = ask(std::move(asked));
  if (!number) return std::unexpected(number.error());
  using std::chrono::steady_clock;
  auto begin = steady_clock::now();
  std::vector<Answer> answers;
  for (;;) {
    while (auto answer = receive()) {
      if (answer->head.number != *number) {
        discard(*answer);
        continue;
      }
      answers.push_back(std::move(*answer));
      begin = steady_clock::now();  // it does answer
      if (answers.back().head.has_more) continue;
      asked_.erase(*number);
      helpers_.settle(lane_);
      return answers;
    }
    pollfd waited{answers_[0].get(), POLLIN, 0};
    if (::poll(&waited, 1, patience_ms) > 0) continue;
    const auto waited_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - begin).count();
    const std::string what = name_of(asked_.at(*number));
    if (patience_ && !patience_(what, waited_ms)) {
      return fail(ErrorCode::timed_out, fmt::format("{}: no answer for {} ms", what, waited_ms));
    }
  }
}

std::string FileDesk::name_of(const Asked& asked) {
  if (asked.folder == nullptr) return asked.path;
  return asked.path == "." ? asked.folder->path() : asked.folder->path() + "/" + asked.path;
}

// --- Calls that wait -----------------------------------------------------------------------------

Result<MediaFolderRef> FileDesk::open_folder(const std::string& path) {
  const auto answers = call({FileVerb::open_folder, path, nullptr});
  if (!answers) return std::unexpected(answers.error());
  const FileReply& answer = answers->front().head;
  if (answer.error != 0) return fail_errno("open the folder " + path, answer.error);
  return std::make_shared<const MediaFolder>(helpers_, answer, path);
}

Result<FolderTree> FileDesk::walk(const MediaFolderRef& folder, int watch) {
  const auto answers = call({FileVerb::walk, ".", folder, watch});
  if (!answers) return std::unexpected(answers.error());
  FolderTree tree;
  for (const Answer& answer : *answers) {
    if (answer.head.error != 0)
      return fail_errno("read the folder " + folder->path(), answer.head.error);
    add_found(tree, answer.names);
  }
  return tree;
}

Result<MediaFileRef> FileDesk::open(const MediaFolderRef& folder, const std::string& path) {
  const auto answers = call({FileVerb::open, path, folder});
  if (!answers) return std::unexpected(answers.error());
  return file_of(answers->front().head, path);
}

Result<std::string> FileDesk::read(const MediaFolderRef& folder, const std::string& path) {
  auto answers = call({FileVerb::read, path, folder});
  if (!answers) return std::unexpected(answers.error());
  Answer& answer = answers->front();
  if (answer.head.error != 0) return open_failure(path, answer.head.error);
  return std::move(answer.names);
}

Result<MediaFileRef> FileDesk::file_of(const FileReply& answer, std::string path) const {
  if (answer.error != 0) return open_failure(path, answer.error);
  return std::make_shared<const MediaFile>(helpers_, answer, std::move(path));
}

// --- Calls that do not wait ----------------------------------------------------------------------

Result<std::uint64_t> FileDesk::ask_to_open(MediaFolderRef folder, std::string path) {
  return ask({FileVerb::open, std::move(path), std::move(folder)});
}

std::optional<FileDesk::Opened> FileDesk::take_opened() {
  const auto answer = receive();
  if (!answer) return std::nullopt;
  helpers_.settle(lane_);
  const auto asked = asked_.extract(answer->head.number);
  VS_ASSERT(!asked.empty() && asked.mapped().verb == FileVerb::open);
  return Opened{answer->head.number, file_of(answer->head, std::move(asked.mapped().path))};
}

}  // namespace videosync
