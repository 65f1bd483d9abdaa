// Successor: the program that is to replace this one, started by it (SIGUSR2) and told what it
// needs.
//
// It gets copies of the listening sockets at once, so that no connection is refused or lost in
// between, and the sessions when it says that it could serve. Until it has said that it serves,
// nothing is given up: whatever goes wrong with it, this program goes on, and it is killed. One
// thread, which waits at most as long as it says.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "server/succession/channel.h"
#include "server/succession/predecessor.h"
#include "storage/files/spawner.h"

namespace videosync {

// How this program was started: known at its start alone, for an upgrade replaces its file.
struct Launch {
  std::string program;                 // a path
  std::vector<std::string> arguments;  // the program's name first
};
Launch own_launch(int argc, char** argv);

// An address where this program listens; the descriptors are whose they were.
struct OfferedListener {
  std::string address;  // as it was configured
  std::vector<int> descriptors;
};

class Successor {
 public:
  // By the spawner, whose terms say how it is called, because this process may be confined, and it
  // is not to be so by that. Errors: of channels, and io where no process can be started.
  static Result<std::unique_ptr<Successor>> start(Spawner& spawner,
                                                  std::span<const OfferedListener> listeners,
                                                  const Predecessor::Offer& offer);
  // What else its environment has: how it knows where this one is.
  static std::string environment_of_channel();
  // It is killed, unless it has been released.
  ~Successor();
  Successor(const Successor&) = delete;
  Successor& operator=(const Successor&) = delete;

  pid_t pid() const noexcept { return pid_; }
  // Readable: hear().
  int descriptor() const noexcept { return channel_.descriptor(); }
  // Errors say what became of it. It could serve:
  Result<> hear_ready();
  // Once, after that.
  Result<> send_sessions(std::string_view sessions, SuccessionChannel::Deadline deadline);
  // It serves: the sessions are its own.
  Result<> hear_serving(SuccessionChannel::Deadline deadline);
  // It lives on from now on, whatever becomes of this program.
  void release() noexcept;

 private:
  Successor(SuccessionChannel channel, pid_t pid) noexcept
      : channel_(std::move(channel)), pid_(pid) {}
  Error explained(const Error& error) noexcept;
  int end() noexcept;

  SuccessionChannel channel_;
  pid_t pid_;
  bool is_leaving_ = false;  // it has closed its channel
  bool is_released_ = false;
};

}  // namespace videosync
