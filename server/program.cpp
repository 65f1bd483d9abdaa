#include "server/program.h"

#include <fmt/format.h>
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
constexpr auto first_scan_wait = std::chrono::seconds(3);
// An end that takes so much longer than --drain is not waited for.
constexpr auto end_wait = std::chrono::seconds(3);
constexpr int farewell_turns_min = 5;  // for what Redis is told last
constexpr int farewell_turns_max = 20;

// A setting that will not do, or a machine that has nothing left: the operator's, or the world's.
int refuse_listener(const char* setting, const Error& why) {
  const bool is_exhausted = why.system_errno == EMFILE || why.system_errno == ENFILE ||
                            why.system_errno == ENOBUFS || why.system_errno == ENOMEM;
  return complain(is_exhausted ? exit_unfit_machine : exit_bad_config,
                  std::string(setting) + ": " + why.message);
}

// Where workers' threads may be running already: nothing is taken down.
[[noreturn]] void end_unfit(const Error& why) {
  complain(exit_unfit_machine, why.message);
  flush_log();
  std::_Exit(exit_unfit_machine);
}

void start_or_end(Worker& worker) {
  if (const auto started = worker.start(); !started) end_unfit(started.error());
}

ListenTarget target_of(const ListenAddress& address) {
  return {address.is_unix() ? "" : address.address.to_string(), address.port, address.unix_path};
}

SessionMachine::Limits session_limits_of(const Config& config) {
  SessionMachine::Limits limits;
  limits.host_grace_us = config.host_grace_us;
  limits.resume_window_us = config.resume_us;
  limits.time_to_live_us = config.session_ttl_us;
  limits.members_max = config.members_max;
  limits.talk = {config.session_chat_per_second, std::max(1U, config.session_chat_per_second)};
  return limits;
}

// Files that are kept open, of all descriptors.
std::size_t open_files_max(const MachineFacts& machine) {
  return std::clamp<std::size_t>(machine.descriptors_max / 8, 32, 256);
}

// The default folder for videos has not been made.
bool is_first_start(const Config& config, const Error& error) {
  return config.media_dirs == Config{}.media_dirs && error.system_errno == ENOENT;
}

// Neither of these folders is the other or in it.
bool lie_apart(const std::string& a, const std::string& b) {
  const auto whole = [](const std::string& path) {
    std::error_code error;
    const auto real = std::filesystem::weakly_canonical(path, error);
    return (error ? path : real.native()) + '/';
  };
  const std::string one = whole(a), other = whole(b);
  return !one.starts_with(other) && !other.starts_with(one);
}

// What the librarian's first scan found. Storage that takes its time is not waited for long: pages
// and sessions work without it. Errors are for the operator.
Result<VideoCatalogRef> first_catalog(const Config& config, Librarian& librarian) {
  auto scan = librarian.await_first(first_scan_wait);
  if (!scan) {
    log_warn("media", "serving without videos until the storage has answered",
             field("folder", fmt::format("{}", fmt::join(config.media_dirs, ", "))));
    return make_catalog(MediaLibrary::make_empty());
  }
  if (!*scan && is_first_start(config, scan->error())) {
    // Nobody asked for this folder.
    log_warn("media", "there is no folder of videos yet; make it, it is seen soon",
             field("folder", fmt::format("{}", fmt::join(config.media_dirs, ", "))));
    return make_catalog(MediaLibrary::make_empty());
  }
  if (!*scan) {
    return fail(scan->error().code, "--media: " + scan->error().message +
                                        " (make the folder, or name another with --media DIR)");
  }
  const auto& [catalog, warnings] = **scan;
  const MediaLibrary& library = *catalog->library;
  if (!config.default_video.empty() && !library.find(config.default_video)) {
    return fail(ErrorCode::not_found,
                "--video: the library has no video with the id " + config.default_video);
  }
  for (const std::string& warning : warnings)
    log_warn("media", warning);
  return catalog;
}

