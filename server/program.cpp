#include "server/program.h"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <barrier>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <utility>

#include "core/base/log.h"
#include "core/base/thread.h"
#include "core/reactor/fd_watcher.h"
#include "server/exit_status.h"
#include "server/installation.h"
#include "server/version.h"

namespace videosync {

namespace {

constexpr std::size_t expired_a_second_max = 10'000;
constexpr std::int64_t redis_wait_ms = 5'000;  // with --redis-required
constexpr int announcement_wait_ms = 100;
// An end that takes so much longer than --drain is not waited for.
constexpr auto end_wait = std::chrono::seconds(3);
constexpr std::uint32_t status_every_s = 10;
constexpr int farewell_turns_min = 5;  // for what Redis is told last
constexpr int farewell_turns_max = 20;

// Where workers' threads may be running already: nothing is taken down.
[[noreturn]] void end_unfit(const Error& why) {
  complain(exit_unfit_machine, why.message);
  flush_log();
  std::_Exit(exit_unfit_machine);
}

void start_or_end(Worker& worker, bool accepts) {
  if (const auto started = worker.start(accepts); !started) end_unfit(started.error());
}

}  // namespace

Program::Program(const Config& config, const MachineFacts& machine, FileHelpers& files,
                 Confinement& confinement, ServiceManager& manager, const Launch& launch,
                 std::unique_ptr<Predecessor> predecessor)
    : config_(config),
      machine_(machine),
      files_(files),
      confinement_(confinement),
      manager_(manager),
      launch_(launch),
      predecessor_(std::move(predecessor)),
      clock_(predecessor_ ? SystemClock(predecessor_->offer().wall_offset_us) : SystemClock()),
      memory_store_(clock_, config.sessions_max),
      state_file_(config.redis_url.empty() ? config.state_file : ""),
      metrics_(config.workers, std::string(version())) {}

int Program::run() {
  if (const auto status = prepare()) return *status;
  if (const auto status = open_listeners()) return *status;
  if (predecessor_) {
    if (const auto status = take_over()) return *status;
  }
  if (const auto filtered = confinement_.filter_calls(); !filtered)
    return complain(exit_unfit_machine, filtered.error().message);
  return serve();
}

sigset_t Program::handled_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR2})
    sigaddset(&signals, number);
  return signals;
}

std::optional<int> Program::open_signals() {
  const sigset_t signals = handled_signals();
  const int opened = kernel::make_signals(signals);
  signals_ = UniqueFd(opened);
  if (signals_) return std::nullopt;
  return complain(
      exit_unfit_machine,
      fail_errno("a descriptor for signals (raise `ulimit -n`)", -opened).error().message);
}

int Program::serve() {
  Worker& first = *workers_.front();
  // While another process still serves nobody need be told that Redis is not known yet.
  const bool accepts = !predecessor_ || !nodes_;
  std::barrier all_started(static_cast<std::ptrdiff_t>(workers_.size()));
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < workers_.size(); ++i) {
    auto thread = start_thread(fmt::format("worker {}", i), [&, worker = workers_[i].get()] {
      start_or_end(*worker, accepts);
      all_started.arrive_and_wait();
      worker->run();
    });
    if (!thread) end_unfit(thread.error());
    threads.push_back(std::move(*thread));
  }
  start_or_end(first, accepts);
  all_started.arrive_and_wait();
  if (nodes_) {
    redis_store_->start();
    nodes_->start();
  }
  const int status = run_until_drained();
  threads.clear();  // joins
  if (nodes_) end_store();
  save_sessions(true);
  leave_hanging_connections(status);
  if (status == 0) log_info("main", "drained");
  return status;
}

// What the kernel still uses for them cannot be taken down in order.
void Program::leave_hanging_connections(int status) const {
  const auto hangs = [](const auto& worker) { return worker->has_hanging_connections(); };
  if (std::ranges::none_of(workers_, hangs)) return;
  log_warn("main", "ending although storage hangs that connections were waiting for");
  flush_log();
  std::_Exit(status);
}

