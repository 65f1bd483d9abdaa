// SimulatedKernel: the machine beneath core/kernel/kernel.h, in memory, in virtual time, from one
// seed.
//
// Sockets, pipes, files, events and rings, as nasty as their man pages allow and no nastier:
// completions late, many at once and in any order; transfers of any length; entries not taken
// (-EAGAIN, -EBUSY); waits cut short (-EINTR); multishots that end by themselves; descriptors,
// buffers and memory that run out; a disk that takes seconds. It remembers what it was lent and
// ends the process with a finding where a rule is broken: lent bytes that change, a buffer given
// back twice, an operation whose owner is gone, a descriptor closed while the kernel has it or used
// after, a loop that turns without end or sleeps for ever.
//
// While somebody waits on a ring the world goes on: actors act when their time has come, operations
// complete, the clock moves to the next thing that happens. One kernel exists at a time in a
// process; all reactors above it are turned by one thread, and end before it does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/kernel/kernel.h"
#include "tests/sim/kernel/finding.h"
#include "tests/sim/kernel/objects.h"
#include "tests/sim/kernel/ring.h"
#include "tests/sim/random.h"

namespace videosync::sim {

// How often what goes wrong, each from 0 (never) to 1.
struct Nastiness {
  double short_transfer = 0;   // fewer bytes than there is room for
  double late = 0;             // an operation takes its time
  double refused_entries = 0;  // a submission takes some entries, or none
  double interrupted = 0;      // a wait ends early
  double ended_multishot = 0;  // after a good completion
  double no_memory = 0;        // -ENOMEM or -ENOBUFS, where the peer may be given up for it
  double no_buffers = 0;       // -ENOBUFS though there are some
  double no_descriptor = 0;    // -EMFILE of an accept, of a pipe
  double lost_wake = 0;        // another ring takes no message
  double evicted = 0;          // pages leave the cache
  double disk_fault = 0;       // -EIO
  double slow_disk = 0;        // seconds instead of less than a millisecond
};

// Somebody outside: acts when its time has come, and says when it will again.
class Actor {
 public:
  static constexpr std::int64_t never = INT64_MAX;

  virtual ~Actor() = default;
  virtual void act() = 0;

  std::int64_t due_us = 0;
};

struct KernelCounts {
  std::uint64_t operations = 0;
  std::uint64_t completions = 0;
  std::uint64_t faults = 0;  // that were dealt out
  std::uint64_t waits = 0;
};

class SimulatedKernel final : public Clock {
 public:
  // Lower numbers are the real kernel's.
  static constexpr int first_descriptor = 1'000'000;
  static constexpr std::int64_t page_bytes = 4'096;

  // `submissions_max`, `completions_max`: bounds of every ring's queues.
  SimulatedKernel(std::uint64_t seed, const Nastiness& nastiness, unsigned submissions_max,
                  unsigned completions_max);
  ~SimulatedKernel() override;
  SimulatedKernel(const SimulatedKernel&) = delete;
  SimulatedKernel& operator=(const SimulatedKernel&) = delete;
  static SimulatedKernel& current() noexcept;
  static bool exists() noexcept;

