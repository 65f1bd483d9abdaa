#include "server/librarian.h"

#include <fmt/core.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "core/base/thread.h"
#include "storage/files/open_files.h"
#include "storage/films/known_films.h"
#include "storage/names/video_name.h"

namespace videosync {

namespace {

using namespace std::chrono_literals;

// Each publication is a library of its own in memory, so what is learned and made is told of
// together; and no more than a twentieth of the time goes into that.
constexpr auto publish_every = 2s;
constexpr int publish_cost_max = 20;
constexpr auto look_for_old_every = 100ms;
constexpr auto keep_known_every = 60s;
// Changes come in swarms. A scan that takes long is not made again for each of them: at most a
// quarter of the time goes into scans.
constexpr auto changes_settle = 300ms;
constexpr int scan_cost_max = 3;
// For folders whose changes the kernel does not hear of.
constexpr auto scan_every = 300s;
constexpr int restless_doublings_max = 7;
// A folder that is not there may be back at any time, and nothing of it is watched.
constexpr auto scan_again_every = 5s;
// Storage that takes longer for one answer is told of, and a rescan does not wait for it.
constexpr std::int64_t hanging_ms = 2'000;
constexpr auto tell_first_after = std::chrono::seconds(2);
constexpr auto tell_rarely_every = std::chrono::seconds(300);

void log_warnings(const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings)
    log_warn("media", warning);
}

// By the folders' names, not by what is there: it is needed before anything is opened.
std::string known_path(const std::string& cache_directory, const MediaLibrary::Options& options) {
  if (cache_directory.empty()) return {};
  std::string names;
  std::error_code error;
  for (const std::string& directory : options.directories)
    names += std::filesystem::absolute(directory, error).lexically_normal().native() + '\n';
  return fmt::format("{}/films-{}", cache_directory, path_hash(names));
}

}  // namespace

Result<std::unique_ptr<Librarian>> Librarian::create(MediaLibrary::Options options, Tools tools,
                                                     FileHelpers& helpers) {
  Descriptors descriptors{UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
                          UniqueFd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK))};
  if (!descriptors.news) {
    return fail_errno("an eventfd for news of the videos (raise `ulimit -n`)", errno);
  }
  if (!descriptors.changes) {
    log_warn("media",
             "the kernel tells of no changes: they are seen minutes later, or with SIGHUP; raise "
             "`ulimit -n` or fs.inotify.max_user_instances",
             field("why", std::strerror(errno)));
  }
  auto desk = FileDesk::create(helpers, FileHelpers::Lane::scanning);
  if (!desk) return std::unexpected(std::move(desk.error()));
  options.watch = descriptors.changes.get();
  std::unique_ptr<Librarian> librarian(new Librarian(std::move(descriptors), std::move(*desk),
                                                     std::move(options), std::move(tools)));
  auto thread = start_thread(
      "librarian", [self = librarian.get()](const std::stop_token& stop) { self->run(stop); });
  if (!thread) return std::unexpected(std::move(thread.error()));
  librarian->thread_ = std::move(*thread);
  return librarian;
}

Librarian::Librarian(Descriptors descriptors, std::unique_ptr<FileDesk> desk,
                     MediaLibrary::Options options, Tools tools)
    : options_(std::move(options)),
      known_path_(known_path(tools.cache_directory, options_)),
      news_(std::move(descriptors.news)),
      changes_(std::move(descriptors.changes)),
      desk_(std::move(desk)),
      notes_(*desk_),
      probe_(*desk_, {.describing = std::move(tools.media_program)}),
      pictures_({.cache_directory = std::move(tools.cache_directory)}, *desk_),
      library_(MediaLibrary::make_empty()),
      tell_again_after_(tell_first_after) {
  desk_->set_patience([this](std::string_view what, std::int64_t waited_ms) {
    return goes_on_waiting(what, waited_ms);
  });
}

Librarian::~Librarian() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

std::optional<Result<Librarian::First>> Librarian::await_first(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, limit, [this] { return first_.has_value(); });
  is_first_awaited_ = false;
  return std::exchange(first_, std::nullopt);
}

void Librarian::start() {
  const std::lock_guard lock(mutex_);
  has_started_ = true;
  wake_.notify_all();
}

void Librarian::rescan() {
  const std::lock_guard lock(mutex_);
  wants_scan_ = true;
  asked_stop_.request_stop();
  changed_stop_.request_stop();
  wake_.notify_all();
}

void Librarian::take_changes() noexcept {
  // What has changed does not matter: a scan tells.
  alignas(inotify_event) std::array<char, 16 * 1024> events;
  while (::read(changes_.get(), events.data(), events.size()) > 0) {
  }
  const std::lock_guard lock(mutex_);
  if (!changed_at_) changed_at_ = Clock::now();
  changed_stop_.request_stop();
  wake_.notify_all();
}

