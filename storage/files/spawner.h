// Spawner: a small process from which all programs come that this one has started.
//
// What a process gives up (SyscallFilter, Landlock) its children give up, too, and they need what
// it does not: to run programs, to read a film. So they are not started by it. The spawner is a
// copy of it from the time before there were threads, connections or anything to give up; it is
// asked by messages, with the descriptors that a program is to have, and forks for each. The new
// process is a child of the one that asks (CLONE_PARENT), which waits for it, signals it and
// outlives it as one of its own, and is ended with it, however that goes.
//
// Whoever has taken the server over could ask, too: so the spawner knows from its start which
// programs there are, confines those that read films, and itself says how a successor is called.
//
// Made by the thread that lives as long as the process, before there are others: with its end the
// programs end. Any thread may ask; none waits for longer than a fork takes.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/unique_fd.h"

namespace videosync {

// What may be started; the spawner's, for good.
struct SpawnerTerms {
  bool confines = false;                // programs that read films
  std::vector<std::string> programs{};  // of these; none: any
  // The one that is to take over from this: its path, its words with its name first, NAME=VALUE
  // besides this process's environment. It is not confined: it is to do so itself.
  std::string successor{};
  std::vector<std::string> successor_words{};
  std::vector<std::string> successor_environment{};
};

enum class Precedence : std::uint8_t {
  ordinary,
  aside,  // a little less processor than the server: somebody waits for what it makes
  back,   // processor and disk where nobody else wants them
};

// Its program leads a group of processes.
struct SpawnOrder {
  std::vector<std::string> words{};  // [0] is looked up in PATH unless it has a slash
  int output = -1;                   // becomes standard output
  int errors = -1;                   // becomes standard error; -1: nowhere
  int input = -1;                    // becomes descriptor 3, and may be opened anew; -1: none
  int reads = -1;                    // a folder that it may read; -1: none
  int writes = -1;                   // a folder that it may write to; -1: none
  Precedence precedence = Precedence::ordinary;
  std::uint64_t memory_bytes_max = 0;  // 0: as we have it
  std::uint64_t file_bytes_max = 0;    // of each that it writes; 0: as we have it
};

class Spawner {
 public:
  // Errors: the socket or the process cannot be made.
  static Result<std::unique_ptr<Spawner>> start(SpawnerTerms terms);
  ~Spawner();
  Spawner(const Spawner&) = delete;
  Spawner& operator=(const Spawner&) = delete;

  // Returns when the program runs. Errors: io, with what the system said of it.
  Result<pid_t> spawn(const SpawnOrder& order);
  // It has our standard streams, and `channel` as descriptor 3. Errors: as above.
  Result<pid_t> spawn_successor(int channel);

  // False: it has ended, which it should not, and no program can be started any more. Once.
  bool tend() noexcept;
  pid_t pid() const noexcept { return pid_; }

 private:
  Spawner(UniqueFd channel, pid_t pid, std::string successor) noexcept
      : channel_(std::move(channel)), pid_(pid), successor_(std::move(successor)) {}
  Result<pid_t> ask(const std::string& message, std::vector<int> descriptors,
                    const std::string& name);

  std::mutex mutex_;  // one asks at a time
  const UniqueFd channel_;
  pid_t pid_;  // 0: it has ended
  const std::string successor_;
};

}  // namespace videosync
