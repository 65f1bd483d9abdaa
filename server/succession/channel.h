// SuccessionChannel: between a running program and the one that is to replace it, over a stream
// socket that only these two have.
//
// A message is a word, a text, and descriptors that go with it (SCM_RIGHTS, see unix(7)). Calls
// wait for the other side, at most until a deadline: a program that hears nothing in time gives the
// other up. Both sides are programs of the same user, perhaps of different versions: the first
// message says which form of the talk it is, and nothing that comes is believed to be well-formed.
// One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/unique_fd.h"

namespace videosync {

// In the order in which they are said.
enum class SuccessionWord : std::uint8_t {
  listener,  // old: its address, and a descriptor for each of its sockets
  offered,   // old: all listeners have been said; what browsers are known by
  ready,     // new: it could serve, and waits for the sessions
  sessions,  // old: all that there are; it has none any more if `serving` comes in time
  serving,   // new: it accepts connections
  released,  // old: whoever supervises has been told whom to watch
};

struct SuccessionMessage {
  SuccessionWord word = SuccessionWord::listener;
  std::string text;
  std::vector<UniqueFd> descriptors;
};

class SuccessionChannel {
 public:
  using Deadline = std::chrono::steady_clock::time_point;
  static constexpr std::size_t descriptors_max = 250;  // of a message; the kernel takes 253

  explicit SuccessionChannel(UniqueFd socket) noexcept : socket_(std::move(socket)) {}

  int descriptor() const noexcept { return socket_.get(); }

  // Errors: timed_out, unavailable (the other side has gone), io.
  Result<> send(SuccessionWord word, std::string_view text, Deadline deadline,
                std::span<const int> descriptors = {}) noexcept;
  // Errors: besides those, corrupt.
  Result<SuccessionMessage> receive(Deadline deadline);
  // corrupt: it says something else.
  Result<SuccessionMessage> receive(SuccessionWord expected, Deadline deadline);

 private:
  Result<> await(short events, Deadline deadline) const noexcept;
  Result<> send_bytes(std::string_view bytes, std::span<const int> descriptors,
                      Deadline deadline) noexcept;
  Result<> receive_bytes(std::span<char> bytes, std::vector<UniqueFd>& descriptors,
                         Deadline deadline);

  UniqueFd socket_;
};

}  // namespace videosync