VideoCatalogRef Librarian::take() {
  std::uint64_t count = 0;
  while (::read(news_.get(), &count, sizeof count) > 0) {
  }
  const std::lock_guard lock(mutex_);
  return std::exchange(published_, nullptr);
}

// --- The thread ----------------------------------------------------------------------------------

void Librarian::run(const std::stop_token& stop) {
  stop_ = stop;
  const std::stop_callback ends(stop, [this] {
    const std::lock_guard lock(mutex_);
    asked_stop_.request_stop();
    changed_stop_.request_stop();
  });
  recall_known();
  scan();
  {
    std::unique_lock lock(mutex_);
    if (!wake_.wait(lock, stop, [this] { return has_started_; })) return;
  }
  while (!stop.stop_requested()) {
    if (is_scan_due()) {
      scan();
    } else if (!has_work_ || !work()) {
      await_order(stop);
    }
  }
  keep_known();
}

// What is being written is looked at the more rarely the longer that lasts, for each look breaks
// off a picture that is being made; the kernel tells when it is closed.
std::optional<Librarian::Clock::time_point> Librarian::next_look_at_restless() const {
  if (restless_scans_ == 0) return std::nullopt;
  return scanned_at_ + options_.rest * (1 << std::min(restless_scans_ - 1, restless_doublings_max));
}

Librarian::Clock::time_point Librarian::next_scan() const {
  if (wants_scan_) return Clock::time_point::min();
  const Clock::time_point earliest = scanned_at_ + scan_took_ * scan_cost_max;
  Clock::time_point next = scanned_at_ + (has_failed_ ? scan_again_every : scan_every);
  if (const auto look = next_look_at_restless()) next = std::min(next, *look);
  if (changed_at_) next = std::min(next, *changed_at_ + changes_settle);
  return std::max(next, earliest);
}

bool Librarian::is_scan_due() {
  const std::lock_guard lock(mutex_);
  return next_scan() <= Clock::now();
}

// Until it is time for a scan, or the end is wanted.
void Librarian::await_order(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const auto is_due = [this] { return next_scan() <= Clock::now(); };
  while (!stop.stop_requested() && !is_due()) {
    // A change may bring the time forward.
    const bool had_changed = changed_at_.has_value();
    const auto is_news = [&] { return is_due() || changed_at_.has_value() != had_changed; };
    auto until = next_scan();
    if (shown_.size() > 1) until = std::min(until, Clock::now() + look_for_old_every);
    wake_.wait_until(lock, stop, until, is_news);
    drop_old();
  }
}

void Librarian::scan() {
  bool is_asked = false;
  {
    const std::lock_guard lock(mutex_);
    is_asked = std::exchange(wants_scan_, false);
    if (is_asked || changed_at_) restless_scans_ = 0;
    changed_at_.reset();
    asked_stop_ = {};
    changed_stop_ = {};
    if (stop_.stop_requested()) return;
  }
  const auto begin = Clock::now();
  auto scan = MediaLibrary::scan(options_, *desk_, memory_);
  {
    const std::lock_guard lock(mutex_);
    scanned_at_ = Clock::now();
    scan_took_ = scanned_at_ - begin;
    restless_scans_ = scan && scan->has_restless ? restless_scans_ + 1 : 0;
  }
  if (!scan) return on_scan_failed(scan.error(), is_asked);
  has_failed_ = false;
  memory_.open_files->forget();
  // What is known already is there at once.
  auto library = recalled(scan->library);
  const std::size_t videos = library->videos().size();
  const bool has_changed = !library->shows_same_as(*library_);
  const std::vector<std::string> warnings = take_new(std::move(scan->warnings));
  has_work_ = has_work_ || has_changed || is_asked;
  if (has_changed) {
    is_known_kept_ = false;
    keep(std::move(library));
    if (hand_first_over(First{shown_.back(), warnings})) return;
    publish(shown_.back());
  }
  log_warnings(warnings);
  if (has_changed || is_asked) {
    log_info("media", "scanned", field("videos", videos), field("changed", has_changed));
  }
  if (std::exchange(has_told_, false)) {
    log_info("media", "the storage answers again");
    tell_again_after_ = tell_first_after;
  }
}

// A folder that stays away is told of once, unless somebody asks.
void Librarian::on_scan_failed(const Error& error, bool is_asked) {
  if (error.code == ErrorCode::timed_out) return;
  const bool is_told = std::exchange(has_failed_, true);
  if (hand_first_over(std::unexpected(error))) return;
  if (is_told && !is_asked) return;
  log_error("media", "the library cannot be scanned; the old one stays",
            field("why", error.message));
}

// What was said of the scan before is not said again.
std::vector<std::string> Librarian::take_new(std::vector<std::string> warnings) {
  std::set<std::string> all(warnings.begin(), warnings.end());
  std::erase_if(warnings, [this](const std::string& line) { return told_.contains(line); });
  told_ = std::move(all);
  return warnings;
}

bool Librarian::hand_first_over(Result<First> outcome) {
  const std::lock_guard lock(mutex_);
  if (!std::exchange(is_first_awaited_, false)) return false;
  first_ = std::move(outcome);
  wake_.notify_all();
  return true;
}

