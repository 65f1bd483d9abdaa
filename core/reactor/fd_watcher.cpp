#include "core/reactor/fd_watcher.h"

#include <cerrno>

#include "core/base/assert.h"
#include "core/reactor/ring.h"

namespace videosync {

FdWatcher::FdWatcher(Ring& ring, int descriptor, Handler on_ready, void* owner) noexcept
    : ring_(ring), descriptor_(descriptor), on_ready_(on_ready), owner_(owner) {
  on_complete = [](Operation& poll, const Completion& completion) noexcept {
    static_cast<FdWatcher&>(poll).on_polled(completion);
  };
}

FdWatcher::~FdWatcher() {
  VS_ASSERT(!is_armed_);
}

void FdWatcher::watch(std::uint32_t events) noexcept {
  events_ = events;
  if (is_armed_) {
    if (events_ != armed_events_) ring_.cancel(*this);
    return;
  }
  if (events_ == 0) return;
  is_armed_ = true;
  armed_events_ = events_;
  ring_.poll(*this, descriptor_, events_);
}

void FdWatcher::on_polled(const Completion& completion) noexcept {
  is_armed_ = false;
  if (completion.result > 0) {
    on_ready_(owner_, static_cast<std::uint32_t>(completion.result));
  } else if (completion.result != -ECANCELED && events_ != 0) {
    // -EBADF: it is no descriptor; else the kernel lacks memory. Armed again at once it would
    // complete at once, for ever.
    events_ = 0;
    on_ready_(owner_, POLLERR | POLLNVAL);
  }
  if (!is_armed_ && events_ != 0) watch(events_);
}

}  // namespace videosync