// On the first worker's thread.
int Program::run_until_drained() {
  Worker& first = *workers_.front();
  int status = 0;
  FdWatcher signal_watcher(
      first.reactor().ring(), signals_.get(),
      [](void* self, std::uint32_t events) noexcept {
        static_cast<Program*>(self)->on_signal(events);
      },
      this);
  FdWatcher news_watcher(
      first.reactor().ring(), librarian_->news_descriptor(),
      [](void* self, std::uint32_t) noexcept { static_cast<Program*>(self)->on_library_news(); },
      this);
  FdWatcher changes_watcher(
      first.reactor().ring(), librarian_->changes_descriptor(),
      [](void* self, std::uint32_t) noexcept {
        static_cast<Program*>(self)->librarian_->take_changes();
      },
      this);
  signal_watcher.watch(POLLIN);
  news_watcher.watch(POLLIN);
  if (librarian_->changes_descriptor() >= 0) changes_watcher.watch(POLLIN);
  const bool waits = nodes_ && (predecessor_ || config_.redis_required);
  const bool is_usable = !waits || await_store();
  const bool is_ending = service_->is_draining;
  if (!is_ending && (is_usable || !config_.redis_required)) {
    if (nodes_ && predecessor_) accept_at_last();
    announce();
  } else if (!is_ending) {
    status = complain(exit_bad_config,
                      "--redis: " + without_password(config_.redis_url) +
                          " cannot be used: " + redis_store_->last_failure() +
                          " (with --redis-required it is waited for 5 s, without it for ever)");
    drain(status);
  }
  librarian_->start();
  on_second();
  on_watchdog();
  first.run();
  signal_watcher.stop();
  news_watcher.stop();
  changes_watcher.stop();
  if (successor_watcher_) successor_watcher_->stop();
  while (!signal_watcher.is_idle() || !news_watcher.is_idle() || !changes_watcher.is_idle() ||
         (successor_watcher_ && !successor_watcher_->is_idle()))
    first.reactor().turn(10);
  successor_watcher_.reset();
  return status;
}

void Program::announce() {
  state_file_.remove();
  if (uploads_) uploads_->note_serving();
  if (predecessor_) {
    // Where it is not heard of the other's, that has ended: this one serves all the same.
    if (const auto told = predecessor_->tell_serving(); !told) {
      log_warn("main", "the program before has not said that it gives way",
               field("why", told.error().message));
    }
    predecessor_.reset();
  }
  manager_.tell_ready(status_line());
  std::string line = "listening on ";
  for (const std::string& address : listening_) {
    line += (line.ends_with(' ') ? "" : ", ") + address;
  }
  // Where stdout is full nobody reads it, and the workers wait for us.
  pollfd room{STDOUT_FILENO, POLLOUT, 0};
  if (::poll(&room, 1, announcement_wait_ms) <= 0) return;
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

void Program::accept_at_last() noexcept {
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Worker* worker = workers_[i].get();
    workers_.front()->run_on(i, [worker]() noexcept { worker->go_on(); });
  }
}

// Whether it can be used, after some time at most. A signal to end ends the wait, too.
bool Program::await_store() noexcept {
  Reactor& reactor = workers_.front()->reactor();
  log_info("main", "waiting for Redis", field("server", without_password(config_.redis_url)));
  const std::int64_t end_ms = reactor.now_ms() + redis_wait_ms;
  while (!nodes_->problem().empty() && reactor.now_ms() < end_ms && !service_->is_draining)
    reactor.turn(10);
  return nodes_->problem().empty() && !service_->is_draining;
}

// On the first worker's thread. Twice, a minute apart, the store must not have a session before its
// films go: it may have lost it, and get it back.
void Program::look_after_uploads() noexcept {
  if (!uploads_ || !nodes_) return;
  uploads_->note_nodes(nodes_->alive());
  for (const Uuid& session : uploads_->take_sessions()) {
    redis_store_->exists(session, [this, session](const Result<bool>& exists) noexcept {
      const bool is_missing = exists && !*exists;
      const bool was_missing = missing_sessions_.erase(session) > 0;
      if (is_missing && was_missing) uploads_->forget(session);
      if (is_missing && !was_missing) missing_sessions_.insert(session);
    });
  }
}

