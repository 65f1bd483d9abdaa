// Error and Result: how an operation that the world can make fail says so.
//
// Errors are values; nothing here throws. `message` is written for the person who can act on it.
#pragma once

#include <cstdint>
#include <cstring>
#include <expected>
#include <string>
#include <utility>

namespace videosync {

enum class ErrorCode : std::uint8_t {
  invalid_argument,  // the caller's value is off: say which and why
  not_found,
  conflict,     // somebody else changed it first
  exhausted,    // a limit was reached
  unavailable,  // not now: the store, the disk or the network is away
  timed_out,
  unsupported,  // this machine or build cannot do it
  corrupt,      // bytes that do not mean what they should
  io,           // a system call failed: see system_errno
};

struct Error {
  ErrorCode code = ErrorCode::io;
  std::string message;
  int system_errno = 0;  // 0 where no system call was involved
};

template <class T = void>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string message) {
  return std::unexpected(Error{code, std::move(message), 0});
}

// `what` names the thing that failed ("open media/a.mp4"); errno's text is appended.
[[nodiscard]] inline std::unexpected<Error> fail_errno(std::string what, int system_errno) {
  what += ": ";
  what += std::strerror(system_errno);
  return std::unexpected(Error{ErrorCode::io, std::move(what), system_errno});
}

}  // namespace videosync