// An address stays in use for some milliseconds after its holder was killed: the kernel takes rings
// down, and the sockets that they hold with them, only after the process has gone. A supervisor
// restarts faster.
template <class Attempt>
auto try_until_free(Attempt attempt) {
  constexpr int attempts_max = 20;
  for (int attempts = 1;; ++attempts) {
    auto result = attempt();
    const bool is_in_use = !result && (result.error().code == ErrorCode::conflict ||
                                       result.error().system_errno == EADDRINUSE);
    if (!is_in_use || attempts == attempts_max) return result;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

}  // namespace

Program::Program(const Config& config, const MachineFacts& machine, FileHelpers& files)
    : config_(config),
      machine_(machine),
      files_(files),
      memory_store_(clock_, config.sessions_max),
      metrics_(config.workers, std::string(version())) {}

int Program::run() {
  if (const auto status = prepare()) return *status;
  if (const auto status = open_listeners()) return *status;
  return serve();
}

sigset_t Program::handled_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGHUP})
    sigaddset(&signals, number);
  return signals;
}

std::optional<int> Program::prepare() {
  auto pages = Pages::load(pages_directory(config_));
  if (!pages) {
    return complain(exit_bad_config, "--www: " + pages.error().message +
                                         " (make builds them beside the program; or name the "
                                         "folder with --www DIR)");
  }
  auto origins = OriginPolicy::create(config_.allow_origins);
  if (!origins) return complain(exit_bad_config, "--allow-origin: " + origins.error().message);
  auto sources = FilmSources::create(config_.allow_sources);
  if (!sources) return complain(exit_bad_config, "--allow-source: " + sources.error().message);
  std::string page_policy = content_security_policy(sources->origins());
  if (const auto status = open_uploads()) return status;
  const std::string cache = cache_directory(config_);
  const MediaLibrary::Options media{.directories = config_.media_dirs,
                                    .default_id = config_.default_video,
                                    .open_max = open_files_max(machine_),
                                    .has_forms = !cache.empty(),
                                    .private_directory = config_.uploads_dir};
  auto librarian = Librarian::create(media, {cache, media_program()}, files_);
  if (!librarian) return complain(exit_unfit_machine, librarian.error().message);
  librarian_ = std::move(*librarian);
  std::vector<std::unique_ptr<Reactor>> reactors;
  for (std::uint32_t i = 0; i < config_.workers; ++i) {
    auto reactor = Reactor::create(clock_, i, config_.workers);
    if (!reactor) return complain(exit_unfit_machine, reactor.error().message);
    reactors.push_back(std::move(*reactor));
  }
  const auto catalog = first_catalog(config_, *librarian_);
  if (!catalog) return complain(exit_bad_config, catalog.error().message);
  const bool is_shared = !config_.redis_url.empty();
  if (is_shared) {
    // The form was checked when the setting was read.
    redis_store_ =
        std::make_unique<RedisStore>(*reactors.front(), *parse_redis_url(config_.redis_url),
                                     RedisLink::Options{}, &store_clock_);
  }
  service_.reset(new Service{
      .config = config_,
      .clock = is_shared ? static_cast<const Clock&>(store_clock_) : clock_,
      .store = is_shared ? static_cast<SessionStore&>(*redis_store_) : memory_store_,
      .metrics = metrics_,
      .pages = std::move(*pages),
      .origins = std::move(*origins),
      .film_sources = std::move(*sources),
      .page_policy = std::move(page_policy),
      .session_limits = session_limits_of(config_),
      .session_limiter = RateLimiter({config_.sessions_per_minute, config_.sessions_burst}),
      .code_limiter =
          RateLimiter({config_.codes_per_minute, std::max(config_.codes_per_minute, 1U)}),
      .per_address = ConnectionCounter(config_.connections_per_address_max),
      .password_limiter =
          RateLimiter({config_.codes_per_minute, std::max(config_.codes_per_minute, 1U)}),
      .create_password = CreatePassword(config_.create_password),
      .secret = SharedSecret(is_shared),
      .workers = {},
  });
  if (const auto status = make_workers(std::move(reactors), *catalog)) return status;
  if (const auto status = make_forms(cache)) return status;
  if (const auto status = share_uploads()) return status;
  if (is_shared) share_store();
  for (auto& worker : workers_)
    worker->open_sessions();
  return open_signals();
}

