// The helpers: what others see of the process that they help, once that has gone.
#include "storage/files/file_helpers.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "core/reactor/listener.h"
#include "storage/files/file_desk.h"
#include "tests/support/temp_folder.h"

using namespace videosync;

namespace {

struct Pair {
  UniqueFd ours, theirs;
};

Pair make_pipe() {
  std::array<int, 2> ends{};
  cr_assert_eq(::pipe2(ends.data(), O_CLOEXEC), 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Pair connect_over_loopback() {
  UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  cr_assert_eq(::bind(listener.get(), generic, length), 0);
  cr_assert_eq(::listen(listener.get(), 1), 0);
  cr_assert_eq(::getsockname(listener.get(), generic, &length), 0);
  UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  cr_assert_eq(::connect(client.get(), generic, length), 0);
  UniqueFd accepted(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  cr_assert(accepted);
  return {std::move(client), std::move(accepted)};
}

// Whoever closes it last waits until its peer reads, or goes.
void make_close_wait(int socket) {
  const std::array<char, 65'536> bytes{};
  while (::send(socket, bytes.data(), bytes.size(), MSG_DONTWAIT) > 0) {
  }
  const linger patience{1, 60};
  cr_assert_eq(::setsockopt(socket, SOL_SOCKET, SO_LINGER, &patience, sizeof patience), 0);
}

void move_to(UniqueFd& descriptor, int number) {
  UniqueFd moved(::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, number));
  if (moved.get() != number) ::_exit(1);
  descriptor = std::move(moved);
}

// A process with helpers that holds these, in this order.
[[noreturn]] void be_helped(UniqueFd pipe, UniqueFd slow, UniqueFd listener) {
  move_to(pipe, 200);
  move_to(slow, 201);
  move_to(listener, 202);
  const auto helpers = FileHelpers::start();
  if (!helpers || ::write(pipe.get(), "r", 1) != 1) ::_exit(1);
  for (;;)
    ::pause();
}

enum class Table : std::uint8_t { has_room, is_full };

// One that ends as soon as it has helpers, while another process, as a helper that hangs would,
// still holds its descriptors: tells which.
[[noreturn]] void be_helped_briefly(UniqueFd pipe, Table table) {
  const rlimit few{100, 100};
  ::setrlimit(RLIMIT_NOFILE, &few);
  const auto holder = static_cast<pid_t>(
      ::syscall(SYS_clone, CLONE_FILES | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
  while (holder == 0)
    ::pause();
  const bool is_told = ::write(pipe.get(), &holder, sizeof holder) == sizeof holder;
  const auto helpers = FileHelpers::start();
  if (!is_told || !helpers) ::_exit(1);
  while (table == Table::is_full && ::dup(STDERR_FILENO) >= 0) {
  }
  ::kill(::getpid(), SIGKILL);
  ::_exit(1);
}

void assert_end_is_seen(Table table) {
  auto [news, pipe] = make_pipe();
  const pid_t helped = ::fork();
  cr_assert_geq(helped, 0);
  if (helped == 0) be_helped_briefly(std::move(pipe), table);
  pipe.reset();
  pid_t holder = 0;
  cr_assert_eq(::read(news.get(), &holder, sizeof holder), sizeof holder);
  int status = 0;
  ::waitpid(helped, &status, 0);
  cr_assert(WIFSIGNALED(status), "it had helpers");
  pollfd end{news.get(), POLLIN, 0};
  const int seen = ::poll(&end, 1, 10'000);
  ::kill(holder, SIGKILL);
  cr_assert_eq(seen, 1, "the pipe's end is seen");
}

}  // namespace

Test(file_helpers, an_address_is_free_before_anything_else_is_seen_to_end) {
  auto [news, pipe] = make_pipe();
  auto [peer, slow] = connect_over_loopback();
  make_close_wait(slow.get());
  UniqueFd listener =
      open_listening_socket({.host = "127.0.0.1", .port = 0, .unix_path = {}}).value();
  const ListenTarget address{
      .host = "127.0.0.1", .port = listening_port(listener.get()), .unix_path = {}};
  const pid_t helped = ::fork();
  cr_assert_geq(helped, 0);
  if (helped == 0) be_helped(std::move(pipe), std::move(slow), std::move(listener));
  for (UniqueFd* theirs : {&pipe, &slow, &listener})
    theirs->reset();
  char byte = 0;
  cr_assert_eq(::read(news.get(), &byte, 1), 1, "it has helpers");
  cr_assert_not(check_address_is_free(address).has_value());

  ::kill(helped, SIGKILL);
  ::waitpid(helped, nullptr, 0);
  cr_assert_eq(::read(news.get(), &byte, 1), 0, "the pipe's end is seen");
  cr_assert(check_address_is_free(address).has_value());
}

Test(file_helpers, the_keeper_keeps_from_its_start) {
  assert_end_is_seen(Table::has_room);
}

Test(file_helpers, the_keeper_needs_no_descriptor_to_spare) {
  assert_end_is_seen(Table::is_full);
}

namespace {

// What a desk of confined helpers says of a folder: an errno.
int error_of_opening(FileHelpers& helpers, const std::string& path) {
  const auto desk = FileDesk::create(helpers, FileHelpers::Lane::scanning).value();
  const auto opened = desk->open_folder(path);
  return opened ? 0 : opened.error().system_errno;
}

}  // namespace

Test(file_helpers, confined_ones_open_the_folders_of_their_terms_and_what_is_below) {
  const videosync::test::TempFolder root;
  for (const char* name : {"media", "media/in", "media2"})
    ::mkdir((root / name).c_str(), 0700);
  root.write("media/in/film.mp4", "0123");
  const auto helpers =
      FileHelpers::start({.confines = true, .folders = {root / "media"}, .programs = {}}).value();
  cr_assert_eq(error_of_opening(*helpers, root / "media"), 0);
  cr_assert_eq(error_of_opening(*helpers, root / "media/in"), 0);
  for (const char* other : {"media2", "", "media/../media2", "media/.."})
    cr_assert_eq(error_of_opening(*helpers, root / other), EACCES, "%s", other);
  cr_assert_eq(error_of_opening(*helpers, "/etc"), EACCES);
  // As they stand in the settings, however that is.
  const std::string odd = root / "media/../media2/";
  const auto others =
      FileHelpers::start({.confines = true, .folders = {odd}, .programs = {}}).value();
  cr_assert_eq(error_of_opening(*others, odd), 0);
  cr_assert_eq(error_of_opening(*others, odd + "none"), ENOENT);
  cr_assert_eq(error_of_opening(*others, odd + "../media"), EACCES);
  const auto desk = FileDesk::create(*helpers, FileHelpers::Lane::scanning).value();
  const MediaFolderRef media = desk->open_folder(root / "media").value();
  cr_assert_eq(desk->open(media, "in/film.mp4").value()->size(), 4);
  cr_assert_eq(desk->walk(media).value().folders.size(), 2);
}
