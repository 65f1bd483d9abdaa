// What a ring can be asked for by whoever has its descriptor: no more than the reactor asks.
#include "core/reactor/ring.h"

#include <criterion/criterion.h>
#include <linux/io_uring.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

using namespace videosync;

namespace {

int error_of_registering(const Ring& ring, unsigned what, void* argument, unsigned count) {
  const long result = ::syscall(SYS_io_uring_register, ring.descriptor(), what, argument, count);
  return result < 0 ? errno : 0;
}

}  // namespace

Test(ring, an_enabled_one_takes_neither_files_nor_buffers_nor_other_restrictions) {
  const auto ring = Ring::create().value();
  cr_assert(ring->enable().has_value());
  int descriptor = STDIN_FILENO;
  cr_assert_eq(error_of_registering(*ring, IORING_REGISTER_FILES, &descriptor, 1), EACCES);
  cr_assert_eq(error_of_registering(*ring, IORING_REGISTER_EVENTFD, &descriptor, 1), EACCES);
  cr_assert_eq(error_of_registering(*ring, IORING_REGISTER_PERSONALITY, nullptr, 0), EACCES);
  io_uring_restriction all{};
  cr_assert_neq(error_of_registering(*ring, IORING_REGISTER_RESTRICTIONS, &all, 1), 0);
}
