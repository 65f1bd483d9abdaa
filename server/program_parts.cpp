// How Program's parts are made and joined, before any thread of theirs runs.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <thread>

#include "core/base/log.h"
#include "server/exit_status.h"
#include "server/installation.h"
#include "server/program.h"

namespace videosync {

namespace {

// A disk that hangs does not hold up the end.
constexpr std::chrono::milliseconds uploads_wait{500};

constexpr auto first_scan_wait = std::chrono::seconds(3);

// A setting that will not do, or a machine that has nothing left: the operator's, or the world's.
int refuse_listener(const char* setting, const Error& why) {
  const bool is_exhausted = why.system_errno == EMFILE || why.system_errno == ENFILE ||
                            why.system_errno == ENOBUFS || why.system_errno == ENOMEM;
  return complain(is_exhausted ? exit_unfit_machine : exit_bad_config,
                  std::string(setting) + ": " + why.message);
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

std::optional<int> Program::read_certificates() {
  const bool is_wanted = !config_.redis_url.empty() && parse_redis_url(config_.redis_url)->is_tls();
  if (!is_wanted) return std::nullopt;
  auto tls = RedisTls::create({.ca_file = config_.redis_ca_file,
                               .certificate_file = config_.redis_certificate_file,
                               .key_file = config_.redis_key_file,
                               .server_name = config_.redis_server_name});
  if (!tls) return complain(exit_bad_config, tls.error().message);
  redis_tls_ = std::move(*tls);
  return std::nullopt;
}

std::optional<int> Program::prepare() {
  if (const auto status = read_certificates()) return status;
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
  auto saved = read_state_file();
  if (!saved) return complain(exit_bad_config, "--state: " + saved.error().message);
  if (!predecessor_) {
    if (const auto status = open_uploads(*saved)) return status;
  }
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
                                     RedisLink::Options{.tls = redis_tls_.get()}, &store_clock_);
  }
  std::optional<Token> own_secret;
  if (*saved) own_secret = (*saved)->secret;
  if (predecessor_ && !is_shared) own_secret = predecessor_->offer().secret;
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
      .secret = own_secret ? SharedSecret(*own_secret) : SharedSecret(is_shared),
      .workers = {},
  });
  if (const auto status = make_workers(std::move(reactors), *catalog)) return status;
  if (const auto status = make_forms(cache)) return status;
  if (const auto status = share_uploads()) return status;
  if (is_shared) share_store();
  for (auto& worker : workers_)
    worker->open_sessions();
  if (*saved) restore_sessions(std::move(**saved));
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
                                  .program = media_program(),
                                  .is_cache_shared = predecessor_ != nullptr},
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

// What there was before the restart, if anything.
Result<std::optional<SavedState>> Program::read_state_file() {
  if (!state_file_.is_kept()) return std::nullopt;
  if (auto can_write = state_file_.check(); !can_write) return std::unexpected(can_write.error());
  return predecessor_ ? std::nullopt : state_file_.read(clock_.server_us());
}

// Before a worker's thread runs. How many could not be.
std::size_t Program::restore_sessions(SavedState saved) {
  std::size_t lost = 0;
  std::string why;  // of the first: there may be very many
  for (SavedSession& session : saved.sessions) {
    const Uuid key = session.kept.name.key;
    auto restored = memory_store_.restore(session.kept);
    if (restored) {
      SessionDirectory& directory = workers_[service_->worker_of(key)]->directory();
      restored = directory.restore(key, session.kept.value, std::move(session.company));
    }
    if (restored) continue;
    if (++lost == 1) why = std::move(restored.error().message);
  }
  log_info("main", "sessions go on from the program before",
           field("sessions", saved.sessions.size() - lost));
  if (lost > 0) {
    log_error("main", "sessions of the program before cannot go on", field("sessions", lost),
              field("why", why));
  }
  return lost;
}

