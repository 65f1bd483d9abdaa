#include "core/reactor/listener.h"

#include <cerrno>
#include <utility>

#include "core/base/assert.h"
#include "core/reactor/reactor.h"

namespace videosync {

Listener::Listener(Reactor& reactor, UniqueFd descriptor, Handler on_accepted, void* owner) noexcept
    : reactor_(reactor),
      descriptor_(std::move(descriptor)),
      on_accepted_(on_accepted),
      owner_(owner),
      rest_([](void* self) noexcept { static_cast<Listener*>(self)->arm(); }, this) {
  on_complete = [](Operation& accept, const Completion& completion) noexcept {
    static_cast<Listener&>(accept).on_accept(completion);
  };
}

Listener::~Listener() {
  VS_ASSERT(!is_armed_);
}

void Listener::arm() noexcept {
  if (is_armed_ || !wants_more_ || is_closing_) return;
  is_armed_ = true;
  reactor_.ring().accept_multishot(*this, descriptor_.get());
}

void Listener::resume() noexcept {
  wants_more_ = true;
  if (!rest_.is_armed()) arm();
}

void Listener::pause() noexcept {
  if (!std::exchange(wants_more_, false)) return;
  if (is_armed_) reactor_.ring().cancel(*this);
}

void Listener::close() noexcept {
  if (std::exchange(is_closing_, true)) return;
  reactor_.timers().cancel(rest_);
  if (is_armed_) reactor_.ring().cancel(*this);
  settle();
}

void Listener::settle() noexcept {
  if (is_closing_ && !is_armed_) descriptor_.reset();
}

void Listener::on_accept(const Completion& completion) noexcept {
  if (!completion.more) is_armed_ = false;
  if (completion.result >= 0) on_accepted_(owner_, UniqueFd(completion.result));
  if (is_closing_) {
    settle();
    return;
  }
  if (is_armed_ || !wants_more_) return;
  const bool is_exhausted = completion.result == -EMFILE || completion.result == -ENFILE ||
                            completion.result == -ENOBUFS || completion.result == -ENOMEM;
  if (!is_exhausted) {
    arm();
    return;
  }
  ++exhaustions_;
  reactor_.timers().schedule(rest_, reactor_.now_ms() + rest_ms);
}

}  // namespace videosync
