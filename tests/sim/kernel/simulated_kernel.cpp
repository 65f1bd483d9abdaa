#include "tests/sim/kernel/simulated_kernel.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/base/assert.h"

namespace videosync::sim {

namespace {

// A loop that waits so often while no time passes has no reason to.
constexpr unsigned waits_at_once_max = 20'000;

SimulatedKernel* the_kernel = nullptr;

}  // namespace

SimulatedKernel::SimulatedKernel(std::uint64_t seed, const Nastiness& nastiness,
                                 unsigned submissions_max, unsigned completions_max)
    : dice_(seed),
      nastiness_(nastiness),
      submissions_max_(submissions_max),
      completions_max_(completions_max) {
  VS_ASSERT(the_kernel == nullptr && submissions_max > 0 && completions_max > 0);
  the_kernel = this;
}

SimulatedKernel::~SimulatedKernel() {
  VS_ASSERT(the_kernel == this);
  the_kernel = nullptr;
}

SimulatedKernel& SimulatedKernel::current() noexcept {
  VS_ASSERT(the_kernel != nullptr);
  return *the_kernel;
}

bool SimulatedKernel::exists() noexcept {
  return the_kernel != nullptr;
}

bool SimulatedKernel::goes_wrong(double chance) noexcept {
  if (chance <= 0 || !dice_.chance(chance)) return false;
  ++counts_.faults;
  return true;
}

std::size_t SimulatedKernel::some_of(std::size_t most) noexcept {
  VS_ASSERT(most > 0);
  return goes_wrong(nastiness_.short_transfer) ? 1 + dice_.below(most) : most;
}

// --- Descriptors ---------------------------------------------------------------------------------

// The lowest number that is free, as the real one: a stale number is soon another's.
int SimulatedKernel::add(Object object) {
  std::size_t index = 0;
  while (index < slots_.size() && !std::holds_alternative<std::monostate>(slots_[index].object))
    ++index;
  if (index == slots_.size()) slots_.emplace_back();
  slots_[index].object = std::move(object);
  return first_descriptor + static_cast<int>(index);
}

SimulatedKernel::Slot& SimulatedKernel::slot(int descriptor, std::string_view call) {
  const auto index = static_cast<std::size_t>(descriptor - first_descriptor);
  if (descriptor < first_descriptor || index >= slots_.size() ||
      std::holds_alternative<std::monostate>(slots_[index].object)) {
    refuse(descriptor, call, "is not open");
  }
  return slots_[index];
}

void SimulatedKernel::refuse(int descriptor, std::string_view call, std::string_view why) {
  report_finding("descriptor",
                 fmt::format("{}: number {} {}", call, descriptor - first_descriptor, why));
}

int SimulatedKernel::close(int descriptor) {
  Slot& closed = slot(descriptor, "close");
  if (closed.uses > 0) refuse(descriptor, "close", "is named by an operation in flight");
  for (const auto& ring : rings_) {
    for (unsigned i = 0; i < ring->filled; ++i) {
      const io_uring_sqe& entry = ring->entries[(ring->first + i) % ring->entries.size()];
      const bool names_none = entry.opcode == IORING_OP_ASYNC_CANCEL;
      if (!names_none && entry.fd == descriptor) {
        refuse(descriptor, "close", "is named by an entry that was not submitted");
      }
    }
  }
  if (auto* socket = std::get_if<std::shared_ptr<Socket>>(&closed.object)) {
    ++(*socket)->changes;
    (*socket)->is_closed = (*socket)->has_ended = (*socket)->is_shut = true;
    // What was not read makes the end a reset.
    if (!(*socket)->in.empty()) (*socket)->is_reset = true;
  }
  closed.object = std::monostate{};
  return 0;
}

int SimulatedKernel::add_listener() {
  return add(std::make_shared<ListenerQueue>());
}

int SimulatedKernel::add_file(std::uint64_t pattern, std::int64_t bytes) {
  const auto pages = static_cast<std::size_t>((bytes + page_bytes - 1) / page_bytes);
  return add(FileShape{pattern, bytes, std::vector<bool>(pages, dice_.chance(0.5))});
}

FileShape& SimulatedKernel::file_at(int descriptor, std::string_view call) {
  if (descriptor >= first_descriptor) return get<FileShape>(descriptor, call);
  const auto [place, is_new] = real_files_.try_emplace(descriptor);
  FileShape& file = place->second;
  if (!is_new) return file;
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) refuse(descriptor, call, "is nobody's");
  file.real = descriptor;
  file.bytes = status.st_size;
  file.cached.assign(static_cast<std::size_t>(file.bytes / page_bytes + 1), dice_.chance(0.5));
  return file;
}