// `all_rest`: no worker's thread runs, or all stand still. Else only what the store has can be
// read.
SavedState Program::saved_state(bool all_rest) const {
  SavedState state{service_->secret.get().value_or(Token{}), {}};
  for (MemoryStore::Kept& kept : memory_store_.kept()) {
    const Uuid key = kept.name.key;
    const SessionDirectory& directory = workers_[service_->worker_of(key)]->directory();
    SavedSession& session = state.sessions.emplace_back(std::move(kept));
    if (all_rest) session.company = directory.company_of(key);
  }
  return state;
}

void Program::save_sessions(bool all_rest) noexcept {
  if (!state_file_.is_kept() || service_->has_successor) return;
  SavedState state = saved_state(all_rest);
  if (auto uploads = uploads_ ? uploads_->pause(uploads_wait) : std::nullopt) {
    state.uploads = std::move(*uploads);
  }
  for (SavedSession& session : state.sessions)
    session.company.chat.clear();
  if (const auto written = state_file_.write(state, clock_.server_us())) {
    log_info("main", "sessions are kept for the next start",
             field("sessions", state.sessions.size()));
  } else {
    log_error("main", "the sessions are lost: --state cannot be written",
              field("why", written.error().message));
  }
}

// Before the library is scanned: what lies there from before is nobody's.
std::optional<int> Program::open_uploads(const std::optional<SavedState>& saved) {
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
  UploadKeeper::Owners owners;
  if (!config_.redis_url.empty()) owners.self = self_;
  owners.may_outlive = state_file_.is_kept();
  if (saved) {
    for (const SavedSession& session : saved->sessions)
      owners.living.push_back(session.kept.name.key);
    owners.uploads = saved->uploads;
  }
  auto keeper = UploadKeeper::create(config_.uploads_dir, rules, clock_, std::move(owners));
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
// Those of the program before are all taken: connections may wait in each.
std::optional<int> Program::listen_everywhere(const ListenAddress& address) {
  ListenTarget target = target_of(address);
  std::vector<UniqueFd> sockets;
  if (predecessor_) sockets = predecessor_->take_listeners(address.to_string());
  if (sockets.empty()) {
    const auto free = try_until_free([&] { return check_address_is_free(target); });
    if (!free) return refuse_listener("--listen", free.error());
  } else {
    target.port = listening_port(sockets.front().get());
  }
  while (sockets.size() < workers_.size()) {
    const bool is_copy = !sockets.empty() && target.is_unix();
    auto socket = is_copy ? copy_listening_socket(sockets.front().get())
                          : try_until_free([&] { return open_listening_socket(target); });
    if (!socket) return refuse_listener("--listen", socket.error());
    if (sockets.empty()) target.port = listening_port(socket->get());
    sockets.push_back(std::move(*socket));
  }
  listening_.push_back(listening_address(sockets.front().get()));
  OfferedListener& offer = offers_.emplace_back(address.to_string());
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    offer.descriptors.push_back(sockets[i].get());
    workers_[i % workers_.size()]->listen(std::move(sockets[i]), false);
  }
  return std::nullopt;
}

std::optional<int> Program::open_listeners() {
  for (const ListenAddress& address : config_.listen)
    if (const auto status = listen_everywhere(address)) return status;
  return config_.admin ? listen_for_admin(*config_.admin) : std::nullopt;
}

std::optional<int> Program::listen_for_admin(const ListenAddress& address) {
  const std::string name = "admin " + address.to_string();
  const ListenTarget target = target_of(address);
  std::vector<UniqueFd> sockets;
  if (predecessor_) sockets = predecessor_->take_listeners(name);
  if (sockets.empty()) {
    const auto free = try_until_free([&] { return check_address_is_free(target); });
    if (!free) return refuse_listener("--admin", free.error());
    auto socket = open_listening_socket(target);
    if (!socket) return refuse_listener("--admin", socket.error());
    sockets.push_back(std::move(*socket));
  }
  listening_.push_back("admin on " + listening_address(sockets.front().get()));
  offers_.push_back({name, {sockets.front().get()}});
  workers_.front()->listen(std::move(sockets.front()), true);
  return std::nullopt;
}

}  // namespace videosync
