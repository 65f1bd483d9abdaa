// FormRun: one run of videosync-media, watched without waiting: its lines, its last words, its end.
//
// For the thread that started it: the run ends with that thread, however it ends, and with this
// object.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/unique_fd.h"
#include "storage/files/child_process.h"

namespace videosync {

class FormRun {
 public:
  struct Order {
    std::string program;
    std::vector<std::string> words;  // its verb, and what follows the input
    std::string folder;              // of what is made of the film: it writes there alone
    int film = -1;                   // the descriptor of the film
    bool is_waited_for = true;       // else it steps far back
  };

  // Errors: io, the program cannot be run.
  static Result<FormRun> start(Spawner& spawner, const Order& order);

  // For poll(2): output, errors, end.
  int output() const noexcept { return output_.get(); }
  int errors() const noexcept { return errors_.get(); }
  int process() const noexcept { return process_.get(); }

  // Whole lines since the last call; the last one too, once it has ended.
  std::vector<std::string> take_lines();
  pid_t pid() const noexcept { return child_.pid(); }
  // waitpid's status. Once.
  std::optional<int> take_status();
  void kill() const noexcept { child_.kill(); }  // its end is still to come
  // It waits for storage, as far as the kernel tells: not for a processor, nor for itself.
  bool waits_in_kernel() const;
  // The last line that it said of what went wrong.
  std::string last_words();

 private:
  FormRun(ChildProcess child, UniqueFd output, UniqueFd errors, UniqueFd process)
      : child_(std::move(child)),
        output_(std::move(output)),
        errors_(std::move(errors)),
        process_(std::move(process)) {}
  static void read_all(UniqueFd& from, std::string& to, std::size_t bytes_max);

  ChildProcess child_;
  UniqueFd output_;
  UniqueFd errors_;
  UniqueFd process_;
  std::string unread_;  // without its last line's end
  std::string said_;    // on standard error
};

}  // namespace videosync
