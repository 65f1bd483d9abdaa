#include "core/base/thread.h"

#include <criterion/criterion.h>
#include <pthread.h>

#include <array>

using videosync::start_thread;

Test(thread, runs_its_work) {
  int runs = 0;
  {
    const auto thread = start_thread("runs", [&] { ++runs; });
    cr_assert(thread.has_value());
  }
  cr_assert_eq(runs, 1);
}

Test(thread, is_known_by_its_name) {
  std::array<char, 16> name{};
  {
    const auto thread = start_thread("a name that is too long", [&](const std::stop_token&) {
      pthread_getname_np(pthread_self(), name.data(), name.size());
    });
    cr_assert(thread.has_value());
  }
  cr_assert_str_eq(name.data(), "a name that is ");
}

Test(thread, none_to_be_had_is_an_error_that_says_so) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  // A stack that fits into no address space.
  cr_assert_eq(pthread_attr_setstacksize(&attributes, std::size_t{1} << 62), 0);
  cr_assert_eq(pthread_setattr_default_np(&attributes), 0);
  const auto thread = start_thread("none", [] {});
  cr_assert_not(thread.has_value());
  cr_assert_eq(thread.error().system_errno, EAGAIN);
  cr_assert(thread.error().message.contains("starting a thread"));
}
