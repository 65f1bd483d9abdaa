#include "server/librarian.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

#include "core/base/assert.h"
#include "core/base/log.h"

namespace videosync {

Librarian::Librarian(MediaLibrary::Options options, std::shared_ptr<const MediaLibrary> first)
    : options_(std::move(options)),
      news_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      library_(std::move(first)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {
  VS_ASSERT(news_ >= 0);
}

Librarian::~Librarian() {
  thread_.request_stop();
  thread_.join();
  ::close(news_);
}

void Librarian::rescan() {
  const std::lock_guard lock(mutex_);
  wants_scan_ = true;
  wake_.notify_one();
}

std::shared_ptr<const MediaLibrary> Librarian::take() {
  std::uint64_t count = 0;
  while (::read(news_, &count, sizeof count) > 0) {
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
  VS_ASSERT(::write(news_, &one, sizeof one) == sizeof one);
}

void Librarian::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    auto probed = probe_.fill(library_, stop);
    for (const std::string& warning : probed.warnings)
      log_warn("media", warning);
    if (probed.library != library_) {
      library_ = std::move(probed.library);
      publish(library_);
    }
    {
      std::unique_lock lock(mutex_);
      if (!wake_.wait(lock, stop, [this] { return wants_scan_; })) return;
      wants_scan_ = false;
    }
    auto scan = MediaLibrary::scan(options_);
    if (!scan) {
      log_error("media", "the library cannot be scanned; the old one stays",
                field("why", scan.error().message));
      continue;
    }
    for (const std::string& warning : scan->warnings)
      log_warn("media", warning);
    log_info("media", "scanned", field("videos", scan->library->videos().size()));
    library_ = std::move(scan->library);
    publish(library_);
  }
}

}  // namespace videosync