void Program::on_second() noexcept {
  if (++seconds_ % status_every_s == 0 && !service_->is_draining)
    manager_.tell_status(status_line());
  look_after_uploads();
  if (!service_->has_successor) memory_store_.expire_some(expired_a_second_max);
  if (!files_.tend()) {
    log_error("media", "a process that opens files has ended: videos may fail until a restart");
  }
  if (!files_.spawner().tend()) {
    log_error("main",
              "the process that starts programs has ended: there are no forms, and no successor "
              "(SIGUSR2), until a restart");
  }
  Reactor& reactor = workers_.front()->reactor();
  reactor.timers().schedule(second_timer_, reactor.now_ms() + 1'000);
}

std::string Program::status_line() const {
  const auto total = [this](Gauge gauge) {
    return std::max<std::int64_t>(0, metrics_.total(gauge));
  };
  return fmt::format("serving {} members of {} sessions", total(Gauge::members),
                     total(Gauge::sessions));
}

// Fed only while every loop comes round: one that stands still keeps its members from everything,
// and a new process is what helps.
void Program::on_watchdog() noexcept {
  const auto interval_us = manager_.watchdog_us();
  if (!interval_us) return;
  const Pulse::Silence silence = service_->pulse.longest(clock_.monotonic_us());
  if (!silence.is_still()) {
    manager_.feed_watchdog();
  } else if (!std::exchange(is_still_told_, true)) {
    log_error("main", "a loop stands still: the watchdog is not fed any more",
              field("worker", silence.worker));
  }
  Reactor& reactor = workers_.front()->reactor();
  const std::int64_t often_ms = std::clamp<std::int64_t>(*interval_us / 3'000, 10, 10'000);
  reactor.timers().schedule(watchdog_timer_, reactor.now_ms() + often_ms);
}

void Program::on_signal(std::uint32_t events) noexcept {
  if ((events & POLLIN) == 0) {
    log_error("main", "signals are not heard any more: only SIGKILL ends this process now");
    return;
  }
  signalfd_siginfo info{};
  while (kernel::take_signal(signals_.get(), info) > 0) {
    if (info.ssi_signo == SIGHUP) {
      manager_.tell_reloading(clock_.monotonic_us());
      librarian_->rescan();
      manager_.tell_ready(status_line());
      continue;
    }
    if (info.ssi_signo == SIGUSR2) {
      if (!service_->is_draining) begin_succession();
      continue;
    }
    if (service_->is_draining) {
      log_warn("main", "a second signal: ending at once");
      save_sessions(false);
      flush_log();
      std::_Exit(exit_forced);
    }
    if (successor_ && succession_ != Succession::over)
      fail_succession({ErrorCode::unavailable, "this one was told to end", 0});
    drain(0);
  }
}

void Program::drain(int status) noexcept {
  service_->is_draining = true;
  log_info("main", "draining", field("connections", service_->connections.load()));
  manager_.tell_stopping(config_.drain_us + 2 * std::chrono::microseconds(end_wait).count());
  end_guard_.arm(std::chrono::microseconds(config_.drain_us) + end_wait, status);
  const bool has_handed_over = service_->has_successor && !nodes_;
  const std::uint32_t spread_ms = return_spread_ms();
  // Now, not at the end: by then the path may be a successor's. It is the predecessor's until this
  // program serves.
  for (const ListenAddress& address : config_.listen) {
    if (address.is_unix() && !predecessor_ && !service_->has_successor)
      ::unlink(address.unix_path.c_str());
  }
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Worker* worker = workers_[i].get();
    workers_.front()->run_on(i, [worker, has_handed_over, spread_ms]() noexcept {
      if (has_handed_over) {
        worker->begin_drain_after_handing_over(spread_ms);
      } else {
        worker->begin_drain();
      }
    });
  }
}

// What was handed over last, and the farewell, are still on their way. What waits for an answer
// after that gets it now, while the parts that it refers to are there.
void Program::end_store() noexcept {
  Reactor& reactor = workers_.front()->reactor();
  nodes_->stop();
  for (int turns = 0; turns < farewell_turns_max; ++turns) {
    if (turns >= farewell_turns_min && redis_store_->is_settled()) break;
    reactor.turn(10);
  }
  for (const auto& worker : workers_)  // whose threads have ended
    worker->directory().on_store_lost();
  redis_store_->stop();
  while (!redis_store_->is_idle())
    reactor.turn(10);
}

NodesOwner::Totals Program::totals() noexcept {
  const auto total = [this](Gauge gauge) noexcept {
    return static_cast<std::uint32_t>(std::max<std::int64_t>(0, metrics_.total(gauge)));
  };
  return {total(Gauge::members), total(Gauge::sessions)};
}

void Program::on_degraded(const SharedSlots& slots, bool is_degraded) noexcept {
  service_->is_degraded = nodes_->is_degraded();
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Worker* worker = workers_[i].get();
    workers_.front()->run_on(
        i, [worker, slots, is_degraded]() noexcept { worker->tell_degraded(*slots, is_degraded); });
  }
}

void Program::on_store_usable() noexcept {
  service_->secret.agree(*redis_store_);
}

void Program::on_round_trip(std::int64_t took_us) noexcept {
  workers_.front()->metrics().observe(Histogram::redis_round_trip_seconds, took_us);
}

void Program::void_store_calls(const SharedSlots& slots) noexcept {
  for (StoreRelay* relay : relays_)
    relay->on_store_lost(slots);
}

void Program::on_library_news() noexcept {
  const auto catalog = librarian_->take();
  if (!catalog) return;
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Worker* worker = workers_[i].get();
    workers_.front()->run_on(i, [worker, catalog]() noexcept { worker->show_catalog(catalog); });
  }
}

}  // namespace videosync
