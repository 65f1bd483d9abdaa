#include <criterion/criterion.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/error.h"
#include "core/base/unique_fd.h"
#include "core/reactor/listener.h"
#include "tests/support/descriptor_limit.h"
#include "tests/support/temp_folder.h"

using namespace videosync;
using videosync::test::NoDescriptorsLeft;
using videosync::test::TempFolder;

namespace {

ListenTarget unix_target(std::string path) {
  return {{}, 0, std::move(path)};
}

bool says(const auto& result, std::string_view words) {
  return !result && result.error().message.contains(words);
}

bool can_connect(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  const UniqueFd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

Test(listening_socket, lacking_descriptors_are_told_with_the_address) {
  const TempFolder folder;
  const ListenTarget path = unix_target(folder / "socket");
  const ListenTarget port{"127.0.0.1", 0, {}};
  const auto socket = open_listening_socket(path);
  cr_assert(socket.has_value());

  const NoDescriptorsLeft exhausted;

  cr_assert(
      says(copy_listening_socket(socket->get()), "another descriptor for unix:" + path.unix_path));
  cr_assert(says(open_listening_socket(port), "socket for 127.0.0.1:0: Too many open files"));
  cr_assert(says(check_address_is_free(port), "Too many open files"));
}

Test(listening_socket, a_path_that_answers_is_left_alone_also_without_descriptors) {
  const TempFolder folder;
  const ListenTarget path = unix_target(folder / "socket");
  const auto socket = open_listening_socket(path);
  cr_assert(socket.has_value());

  cr_assert(says(open_listening_socket(path), "in use by another process"));
  {
    const NoDescriptorsLeft exhausted;
    cr_assert(says(open_listening_socket(path), "Too many open files"));
  }

  cr_assert(can_connect(path.unix_path), "the path of a living process was removed");
}

Test(listening_socket, a_path_whose_process_has_too_much_to_do_is_left_alone) {
  const TempFolder folder;
  const std::string path = folder / "socket";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  const UniqueFd busy(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  cr_assert_eq(::bind(busy.get(), generic, sizeof address), 0);
  cr_assert_eq(::listen(busy.get(), 0), 0);
  const UniqueFd waiting(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  cr_assert_eq(::connect(waiting.get(), generic, sizeof address), 0);  // its queue is full now

  cr_assert(says(open_listening_socket(unix_target(path)), "in use by another process"));

  cr_assert(std::filesystem::exists(path));
}

Test(listening_socket, a_path_left_behind_is_taken_over) {
  const TempFolder folder;
  const ListenTarget path = unix_target(folder / "socket");
  cr_assert(open_listening_socket(path).has_value());  // closed at once: the path stays

  const auto socket = open_listening_socket(path);

  cr_assert(socket.has_value());
  cr_assert(can_connect(path.unix_path));
}
