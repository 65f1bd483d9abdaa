// Program: from one process to the next. The old one's part of it is begun by SIGUSR2.
//
// The sessions are handed over while all workers stand still, so there is no moment at which two
// processes, or none, have them: an interruption of some milliseconds, during which players play
// on.
#include <fmt/core.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/base/log.h"
#include "server/exit_status.h"
#include "server/program.h"

namespace videosync {

namespace {

constexpr std::int64_t start_wait_ms = 60'000;
constexpr std::int64_t rest_look_ms = 1;
// All that stands still does so no longer: half of what a supervisor waits for a loop, and less
// than a host may be away.
constexpr std::chrono::seconds hand_over_limit{8};
constexpr std::int64_t hand_over_limit_ms = hand_over_limit / std::chrono::milliseconds(1);
constexpr std::chrono::milliseconds uploads_limit{1'000};
// How fast members come back: each is a handshake and a welcome, and a host has ten seconds.
constexpr std::int64_t returns_per_second = 2'000;  // of a worker
constexpr std::int64_t return_spread_ms_max = 3'000;

}  // namespace

// --- The new one ---------------------------------------------------------------------------------

// Whatever of it cannot go on here is a reason to leave it where it is.
std::optional<std::string> Program::cannot_take(const SavedState& saved) const {
  if (nodes_ && !saved.sessions.empty()) {
    return fmt::format("its {} sessions are in no Redis and would end: restart it instead",
                       saved.sessions.size());
  }
  if (saved.sessions.size() > config_.sessions_max) {
    return fmt::format("--max-sessions {} leaves no room for its {} sessions", config_.sessions_max,
                       saved.sessions.size());
  }
  return std::nullopt;
}

std::optional<int> Program::take_over() {
  const auto refuse = [](const std::string& why) {
    return complain(exit_bad_config, "cannot take over: " + why);
  };
  const auto bytes = predecessor_->take_sessions();
  if (!bytes) return refuse(bytes.error().message);
  auto saved = decode_state(*bytes, clock_.server_us());
  if (!saved) return refuse(saved.error().message);
  if (const auto why = cannot_take(*saved)) return refuse(*why);
  if (const auto status = open_uploads(*saved)) return status;
  if (const auto status = share_uploads()) return status;
  if (nodes_) return std::nullopt;
  const std::size_t lost = restore_sessions(std::move(*saved));
  if (lost > 0) return refuse(fmt::format("{} of its sessions cannot be read", lost));
  return std::nullopt;
}

// --- The old one ---------------------------------------------------------------------------------

void Program::begin_succession() noexcept {
  if (succession_ != Succession::none) {
    log_warn("main", "a new program is being started already");
    return;
  }
  if (service_->is_degraded) {
    log_error("main",
              "Redis is away, and sessions that are here alone would end: no new program is "
              "started before it is back");
    return;
  }
  if (::getpid() == 1) {
    log_error("main",
              "SIGUSR2: this is a container's first process, the container ends with it: "
              "start another container instead");
    return;
  }
  if (successor_watcher_ && !successor_watcher_->is_idle()) {
    log_warn("main", "the last attempt is only just over: no new program is started");
    return;
  }
  Reactor& reactor = workers_.front()->reactor();
  manager_.tell_reloading(clock_.monotonic_us());
  log_info("main", "starting a new program to take over", field("program", launch_.program));
  succession_ = Succession::starting;
  auto successor = Successor::start(files_.spawner(), offers_,
                                    {clock_.wall_offset_us(), service_->secret.get()});
  if (!successor) return fail_succession(successor.error());
  successor_ = std::move(*successor);
  successor_watcher_ = std::make_unique<FdWatcher>(
      reactor.ring(), successor_->descriptor(),
      [](void* self, std::uint32_t) noexcept { static_cast<Program*>(self)->on_successor(); },
      this);
  successor_watcher_->watch(POLLIN);
  reactor.timers().schedule(succession_timer_, reactor.now_ms() + start_wait_ms);
}

void Program::on_successor() noexcept {
  successor_watcher_->stop();
  if (succession_ == Succession::handing_over) return hear_serving();
  if (succession_ != Succession::starting) return;
  if (const auto ready = successor_->hear_ready(); !ready) return fail_succession(ready.error());
  Reactor& reactor = workers_.front()->reactor();
  reactor.timers().schedule(succession_timer_, reactor.now_ms() + hand_over_limit_ms);
  succession_deadline_ = std::chrono::steady_clock::now() + hand_over_limit;
  if (!nodes_) return gather_workers();
  // Another node: it has nothing of this one's but films that are being brought.
  if (send_sessions()) successor_watcher_->watch(POLLIN);
}

void Program::gather_workers() noexcept {
  succession_ = Succession::gathering;
  Worker& first = *workers_.front();
  const std::uint64_t which = standstill_.begin();
  for (std::size_t i = 1; i < workers_.size(); ++i) {
    Worker* worker = workers_[i].get();
    first.run_on(i, [this, worker, which]() noexcept {
      worker->come_to_rest([this, worker, which]() noexcept {
        if (standstill_.hold(which)) worker->directory().hand_away();
        worker->go_on();
      });
    });
  }
  on_rest_timer();
}

bool Program::others_rest() {
  return standstill_.held() + 1 >= workers_.size();
}

// The first worker comes to rest last: it looks whether the others have.
void Program::on_rest_timer() noexcept {
  if (succession_ != Succession::gathering) return;
  Worker& first = *workers_.front();
  if (!others_rest()) {
    first.reactor().timers().schedule(rest_timer_, first.reactor().now_ms() + rest_look_ms);
    return;
  }
  first.come_to_rest([this]() noexcept {
    // It may be about an attempt that has failed since, and another one gathers by now.
    const bool is_its_time = succession_ == Succession::gathering && others_rest();
    if (is_its_time && send_sessions()) hear_serving();
    workers_.front()->go_on();
  });
}

// False: it has failed.
bool Program::send_sessions() noexcept {
  succession_ = Succession::handing_over;
  handing_over_since_us_ = clock_.monotonic_us();
  SavedState state = nodes_ ? SavedState{} : saved_state(true);
  if (uploads_) {
    auto uploads = uploads_->pause(uploads_limit);
    if (!uploads) {
      fail_succession({ErrorCode::timed_out, "the disk of --uploads hangs", 0});
      return false;
    }
    are_uploads_paused_ = true;
    state.uploads = std::move(*uploads);
  }
  const std::string bytes = encode_state(state, clock_.server_us());
  log_info("main", "handing over", field("sessions", state.sessions.size()),
           field("bytes", bytes.size()));
  const auto sent = successor_->send_sessions(bytes, succession_deadline_);
  if (!sent) fail_succession(sent.error());
  return sent.has_value();
}

void Program::hear_serving() noexcept {
  const auto serves = successor_->hear_serving(succession_deadline_);
  if (!serves) return fail_succession(serves.error());
  log_info("main", "the new program serves", field("pid", successor_->pid()),
           field("took_ms", (clock_.monotonic_us() - handing_over_since_us_) / 1'000));
  give_way();
}

// The sessions are the successor's now, where nobody shares their store.
void Program::give_way() noexcept {
  succession_ = Succession::over;
  workers_.front()->reactor().timers().cancel(succession_timer_);
  service_->has_successor = true;
  manager_.tell_successor(successor_->pid());
  successor_->release();
  if (uploads_) uploads_->hand_away();
  if (!nodes_) {
    service_->is_draining = true;  // before anybody goes on
    workers_.front()->directory().hand_away();
    standstill_.end(true);
  }
  drain(0);
}

void Program::fail_succession(const Error& why) noexcept {
  Reactor& reactor = workers_.front()->reactor();
  const bool stands_still = !nodes_ && standstill_.is_begun();
  if (succession_timer_.is_armed()) reactor.timers().cancel(succession_timer_);
  if (rest_timer_.is_armed()) reactor.timers().cancel(rest_timer_);
  if (successor_watcher_) successor_watcher_->stop();
  successor_.reset();
  succession_ = Succession::none;
  if (std::exchange(are_uploads_paused_, false)) uploads_->resume();
  if (stands_still) standstill_.end(false);
  log_error("main", "no new program has taken over: this one goes on", field("why", why.message));
  manager_.tell_ready(status_line());
}

const char* Program::what_took_long() const noexcept {
  switch (succession_) {
    case Succession::gathering:
      return "a worker's loop has not come to rest in time";
    case Succession::handing_over:
      return "it has taken the sessions and not served in time";
    default:
      return "it could not serve in time";
  }
}

// Over how long members come back.
std::uint32_t Program::return_spread_ms() const noexcept {
  const std::int64_t members = std::max<std::int64_t>(0, metrics_.total(Gauge::members));
  const auto workers = static_cast<std::int64_t>(workers_.size());
  const std::int64_t spread_ms = members * 1'000 / (returns_per_second * workers);
  return static_cast<std::uint32_t>(std::min(spread_ms, return_spread_ms_max));
}

}  // namespace videosync
