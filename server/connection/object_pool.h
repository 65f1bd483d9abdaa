// ObjectPool: costly objects that are lent for a while and used again. One thread.
//
// At most `kept_max` idle ones are kept; the objects come back as their borrower left them, so the
// borrower resets them before it gives them back.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace videosync {

template <class T>
class ObjectPool {
 public:
  explicit ObjectPool(std::size_t kept_max) : kept_max_(kept_max) { idle_.reserve(kept_max); }

  template <class... Arguments>
  std::unique_ptr<T> take(Arguments&&... arguments) {
    if (idle_.empty()) return std::make_unique<T>(std::forward<Arguments>(arguments)...);
    std::unique_ptr<T> object = std::move(idle_.back());
    idle_.pop_back();
    return object;
  }

  void give_back(std::unique_ptr<T> object) noexcept {
    if (idle_.size() < kept_max_) idle_.push_back(std::move(object));
  }

 private:
  const std::size_t kept_max_;
  std::vector<std::unique_ptr<T>> idle_;
};

}  // namespace videosync