std::optional<int> Program::make_workers(std::vector<std::unique_ptr<Reactor>> reactors,
                                         const VideoCatalogRef& catalog) {
  std::vector<Reactor*> connected;
  for (const auto& reactor : reactors)
    connected.push_back(reactor.get());
  for (auto& reactor : reactors) {
    auto desk = FileDesk::create(files_, FileHelpers::Lane::serving);
    if (!desk) return complain(exit_unfit_machine, desk.error().message);
    workers_.push_back(
        std::make_unique<Worker>(*service_, std::move(reactor), catalog, std::move(*desk)));
    service_->workers.push_back(workers_.back().get());
  }
  for (Reactor* reactor : connected)
    reactor->connect(connected);
  return std::nullopt;
}

std::optional<int> Program::make_forms(const std::string& cache) {
  if (cache.empty()) return std::nullopt;
  auto forms = FormMaker::create({.cache_directory = cache,
                                  .cache_bytes_max = config_.cache_bytes_max,
                                  .pictures_max = config_.transcodes_max,
                                  .cores = std::max(1U, machine_.cores),
                                  .program = media_program()},
                                 files_);
  if (!forms) return complain(exit_unfit_machine, forms.error().message);
  forms_ = std::move(*forms);
  service_->form_counts = &forms_->counts();
  for (auto& worker : workers_) {
    auto desk = FormDesk::create("forms of films");
    if (!desk) return complain(exit_unfit_machine, desk.error().message);
    worker->set_forms(*forms_, std::move(*desk));
  }
  return std::nullopt;
}

// Before the library is scanned: what lies there from before is nobody's.
std::optional<int> Program::open_uploads() {
  if (config_.uploads_dir.empty()) return std::nullopt;
  for (const std::string& media : config_.media_dirs) {
    if (!lie_apart(media, config_.uploads_dir)) {
      return complain(exit_bad_config, "--uploads: " + config_.uploads_dir + " and --media " +
                                           media + " may not lie in each other");
    }
  }
  const UploadRules rules{.bytes_max = config_.upload_bytes_max,
                          .quota = config_.uploads_quota,
                          .expires_us = config_.upload_expires_us};
  const auto self = config_.redis_url.empty() ? std::nullopt : std::optional(self_);
  auto keeper = UploadKeeper::create(config_.uploads_dir, rules, clock_, self);
  if (!keeper) return complain(exit_bad_config, "--uploads: " + keeper.error().message);
  uploads_ = std::move(*keeper);
  return std::nullopt;
}

std::optional<int> Program::share_uploads() {
  if (!uploads_) return std::nullopt;
  for (auto& worker : workers_) {
    auto desk = UploadDesk::create("uploads");
    if (!desk) return complain(exit_unfit_machine, desk.error().message);
    worker->set_uploads(*uploads_, std::move(*desk));
  }
  return std::nullopt;
}

void Program::share_store() {
  Worker& first = *workers_.front();
  nodes_ = std::make_unique<Nodes>(NodesPorts{.clock = store_clock_,
                                              .timers = first.reactor().timers(),
                                              .store = *redis_store_,
                                              .around = first.surroundings(),
                                              .workers = workers_.size(),
                                              .self = self_},
                                   *this);
  service_->nodes = nodes_.get();
  service_->redis = redis_store_.get();
  service_->store_clock = &store_clock_;
  redis_store_->listen(*nodes_);
  const StoreRelay::End owner{first.surroundings(), first.index()};
  for (auto& worker : workers_) {
    const StoreRelay::End here{worker->surroundings(), worker->index()};
    auto relay = std::make_unique<StoreRelay>(*redis_store_, owner, here);
    relays_.push_back(relay.get());
    worker->set_store(std::move(relay));
  }
}

// Every worker gets a socket of its own on a TCP address, and a copy of the one on a unix path.
std::optional<int> Program::listen_everywhere(const ListenAddress& address) {
  ListenTarget target = target_of(address);
  int first = -1;  // the first worker's
  for (auto& worker : workers_) {
    const bool is_copy = first >= 0 && target.is_unix();
    auto socket = is_copy ? copy_listening_socket(first)
                          : try_until_free([&] { return open_listening_socket(target); });
    if (!socket) return refuse_listener("--listen", socket.error());
    if (first < 0) {
      first = socket->get();
      target.port = listening_port(first);
      listening_.push_back(listening_address(first));
    }
    worker->listen(std::move(*socket), false);
  }
  return std::nullopt;
}

