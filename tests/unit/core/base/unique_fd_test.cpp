#include "core/base/unique_fd.h"

#include <criterion/criterion.h>
#include <fcntl.h>

using videosync::UniqueFd;

namespace {

int open_something() {
  const int descriptor = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  cr_assert_geq(descriptor, 0);
  return descriptor;
}

bool is_open(int descriptor) {
  return ::fcntl(descriptor, F_GETFD) >= 0;
}

}  // namespace

Test(unique_fd, closes_what_it_owns_at_its_end) {
  const int descriptor = open_something();
  {
    const UniqueFd owner(descriptor);
    cr_assert(owner && owner.get() == descriptor && is_open(descriptor));
  }
  cr_assert_not(is_open(descriptor));
}

Test(unique_fd, what_is_no_descriptor_is_none) {
  UniqueFd none;
  cr_assert_not(none);
  none = UniqueFd(::open("/no/such/file", O_RDONLY));
  cr_assert_not(none);
  none.reset();
}

Test(unique_fd, moving_hands_the_descriptor_on) {
  const int first = open_something();
  const int second = open_something();
  UniqueFd from(first);
  UniqueFd to(second);
  to = std::move(from);
  cr_assert(to.get() == first && is_open(first));
  cr_assert_not(is_open(second));
  UniqueFd& same = to;
  to = std::move(same);
  cr_assert(is_open(first), "moved onto itself");
  const UniqueFd third(std::move(to));
  cr_assert_eq(third.get(), first);
}

Test(unique_fd, what_is_released_stays_open) {
  UniqueFd owner(open_something());
  const int descriptor = owner.release();
  cr_assert_not(owner);
  cr_assert(is_open(descriptor));
  const UniqueFd other(descriptor);
}