  std::int64_t monotonic_us() const noexcept override { return now_us_; }
  std::int64_t server_us() const noexcept override { return 1'700'000'000'000'000 + now_us_; }

  // --- What a trial makes of it. Actors live while anybody waits.
  void add_actor(Actor& actor) { actors_.push_back(&actor); }
  int add_listener();
  int add_file(std::uint64_t pattern, std::int64_t bytes);
  // Waits to be accepted at that listener.
  void connect(int listener, std::shared_ptr<Socket> socket);
  void become_kind() noexcept { nastiness_ = {}; }
  // From now on one ring alone is waited on: what others have to do is nobody's business.
  void turn_alone() noexcept { is_alone_ = true; }
  // Nothing more is expected: who waits may wait for ever.
  void end_waiting() noexcept { may_sleep_ = true; }

  std::size_t open_descriptors() const noexcept;
  std::size_t in_flight() const noexcept { return in_flight_.size(); }
  // What is in flight, for a finding.
  std::string describe() const;
  const KernelCounts& counts() const noexcept { return counts_; }
  std::uint64_t disk_faults() const noexcept { return disk_faults_; }
  // Once in a while a disk fails to read.
  bool disk_fails() noexcept {
    if (!goes_wrong(nastiness_.disk_fault)) return false;
    ++disk_faults_;
    return true;
  }
  // Of all that has happened: two runs of one seed have the same.
  std::uint64_t trace() const noexcept { return trace_; }

  // Whom to turn next: who has completions, or whose wait is over.
  bool has_news(int ring) const;
  std::int64_t asleep_until_us(int ring) const;

  // --- For the calls of kernel.h (calls.cpp)
  Random& dice() noexcept { return dice_; }
  const Nastiness& nastiness() const noexcept { return nastiness_; }
  bool goes_wrong(double chance) noexcept;
  // 1 to `most`; usually all.
  std::size_t some_of(std::size_t most) noexcept;
  int add(Object object);
  int close(int descriptor);
  // Of that kind; anything else is a finding.
  template <class Kind>
  Kind& get(int descriptor, std::string_view call) {
    Kind* found = std::get_if<Kind>(&slot(descriptor, call).object);
    if (found == nullptr) refuse(descriptor, call, "is of another kind");
    return *found;
  }
  // Also of the real kernel's numbers: such a file is what it is there, as cold as this one likes.
  FileShape& file_at(int descriptor, std::string_view call);
  void draw(std::span<std::uint8_t> out) noexcept {
    dice_.fill(out);
    ++draws_;
  }
  std::uint64_t draws() const noexcept { return draws_; }
  void note(std::uint64_t what) noexcept { trace_ = Random::mix(trace_ ^ what) + 1; }

  kernel::Ring* open_ring(unsigned submissions, unsigned completions);
  void close_ring(kernel::Ring* ring);
  // How many entries were taken, or -EAGAIN or -EBUSY: none.
  int submit(kernel::Ring& ring);
  void fetch(kernel::Ring& ring);
  int wait(kernel::Ring& ring, std::optional<std::int64_t> timeout_us);

 private:
  struct Slot {
    Object object;      // monostate: free
    unsigned uses = 0;  // entries and operations that name it
  };

  Slot& slot(int descriptor, std::string_view call);
  [[noreturn]] void refuse(int descriptor, std::string_view call, std::string_view why);

  // --- Entries (entries.cpp)
  void begin(kernel::Ring& ring, const io_uring_sqe& entry);
  void lend(InFlight& operation);
  const Awaited* awaited(int descriptor);
  void cancel(std::uint64_t target, kernel::Ring& ring);
  std::int64_t delay_us() noexcept;
  std::int64_t disk_delay_us() noexcept;

  // --- Operations (operations.cpp): true where something happened.
  bool attempt(InFlight& operation);
  bool attempt_accept(InFlight& operation);
  bool attempt_receive(InFlight& operation);
  bool attempt_send(InFlight& operation);
  void check_for_worker(InFlight& operation, const Socket& socket);
  bool attempt_poll(InFlight& operation);
  bool attempt_fill(InFlight& operation);
  bool attempt_wake(InFlight& operation);
  bool complete(InFlight& operation, std::int32_t result, unsigned flags = 0);
  bool go_on(InFlight& operation, std::int32_t result, unsigned flags);
  void post(kernel::Ring& ring, std::uint64_t user_data, std::int32_t result, unsigned flags);
  void take_back(LentBuffers& buffers);
  std::uint32_t readiness(int descriptor, std::uint32_t events);

  bool move_world();
  std::int64_t next_event_us() const noexcept;
  bool has_other_news(const kernel::Ring& ring) const noexcept;
  std::int64_t others_wake_us(const kernel::Ring& ring) const noexcept;
  void check_progress();

  Random dice_;
  Nastiness nastiness_;
  const unsigned submissions_max_;
  const unsigned completions_max_;
  std::int64_t now_us_ = 1'000'000;
  std::int64_t last_wait_us_ = 0;
  unsigned waits_at_once_ = 0;
  bool may_sleep_ = false;
  bool is_alone_ = false;
  std::uint64_t draws_ = 0;
  std::uint64_t trace_ = 1;
  KernelCounts counts_;
  std::uint64_t disk_faults_ = 0;
  std::vector<Actor*> actors_;
  std::vector<Slot> slots_;
  std::map<int, FileShape> real_files_;
  std::vector<std::unique_ptr<kernel::Ring>> rings_;
  std::vector<std::unique_ptr<InFlight>> in_flight_;
  std::vector<std::unique_ptr<InFlight>> idle_;
};

}  // namespace videosync::sim