void Librarian::keep(std::shared_ptr<const MediaLibrary> library) {
  const auto begin = Clock::now();
  library_ = std::move(library);
  shown_.push_back(make_catalog(library_));
  drop_old();
  shown_at_ = Clock::now();
  showing_took_ = shown_at_ - begin;
}

void Librarian::publish(VideoCatalogRef catalog) {
  {
    const std::lock_guard lock(mutex_);
    published_ = std::move(catalog);
  }
  const std::uint64_t one = 1;
  VS_ASSERT(::write(news_.get(), &one, sizeof one) == sizeof one);
}

// A library of thousands of videos takes milliseconds to go: here, not on the worker that happens
// to be the last to hold it.
void Librarian::drop_old() {
  std::erase_if(shown_, [this](const VideoCatalogRef& catalog) {
    return catalog != shown_.back() && catalog.use_count() == 1;
  });
}

// One thing to learn or to make: notes first, then durations; what took too long last. False:
// nothing is left, or it was broken off. A change does not break off what is asked for the first
// time, which takes seconds at most: else it never would be where films come all the time.
bool Librarian::work() {
  BreakOff asked;
  BreakOff changed;
  {
    const std::lock_guard lock(mutex_);
    asked = asked_stop_.get_token();
    changed = {changed_stop_.get_token(),
               next_look_at_restless().value_or(Clock::time_point::max())};
  }
  bool has_learned = notes_.read_next(library_, asked) || probe_.learn_next(library_, asked);
  // Pictures are made with what has been learned: without a duration there are no thumbnails.
  if (!has_learned && std::exchange(has_learned_news_, false)) show_news(true);
  const bool has_made = !has_learned && pictures_.make_next(*library_, changed);
  if (!has_learned && !has_made) has_learned = probe_.learn_late(*library_, changed);
  log_warnings(probe_.take_warnings());
  log_warnings(pictures_.take_warnings());
  has_news_ = has_news_ || has_learned || has_made;
  has_learned_news_ = has_learned_news_ || has_learned;
  is_known_kept_ = is_known_kept_ && !has_learned;
  if (has_made) {
    ++made_;
    log_debug("media", "a poster or thumbnails were made or tried", field("runs", made_));
  }
  if (has_learned || has_made) {
    show_news(false);
    if (Clock::now() - kept_at_ >= keep_known_every) keep_known();
    return true;
  }
  show_news(true);
  if (changed.is_due()) return false;
  has_work_ = false;
  keep_known();
  pictures_.sweep(*library_);
  if (std::exchange(made_, 0) > 0) log_info("media", "no posters or thumbnails are left to make");
  return false;
}

// With all that is known.
std::shared_ptr<const MediaLibrary> Librarian::recalled(
    std::shared_ptr<const MediaLibrary> library) {
  return pictures_.recall(probe_.recall(notes_.recall(library)));
}

void Librarian::show_news(bool at_once) {
  if (!has_news_) return;
  const auto wait = std::max<Clock::duration>(publish_every, showing_took_ * publish_cost_max);
  if (!at_once && Clock::now() - shown_at_ < wait) return;
  has_news_ = false;
  auto library = recalled(library_);
  if (library == library_) return;
  keep(std::move(library));
  publish(shown_.back());
}

// --- From process to process ---------------------------------------------------------------------

void Librarian::recall_known() {
  if (known_path_.empty()) return;
  KnownFilms known = KnownFilms::read(known_path_);
  notes_.remember(std::move(known.notes));
  probe_.remember(std::move(known.films));
  memory_.ids.recall(std::move(known.holders));
}

void Librarian::keep_known() {
  kept_at_ = Clock::now();
  if (known_path_.empty() || std::exchange(is_known_kept_, true)) return;
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(known_path_).parent_path(), error);
  const auto written =
      KnownFilms::write(known_path_, probe_.known(), memory_.ids.holders(), notes_.known());
  if (!written) {
    log_warn("media", "what is known of the films is not kept for the next start",
             field("why", written.error().message));
  }
}

// --- Storage that hangs --------------------------------------------------------------------------

bool Librarian::goes_on_waiting(std::string_view what, std::int64_t waited_ms) {
  if (stop_.stop_requested()) return false;
  if (waited_ms < hanging_ms) return true;
  tell_waiting(what, waited_ms);
  const std::lock_guard lock(mutex_);
  return !wants_scan_;
}

void Librarian::tell_waiting(std::string_view what, std::int64_t waited_ms) {
  const auto now = Clock::now();
  if (now < tell_next_) return;
  has_told_ = true;
  tell_next_ = now + tell_again_after_;
  tell_again_after_ = std::min<std::chrono::seconds>(2 * tell_again_after_, tell_rarely_every);
  log_warn("media", fmt::format("still waiting for {} since {} s", what, waited_ms / 1'000));
}

}  // namespace videosync