void FileShape::read(std::int64_t offset, std::span<std::uint8_t> into) const {
  if (real >= 0) {
    const ssize_t n = ::pread(real, into.data(), into.size(), offset);
    VS_ASSERT(n == static_cast<ssize_t>(into.size()));
    return;
  }
  for (std::size_t i = 0; i < into.size(); ++i)
    into[i] = file_byte(pattern, offset + static_cast<std::int64_t>(i));
}

void SimulatedKernel::connect(int listener, std::shared_ptr<Socket> socket) {
  VS_ASSERT(!socket->is_waiting && socket->room_bytes > 0);
  socket->is_waiting = true;
  ListenerQueue& queue = *get<std::shared_ptr<ListenerQueue>>(listener, "connect");
  queue.waiting.push_back(std::move(socket));
  ++queue.changes;
}

std::size_t SimulatedKernel::open_descriptors() const noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(slots_, [](const Slot& slot) {
    return !std::holds_alternative<std::monostate>(slot.object);
  }));
}

std::string SimulatedKernel::describe() const {
  std::string text;
  for (const auto& operation : in_flight_) {
    text += fmt::format("{}operation {} on {}{}{}", text.empty() ? "" : ", ",
                        operation->entry.opcode, operation->entry.fd - first_descriptor,
                        operation->is_cancelled ? " cancelled" : "",
                        operation->not_before_us > now_us_ ? " later" : "");
  }
  return text;
}

// --- Rings ---------------------------------------------------------------------------------------

kernel::Ring* SimulatedKernel::open_ring(unsigned submissions, unsigned completions) {
  auto ring = std::make_unique<kernel::Ring>();
  ring->entries.resize(std::min(submissions, submissions_max_));
  ring->capacity = std::min(completions, completions_max_);
  ring->descriptor = add(RingEnd{ring.get()});
  rings_.push_back(std::move(ring));
  return rings_.back().get();
}

void SimulatedKernel::close_ring(kernel::Ring* ring) {
  // With its ring go its operations, as far as they are not another's.
  for (const auto& operation : in_flight_) {
    if (operation->ring != ring) continue;
    report_finding("unfinished", fmt::format("a ring is closed, and its operation {} is in flight",
                                             operation->entry.opcode));
  }
  take_back(ring->buffers);
  const auto& lent = ring->buffers.is_ours;
  if (const auto lost = std::ranges::count(lent, false); lost > 0) {
    report_finding("buffer", fmt::format("{} buffers were never given back", lost));
  }
  close(ring->descriptor);
  std::erase_if(rings_, [ring](const auto& one) { return one.get() == ring; });
}

bool SimulatedKernel::has_news(int ring) const {
  for (const auto& one : rings_) {
    if (one->descriptor == ring) return !one->waiting.empty() || !one->ready.empty();
  }
  return false;
}

std::int64_t SimulatedKernel::asleep_until_us(int ring) const {
  for (const auto& one : rings_) {
    if (one->descriptor == ring) return one->asleep_until_us;
  }
  return Actor::never;
}

bool SimulatedKernel::has_other_news(const kernel::Ring& ring) const noexcept {
  if (is_alone_) return false;
  return std::ranges::any_of(
      rings_, [&](const auto& one) { return one.get() != &ring && !one->waiting.empty(); });
}

std::int64_t SimulatedKernel::others_wake_us(const kernel::Ring& ring) const noexcept {
  std::int64_t wake = Actor::never;
  if (is_alone_) return wake;
  for (const auto& one : rings_) {
    if (one.get() != &ring) wake = std::min(wake, one->asleep_until_us);
  }
  return wake;
}

