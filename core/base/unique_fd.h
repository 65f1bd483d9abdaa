// UniqueFd: the owner of a file descriptor, which it closes at its end.
//
// Four bytes; moved, not copied. Who takes one in its signature owns the descriptor from then on;
// who takes an int only uses it. Nothing else in the tree closes descriptors.
#pragma once

#include <utility>

#include "core/kernel/kernel.h"

namespace videosync {

class UniqueFd {
 public:
  UniqueFd() noexcept = default;
  // What a system call answered: a negative number is no descriptor.
  explicit UniqueFd(int descriptor) noexcept : descriptor_(descriptor) {}
  UniqueFd(UniqueFd&& other) noexcept : descriptor_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      reset();
      descriptor_ = other.release();
    }
    return *this;
  }
  ~UniqueFd() { reset(); }

  explicit operator bool() const noexcept { return descriptor_ >= 0; }
  int get() const noexcept { return descriptor_; }
  // The caller owns it from now on.
  [[nodiscard]] int release() noexcept { return std::exchange(descriptor_, -1); }
  void reset() noexcept { close(); }
  // False where the kernel told a fault (errno): for what was written some storage tells it only
  // here.
  bool close() noexcept {
    const int descriptor = release();
    return descriptor < 0 || kernel::close(descriptor) == 0;
  }

 private:
  int descriptor_ = -1;
};

}  // namespace videosync
