#include "server/access/upgrade_advice.h"

#include <algorithm>
#include <functional>

#include "core/base/assert.h"
#include "core/base/log.h"

namespace videosync {

void UpgradeAdvice::tell_foreign_origin(std::string_view origin, std::string_view host) noexcept {
  if (!is_news(origin, host)) return;
  log_warn("websocket",
           "refused a page, for its origin is not the host that was asked for. If the page is this "
           "server's own, the proxy before it must pass Host on with its port, or say it in "
           "X-Forwarded-Host and be named with --trusted-proxy; if not, --allow-origin lets it in",
           field("origin", origin), field("host", host));
}

void UpgradeAdvice::tell_missing_upgrade(std::string_view host) noexcept {
  if (!is_news({}, host)) return;
  log_warn("websocket",
           "a WebSocket came without its upgrade: the proxy before this server must pass Upgrade "
           "and Connection on, over HTTP/1.1",
           field("host", host));
}

bool UpgradeAdvice::is_news(std::string_view origin, std::string_view host) noexcept {
  const std::hash<std::string_view> hash;
  const std::size_t pair = hash(origin) * 31 + hash(host);
  const std::lock_guard lock(mutex_);
  VS_ASSERT(told_.size() <= told_max);
  if (told_.size() == told_max || std::ranges::find(told_, pair) != told_.end()) return false;
  told_.push_back(pair);
  if (told_.size() == told_max) {
    log_warn("websocket", "more refusals of this kind are not told", field("told", told_max));
  }
  return true;
}

}  // namespace videosync
