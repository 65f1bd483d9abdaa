// A reactor of its own, and waiting on it for what a test expects.
#pragma once

#include <criterion/criterion.h>

#include <memory>
#include <utility>

#include "core/reactor/reactor.h"

namespace videosync::test {

struct TestLoop {
  SystemClock clock;
  std::unique_ptr<Reactor> reactor;

  TestLoop() {
    auto made = Reactor::create(clock);
    cr_assert(made.has_value());
    reactor = std::move(*made);
    cr_assert(reactor->start().has_value());
  }

  template <class Condition>
  void until(Condition&& is_met, const char* what) {
    bool is_done = is_met();
    for (int i = 0; i < 2'000 && !is_done; ++i) {
      reactor->turn(5);
      is_done = is_met();
    }
    cr_assert(is_done, "waited in vain for: %s", what);
  }
};

}  // namespace videosync::test
