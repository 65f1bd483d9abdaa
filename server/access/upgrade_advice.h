// UpgradeAdvice: what the log says of WebSockets that a proxy has spoiled, each kind once.
//
// A proxy that does not pass Host or Upgrade spoils every WebSocket, and browsers hide why. One a
// process; guards itself, any thread. What is told is bounded, whatever clients invent.
#pragma once

#include <cstddef>
#include <mutex>
#include <string_view>
#include <vector>

namespace videosync {

class UpgradeAdvice {
 public:
  static constexpr std::size_t told_max = 50;

  // Warns that a page of `origin` was refused because it asked for `host`, unless that pair was
  // told of already.
  void tell_foreign_origin(std::string_view origin, std::string_view host) noexcept;
  // Warns that a WebSocket for `host` came without its upgrade, likewise.
  void tell_missing_upgrade(std::string_view host) noexcept;

 private:
  // True the first time, while there is room.
  bool is_news(std::string_view origin, std::string_view host) noexcept;

  std::mutex mutex_;
  std::vector<std::size_t> told_;  // hashes of pairs, at most told_max
};

}  // namespace videosync