std::optional<int> Program::open_listeners() {
  for (const ListenAddress& address : config_.listen) {
    const auto free = try_until_free([&] { return check_address_is_free(target_of(address)); });
    if (!free) return refuse_listener("--listen", free.error());
    if (const auto status = listen_everywhere(address)) return status;
  }
  if (!config_.admin) return std::nullopt;
  const ListenTarget target = target_of(*config_.admin);
  const auto free = try_until_free([&] { return check_address_is_free(target); });
  if (!free) return refuse_listener("--admin", free.error());
  auto socket = open_listening_socket(target);
  if (!socket) return refuse_listener("--admin", socket.error());
  listening_.push_back("admin on " + listening_address(socket->get()));
  workers_.front()->listen(std::move(*socket), true);
  return std::nullopt;
}

std::optional<int> Program::open_signals() {
  const sigset_t signals = handled_signals();
  signals_ = UniqueFd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (signals_) return std::nullopt;
  return complain(
      exit_unfit_machine,
      fail_errno("a descriptor for signals (raise `ulimit -n`)", errno).error().message);
}

int Program::serve() {
  Worker& first = *workers_.front();
  std::barrier all_started(static_cast<std::ptrdiff_t>(workers_.size()));
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < workers_.size(); ++i) {
    auto thread = start_thread([&, worker = workers_[i].get()] {
      start_or_end(*worker);
      all_started.arrive_and_wait();
      worker->run();
    });
    if (!thread) end_unfit(thread.error());
    threads.push_back(std::move(*thread));
  }
  start_or_end(first);
  all_started.arrive_and_wait();
  if (nodes_) {
    redis_store_->start();
    nodes_->start();
  }
  const int status = run_until_drained();
  threads.clear();  // joins
  if (nodes_) end_store();
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
  if (!nodes_ || !config_.redis_required || await_store()) {
    announce();
  } else if (!service_->is_draining) {
    status = complain(exit_bad_config,
                      "--redis: " + without_password(config_.redis_url) +
                          " cannot be used: " + redis_store_->last_failure() +
                          " (with --redis-required it is waited for 5 s, without it for ever)");
    drain(status);
  }
  librarian_->start();
  on_second();
  first.run();
  signal_watcher.stop();
  news_watcher.stop();
  changes_watcher.stop();
  while (!signal_watcher.is_idle() || !news_watcher.is_idle() || !changes_watcher.is_idle())
    first.reactor().turn(10);
  return status;
}

void Program::announce() const {
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
  look_after_uploads();
  memory_store_.expire_some(expired_a_second_max);
  if (!files_.tend()) {
    log_error("media", "a process that opens files has ended: videos may fail until a restart");
  }
  Reactor& reactor = workers_.front()->reactor();
  reactor.timers().schedule(second_timer_, reactor.now_ms() + 1'000);
}

void Program::on_signal(std::uint32_t events) noexcept {
  if ((events & POLLIN) == 0) {
    log_error("main", "signals are not heard any more: only SIGKILL ends this process now");
    return;
  }
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGHUP) {
      librarian_->rescan();
      continue;
    }
    if (service_->is_draining) {
      log_warn("main", "a second signal: ending at once");
      flush_log();
      std::_Exit(exit_forced);
    }
    log_info("main", "draining", field("connections", service_->connections.load()));
    drain(0);
  }
}

void Program::drain(int status) noexcept {
  service_->is_draining = true;
  end_guard_.arm(std::chrono::microseconds(config_.drain_us) + end_wait, status);
  // Now, not at the end: by then the path may be a successor's.
  for (const ListenAddress& address : config_.listen) {
    if (address.is_unix()) ::unlink(address.unix_path.c_str());
  }
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Worker* worker = workers_[i].get();
    workers_.front()->run_on(i, [worker]() noexcept { worker->begin_drain(); });
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

void Program::on_degraded(bool is_degraded) noexcept {
  service_->is_degraded = is_degraded;
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Worker* worker = workers_[i].get();
    workers_.front()->run_on(
        i, [worker, is_degraded]() noexcept { worker->tell_degraded(is_degraded); });
  }
}

void Program::on_store_usable() noexcept {
  service_->secret.agree(*redis_store_);
}

void Program::on_round_trip(std::int64_t took_us) noexcept {
  workers_.front()->metrics().observe(Histogram::redis_round_trip_seconds, took_us);
}

void Program::void_store_calls() noexcept {
  for (StoreRelay* relay : relays_)
    relay->on_store_lost();
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
