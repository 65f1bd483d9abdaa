// FilePump: moves a file range to a socket without passing through our memory, and without ever
// making the loop wait for a disk.
//
// What is in the page cache goes by a direct, non-blocking sendfile(2). What is not is spliced by a
// kernel worker into a pipe (a splice on the ring always runs in one), and from there by a direct,
// non-blocking splice(2). Measured alternatives (256 MiB, cached): a linked splice pair on the ring
// costs a third more CPU than sendfile, because every splice visits a worker.
//
// What is in the page cache PageResidency knows. Where it cannot be asked, every quantum takes the
// pipe.
// One a reactor; one thread. Pipes are pooled; those that end with bytes in them are closed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/reactor/output_queue.h"
#include "core/reactor/page_residency.h"

namespace videosync {

class FilePump {
 public:
  // A stream's share of a turn; all streams' share of a turn. Who has moved less goes on, by a
  // quantum at most. So a saturating download delays other connections by little more than the
  // second, about 0.4 ms of copying.
  static constexpr std::int64_t quantum_bytes = PageResidency::step_bytes;
  static constexpr std::int64_t turn_bytes = 1024 * 1024;

  enum class Step : std::uint8_t {
    progress,  // `bytes` of the range have left
    blocked,   // the socket is full: wait until it is writable
    cold,      // not in the page cache: needs a pipe
    failed,    // the file is shorter than promised or unreadable, or the socket is gone
  };
  struct Outcome {
    Step step;
    std::int64_t bytes = 0;
    bool is_full = false;  // fewer than were offered: the socket has no more room
    int error = 0;         // failed: errno; 0: the file is too short
  };

  FilePump() = default;
  ~FilePump();
  FilePump(const FilePump&) = delete;
  FilePump& operator=(const FilePump&) = delete;

  // Sends what is cached of the range's first quantum. Its caller moves the range on.
  Outcome send_cached(int socket, FileTransfer& file, std::int64_t now_ms) noexcept;
  // Empties a filled pipe into the socket.
  Outcome send_from_pipe(int socket, Pipe& pipe, bool has_more) noexcept;

  // An empty pipe; a null one when `pipes_max` are out or no descriptor is to be had.
  Pipe take_pipe() noexcept;
  void give_back(Pipe pipe) noexcept;
  // False: nobody has a pipe, so waiting for one to come back would be in vain.
  bool has_lent_pipes() const noexcept { return pipes_out_ > 0; }

 private:
  static constexpr std::size_t pipes_max = 32;

  std::vector<Pipe> idle_pipes_;
  std::size_t pipes_out_ = 0;
  PageResidency residency_;
};

}  // namespace videosync
