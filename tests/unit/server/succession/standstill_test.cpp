// All stand still, and all go on.
#include "server/succession/standstill.h"

#include <criterion/criterion.h>

#include <thread>

using namespace videosync;

Test(standstill, who_holds_goes_on_with_the_verdict_and_nobody_is_held_late) {
  Standstill standstill;
  for (const bool is_over : {false, true}) {
    const std::uint64_t which = standstill.begin();
    bool verdict = !is_over;
    std::jthread worker([&] { verdict = standstill.hold(which); });
    while (standstill.held() == 0)
      std::this_thread::yield();
    cr_assert(standstill.is_begun());
    standstill.end(is_over);
    worker.join();
    cr_assert_eq(verdict, is_over);
    cr_assert_eq(standstill.hold(which), is_over, "it is over: that returns at once");
    cr_assert_eq(standstill.held(), 0U);
  }
}
