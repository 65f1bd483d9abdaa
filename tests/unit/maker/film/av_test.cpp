// What libav* hands out, where there is no memory: it throws, and no null is handed on.
#include "maker/film/av.h"

#include <criterion/criterion.h>

#include <climits>
#include <cstddef>
#include <new>

extern "C" {
#include <libavutil/mem.h>
}

namespace videosync {
namespace {

TestSuite(av);

Test(av, a_packet_and_a_frame_that_cannot_be_had_are_no_null) {
  av_max_alloc(1);
  const auto throws = [](auto make) {
    try {
      make();
      return false;
    } catch (const std::bad_alloc&) {
      return true;
    }
  };
  const bool packet = throws([] { return make_packet(); });
  const bool frame = throws([] { return make_frame(); });
  av_max_alloc(INT_MAX);
  cr_assert(packet && frame);
  cr_assert(make_packet() != nullptr && make_frame() != nullptr);
}

Test(av, want_of_memory_is_no_fault_of_the_film) {
  try {
    check(AVERROR(ENOMEM), "a call");
  } catch (const Fault&) {
    cr_assert_fail("it was told as one");
  } catch (const std::bad_alloc&) {
    return;
  }
  cr_assert_fail("it was passed over");
}

}  // namespace
}  // namespace videosync
