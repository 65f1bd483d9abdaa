#include "server/librarian.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "core/base/thread.h"

namespace videosync {

namespace {

// Each publication costs every worker a list of all videos, so pictures are told of together.
constexpr auto publish_every = std::chrono::seconds(2);

void log_warnings(const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings)
    log_warn("media", warning);
}

}  // namespace

Result<std::unique_ptr<Librarian>> Librarian::create(MediaLibrary::Options options,
                                                     std::string cache_directory,
                                                     std::shared_ptr<const MediaLibrary> first) {
  UniqueFd news(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!news) return fail_errno("an eventfd for news of the videos (raise `ulimit -n`)", errno);
  return std::unique_ptr<Librarian>(new Librarian(std::move(news), std::move(options),
                                                  std::move(cache_directory), std::move(first)));
}

Librarian::Librarian(UniqueFd news, MediaLibrary::Options options, std::string cache_directory,
                     std::shared_ptr<const MediaLibrary> first)
    : options_(std::move(options)),
      news_(std::move(news)),
      pictures_({.cache_directory = std::move(cache_directory)}),
      library_(std::move(first)) {}

Result<> Librarian::start() {
  VS_ASSERT(!thread_.joinable());
  auto thread = start_thread([this](const std::stop_token& stop) { run(stop); });
  if (!thread) return std::unexpected(std::move(thread.error()));
  thread_ = std::move(*thread);
  return {};
}

Librarian::~Librarian() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void Librarian::rescan() {
  const std::lock_guard lock(mutex_);
  wants_scan_ = true;
  pictures_stop_.request_stop();
  wake_.notify_one();
}

std::shared_ptr<const MediaLibrary> Librarian::take() {
  std::uint64_t count = 0;
  while (::read(news_.get(), &count, sizeof count) > 0) {
  }
  const std::lock_guard lock(mutex_);
  return std::exchange(published_, nullptr);
}

void Librarian::publish(std::shared_ptr<const MediaLibrary> library) {
  {
    const std::lock_guard lock(mutex_);
    published_ = std::move(library);
  }
  const std::uint64_t one = 1;
  VS_ASSERT(::write(news_.get(), &one, sizeof one) == sizeof one);
}

void Librarian::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    learn_durations(stop);
    make_pictures(stop);
    do {
      std::unique_lock lock(mutex_);
      if (!wake_.wait(lock, stop, [this] { return wants_scan_; })) return;
      wants_scan_ = false;
      pictures_stop_ = {};
    } while (!scan_again());
  }
}

bool Librarian::scan_again() {
  auto scan = MediaLibrary::scan(options_);
  if (!scan) {
    log_error("media", "the library cannot be scanned; the old one stays",
              field("why", scan.error().message));
    return false;
  }
  log_warnings(scan->warnings);
  log_info("media", "scanned", field("videos", scan->library->videos().size()));
  // What is known already is there at once.
  library_ = pictures_.recall(scan->library);
  publish(library_);
  return true;
}

void Librarian::learn_durations(const std::stop_token& stop) {
  auto probed = probe_.fill(library_, stop);
  log_warnings(probed.warnings);
  if (probed.library == library_) return;
  library_ = std::move(probed.library);
  publish(library_);
}

void Librarian::make_pictures(const std::stop_token& stop) {
  std::stop_source interrupted;
  {
    const std::lock_guard lock(mutex_);
    interrupted = pictures_stop_;
  }
  const std::stop_callback ends(stop, [&interrupted] { interrupted.request_stop(); });
  const auto publish_news = [this] {
    auto recalled = pictures_.recall(library_);
    if (recalled == library_) return;
    library_ = std::move(recalled);
    publish(library_);
  };
  publish_news();
  auto published_at = std::chrono::steady_clock::now();
  std::size_t made = 0;
  while (pictures_.make_next(*library_, interrupted.get_token())) {
    ++made;
    log_debug("media", "a poster or thumbnails were made or tried", field("runs", made));
    log_warnings(pictures_.take_warnings());
    const auto now = std::chrono::steady_clock::now();
    if (now - published_at < publish_every) continue;
    publish_news();
    published_at = now;
  }
  publish_news();
  log_warnings(pictures_.take_warnings());
  if (interrupted.stop_requested()) return;
  pictures_.sweep(*library_);
  if (made > 0) log_info("media", "no posters or thumbnails are left to make", field("runs", made));
}

}  // namespace videosync
