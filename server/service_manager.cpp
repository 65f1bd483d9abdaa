#include "server/service_manager.h"

#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "core/base/log.h"
#include "core/base/text.h"

namespace videosync {

namespace {

// Its value, which is gone from the environment then.
std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  std::string text = value == nullptr ? "" : value;
  ::unsetenv(name);
  return text;
}

// `name`: a path, or @ and a name that no file has.
UniqueFd connect_to(const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.size() >= sizeof address.sun_path || (name[0] != '/' && name[0] != '@')) {
    errno = EINVAL;
    return {};
  }
  std::memcpy(address.sun_path, name.data(), name.size());
  if (name[0] == '@') address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto* target = reinterpret_cast<const sockaddr*>(&address);
  if (!socket || ::connect(socket.get(), target, length) != 0) return {};
  return socket;
}

}  // namespace

ServiceManager ServiceManager::from_environment() {
  ServiceManager manager;
  const std::string name = take_variable("NOTIFY_SOCKET");
  const std::string watchdog = take_variable("WATCHDOG_USEC");
  const auto watchdog_us = parse_decimal<std::int64_t>(watchdog);
  const auto watched = parse_decimal<pid_t>(take_variable("WATCHDOG_PID"));
  if (name.empty()) return manager;
  manager.socket_ = connect_to(name);
  if (!manager.socket_) {
    log_warn("main", "the service manager cannot be told how the server is", field("socket", name),
             field("why", std::strerror(errno)));
    return manager;
  }
  manager.environment_.push_back("NOTIFY_SOCKET=" + name);
  const bool is_us = !watched || *watched == ::getpid();
  if (watchdog_us && *watchdog_us > 0 && is_us) {
    manager.watchdog_us_ = watchdog_us;
    manager.environment_.push_back("WATCHDOG_USEC=" + watchdog);
  }
  return manager;
}

void ServiceManager::tell_ready(std::string_view status) noexcept {
  tell(fmt::format("READY=1\nSTATUS={}\n", status));
}

void ServiceManager::tell_reloading(std::int64_t now_us) noexcept {
  tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}\n", now_us));
}

void ServiceManager::tell_stopping(std::int64_t takes_us) noexcept {
  tell(fmt::format("STOPPING=1\nSTATUS=draining\nEXTEND_TIMEOUT_USEC={}\n", takes_us));
}

void ServiceManager::tell_status(std::string_view status) noexcept {
  tell(fmt::format("STATUS={}\n", status));
}

void ServiceManager::feed_watchdog() noexcept {
  tell("WATCHDOG=1\n");
}

void ServiceManager::tell_successor(pid_t successor) noexcept {
  tell(fmt::format("MAINPID={}\nREADY=1\n", successor));
  socket_.reset();
}

void ServiceManager::tell(const std::string& lines) noexcept {
  if (!socket_) return;
  static_cast<void>(::send(socket_.get(), lines.data(), lines.size(), MSG_NOSIGNAL));
}

}  // namespace videosync
