#include "server/librarian.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "core/base/thread.h"

namespace videosync {

namespace {

// Each publication is a library of its own in memory, so pictures are told of together.
constexpr auto publish_every = std::chrono::seconds(2);
constexpr auto look_for_old_every = std::chrono::milliseconds(100);
// Storage that takes longer for one answer is told of, and a rescan does not wait for it.
constexpr std::int64_t hanging_ms = 2'000;
constexpr auto tell_first_after = std::chrono::seconds(2);
constexpr auto tell_rarely_every = std::chrono::seconds(300);

void log_warnings(const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings)
    log_warn("media", warning);
}

}  // namespace

Result<std::unique_ptr<Librarian>> Librarian::create(MediaLibrary::Options options,
                                                     std::string cache_directory,
                                                     FileHelpers& helpers) {
  UniqueFd news(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!news) return fail_errno("an eventfd for news of the videos (raise `ulimit -n`)", errno);
  auto desk = FileDesk::create(helpers, FileHelpers::Lane::scanning);
  if (!desk) return std::unexpected(std::move(desk.error()));
  std::unique_ptr<Librarian> librarian(new Librarian(
      std::move(news), std::move(*desk), std::move(options), std::move(cache_directory)));
  auto thread =
      start_thread([self = librarian.get()](const std::stop_token& stop) { self->run(stop); });
  if (!thread) return std::unexpected(std::move(thread.error()));
  librarian->thread_ = std::move(*thread);
  return librarian;
}

Librarian::Librarian(UniqueFd news, std::unique_ptr<FileDesk> desk, MediaLibrary::Options options,
                     std::string cache_directory)
    : options_(std::move(options)),
      news_(std::move(news)),
      desk_(std::move(desk)),
      pictures_({.cache_directory = std::move(cache_directory)}, *desk_),
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
  work_stop_.request_stop();
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
  bool is_news = scan();
  {
    std::unique_lock lock(mutex_);
    if (!wake_.wait(lock, stop, [this] { return has_started_; })) return;
  }
  for (;;) {
    if (is_news) work(stop);
    if (!await_order(stop)) return;
    is_news = scan();
  }
}

// False: the end is wanted.
bool Librarian::await_order(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const auto is_wanted = [this] { return wants_scan_; };
  for (;;) {
    if (shown_.size() <= 1) {
      wake_.wait(lock, stop, is_wanted);
    } else {
      wake_.wait_for(lock, stop, look_for_old_every, is_wanted);
    }
    if (stop.stop_requested()) return false;
    if (wants_scan_) break;
    drop_old();
  }
  wants_scan_ = false;
  work_stop_ = {};
  return true;
}

// What was said of the scan before is not said again.
std::vector<std::string> Librarian::take_new(std::vector<std::string> warnings) {
  std::set<std::string> all(warnings.begin(), warnings.end());
  std::erase_if(warnings, [this](const std::string& line) { return told_.contains(line); });
  told_ = std::move(all);
  return warnings;
}

// False: it brought nothing to work on.
bool Librarian::scan() {
  auto scan = MediaLibrary::scan(options_, *desk_, ids_);
  if (!scan) {
    const Error& error = scan.error();
    if (error.code == ErrorCode::timed_out || hand_first_over(std::unexpected(error))) return false;
    log_error("media", "the library cannot be scanned; the old one stays",
              field("why", error.message));
    return false;
  }
  // What is known already is there at once.
  auto library = pictures_.recall(probe_.recall(scan->library));
  const std::size_t videos = library->videos().size();
  const bool has_changed = !library->shows_same_as(*library_);
  const std::vector<std::string> warnings = take_new(std::move(scan->warnings));
  if (has_changed) {
    keep(std::move(library));
    if (hand_first_over(First{shown_.back(), warnings})) return true;
    publish(shown_.back());
  } else {
    library_->forget_hls_files();
  }
  log_warnings(warnings);
  log_info("media", "scanned", field("videos", videos), field("changed", has_changed));
  if (std::exchange(has_told_, false)) {
    log_info("media", "the storage answers again");
    tell_again_after_ = tell_first_after;
  }
  return true;
}

bool Librarian::hand_first_over(Result<First> outcome) {
  const std::lock_guard lock(mutex_);
  if (!std::exchange(is_first_awaited_, false)) return false;
  first_ = std::move(outcome);
  wake_.notify_all();
  return true;
}

void Librarian::keep(std::shared_ptr<const MediaLibrary> library) {
  library_ = std::move(library);
  shown_.push_back(make_catalog(library_));
  drop_old();
}

void Librarian::show(std::shared_ptr<const MediaLibrary> library) {
  keep(std::move(library));
  publish(shown_.back());
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

// Until there is nothing left to learn or make, or another scan is wanted: what is known by then is
// not asked for again.
void Librarian::work(const std::stop_token& stop) {
  std::stop_source interrupted;
  {
    const std::lock_guard lock(mutex_);
    interrupted = work_stop_;
  }
  const std::stop_callback ends(stop, [&interrupted] { interrupted.request_stop(); });
  learn_durations(interrupted.get_token());
  make_pictures(interrupted.get_token());
}

void Librarian::learn_durations(const std::stop_token& interrupted) {
  auto probed = probe_.fill(library_, interrupted);
  log_warnings(probed.warnings);
  if (probed.library != library_) show(std::move(probed.library));
}

void Librarian::make_pictures(const std::stop_token& interrupted) {
  const auto show_news = [this] {
    auto recalled = pictures_.recall(library_);
    if (recalled != library_) show(std::move(recalled));
  };
  show_news();
  auto shown_at = Clock::now();
  std::size_t made = 0;
  while (pictures_.make_next(*library_, interrupted)) {
    ++made;
    log_debug("media", "a poster or thumbnails were made or tried", field("runs", made));
    log_warnings(pictures_.take_warnings());
    if (Clock::now() - shown_at < publish_every) continue;
    show_news();
    shown_at = Clock::now();
  }
  show_news();
  log_warnings(pictures_.take_warnings());
  if (interrupted.stop_requested()) return;
  pictures_.sweep(*library_);
  if (made > 0) log_info("media", "no posters or thumbnails are left to make", field("runs", made));
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
