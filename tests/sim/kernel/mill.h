// Mill: a server on the real reactor that does whatever the reactor offers: frames, ranges of
// files, timers, posts to other workers, deafness, ends. One a worker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "core/base/unique_fd.h"
#include "core/reactor/listener.h"
#include "core/reactor/reactor.h"
#include "tests/sim/kernel/mill_words.h"

namespace videosync::sim {

struct MillFile {
  UniqueFd descriptor;
  std::int64_t bytes = 0;
  std::shared_ptr<const void> owner;
};
using MillFiles = std::vector<MillFile>;

class Mill {
 public:
  // `files` and the reactor outlive the mill. `mills`: all of the trial, by index of their
  // reactors.
  Mill(Reactor& reactor, UniqueFd listener, const MillFiles& files, std::vector<Mill*>& mills);
  ~Mill();
  Mill(const Mill&) = delete;
  Mill& operator=(const Mill&) = delete;

  void begin() noexcept { listener_.resume(); }
  void end() noexcept { listener_.close(); }
  bool is_idle() const noexcept { return listener_.is_idle() && !reactor_.has_streams(); }

  // The way back of what went by way of another worker.
  void go_on(std::size_t place, std::uint32_t generation) noexcept;

 private:
  class Served;
  friend class Served;

  void take(UniqueFd accepted) noexcept;

  Reactor& reactor_;
  const MillFiles& files_;
  std::vector<Mill*>& mills_;
  Listener listener_;
  std::vector<std::unique_ptr<Served>> served_;
  std::vector<std::size_t> free_;
};

}  // namespace videosync::sim