// --- The world, while somebody waits -------------------------------------------------------------

void SimulatedKernel::fetch(kernel::Ring& ring) {
  while (!ring.waiting.empty() && ring.ready.size() < ring.capacity) {
    ring.ready.push_back(ring.waiting.front());
    ring.waiting.pop_front();
  }
}

int SimulatedKernel::wait(kernel::Ring& ring, std::optional<std::int64_t> timeout_us) {
  ++counts_.waits;
  VS_ASSERT(ring.is_enabled);
  const bool waits = !timeout_us || *timeout_us > 0;
  const std::int64_t end_us = timeout_us ? now_us_ + *timeout_us : Actor::never;
  ring.asleep_until_us = end_us;
  const bool is_short = goes_wrong(nastiness_.interrupted);
  for (unsigned rounds = 0;; ++rounds) {
    const bool has_moved = move_world();
    if (!ring.ready.empty() || !waits) break;
    if (!ring.waiting.empty() && !(has_moved && dice_.chance(0.5))) break;
    if (is_short && rounds > 0) break;
    if (has_moved) continue;
    if (has_other_news(ring) || now_us_ >= end_us) break;
    const std::int64_t next = std::min({end_us, next_event_us(), others_wake_us(ring)});
    if (next == Actor::never) {
      if (may_sleep_) break;
      report_finding("asleep", "a loop waits for ever, and nothing will wake it");
    }
    if (next <= now_us_ && others_wake_us(ring) <= now_us_) break;
    now_us_ = std::max(now_us_, next);
  }
  const bool has_any = !ring.waiting.empty() || !ring.ready.empty();
  fetch(ring);
  check_progress();
  if (has_any) return 0;
  return now_us_ >= end_us ? -ETIME : -EINTR;
}

void SimulatedKernel::check_progress() {
  waits_at_once_ = now_us_ == last_wait_us_ ? waits_at_once_ + 1 : 0;
  last_wait_us_ = now_us_;
  if (waits_at_once_ > waits_at_once_max) {
    report_finding("spins", "a loop turns again and again, and no time passes");
  }
}

// Everybody outside first, then every operation once, from anywhere on: which of those that can
// complete does so first is chance.
bool SimulatedKernel::move_world() {
  bool has_moved = false;
  for (std::size_t i = 0; i < actors_.size(); ++i) {
    Actor& actor = *actors_[i];
    if (actor.due_us > now_us_) continue;
    actor.act();
    VS_ASSERT(actor.due_us > now_us_);
    has_moved = true;
  }
  const std::size_t count = in_flight_.size();
  const std::size_t start = count > 0 ? dice_.below(count) : 0;
  for (std::size_t i = 0; i < count; ++i) {
    InFlight& operation = *in_flight_[(start + i) % count];
    if (operation.is_done || operation.not_before_us > now_us_) continue;
    const Awaited* awaited = operation.awaited;
    const bool is_in_vain = awaited != nullptr && awaited->changes == operation.changes_seen;
    if (is_in_vain && !operation.is_cancelled) continue;
    if (awaited != nullptr) operation.changes_seen = awaited->changes;
    if (!attempt(operation)) continue;
    operation.changes_seen = 0;
    has_moved = true;
  }
  for (std::size_t i = 0; i < in_flight_.size();) {
    if (!in_flight_[i]->is_done) {
      ++i;
      continue;
    }
    std::swap(in_flight_[i], in_flight_.back());
    idle_.push_back(std::move(in_flight_.back()));
    in_flight_.pop_back();
  }
  return has_moved;
}

std::int64_t SimulatedKernel::next_event_us() const noexcept {
  std::int64_t next = Actor::never;
  for (const Actor* actor : actors_)
    next = std::min(next, actor->due_us);
  for (const auto& operation : in_flight_) {
    if (operation->not_before_us > now_us_) next = std::min(next, operation->not_before_us);
  }
  return next;
}

}  // namespace videosync::sim
