// What a filter lets through and what it refuses: in a process of its own each time, for nothing
// takes a filter back.
#include "core/confine/syscall_filter.h"

#include <criterion/criterion.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <thread>

#include "core/confine/calls.h"

using namespace videosync;

namespace {

// What `body` returns in a child of this process; -1: it did not return.
template <class Body>
int in_a_child(Body body) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(body());
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

SyscallFilter filter_with(std::initializer_list<int> more) {
  SyscallFilter filter;
  filter.allow(calls::basic);
  filter.allow(more);
  return filter;
}

int error_of(long result) {
  return result < 0 ? errno : 0;
}

}  // namespace

Test(syscall_filter, what_is_allowed_passes_and_all_else_is_as_if_it_were_not_there) {
  cr_assert_eq(in_a_child([] {
                 if (!filter_with({SYS_getpgid}).install(SyscallFilter::Threads::calling))
                   return 99;
                 return error_of(::syscall(SYS_getpgid, 0));
               }),
               0);
  cr_assert_eq(in_a_child([] {
                 if (!filter_with({}).install(SyscallFilter::Threads::calling)) return 99;
                 return error_of(::syscall(SYS_getpgid, 0));
               }),
               ENOSYS);
}

Test(syscall_filter, an_argument_decides_where_a_rule_says_so) {
  const auto socket_of = [](int family) {
    return in_a_child([family] {
      SyscallFilter filter = filter_with({});
      filter.allow_where(SYS_socket, 0, UINT32_MAX, {AF_UNIX, AF_INET6});
      if (!filter.install(SyscallFilter::Threads::calling)) return 99;
      return error_of(::socket(family, SOCK_DGRAM, 0));
    });
  };
  cr_assert_eq(socket_of(AF_UNIX), 0);
  cr_assert_neq(socket_of(AF_INET6), EPERM);
  cr_assert_eq(socket_of(AF_INET), EPERM);
  cr_assert_eq(socket_of(AF_NETLINK), EPERM);
}

Test(syscall_filter, only_what_the_mask_leaves_of_an_argument_counts) {
  const auto protect = [](int with) {
    return in_a_child([with] {
      SyscallFilter filter;
      filter.allow_where(SYS_getpriority, 0, 4, {0});
      filter.allow(calls::basic);
      if (!filter.install(SyscallFilter::Threads::calling)) return 99;
      errno = 0;
      ::syscall(SYS_getpriority, with, 0);
      return errno;
    });
  };
  cr_assert_eq(protect(0), 0);
  cr_assert_eq(protect(1), 0, "another bit");
  cr_assert_eq(protect(4), EPERM);
  cr_assert_eq(protect(5), EPERM);
}

Test(syscall_filter, the_first_rule_of_a_call_decides) {
  cr_assert_eq(in_a_child([] {
                 SyscallFilter filter;
                 filter.allow_where(SYS_getpgid, 0, UINT32_MAX, {7});
                 filter.allow({SYS_getpgid});
                 filter.allow(calls::basic);
                 if (!filter.install(SyscallFilter::Threads::calling)) return 99;
                 return error_of(::syscall(SYS_getpgid, 0));
               }),
               EPERM);
}

Test(syscall_filter, a_thread_that_was_there_before_is_held_to_it_too) {
  cr_assert_eq(in_a_child([] {
                 std::atomic<bool> is_filtered{false};
                 std::atomic<int> error{99};
                 std::thread other([&] {
                   is_filtered.wait(false);
                   error = error_of(::syscall(SYS_getpgid, 0));
                 });
                 const auto installed = filter_with({}).install(SyscallFilter::Threads::all);
                 is_filtered = true;
                 is_filtered.notify_one();
                 other.join();
                 return installed ? error.load() : 98;
               }),
               ENOSYS);
}

Test(syscall_filter, no_privileges_are_gained_any_more) {
  cr_assert_eq(in_a_child([] {
                 if (!filter_with({SYS_prctl}).install(SyscallFilter::Threads::calling)) return 99;
                 return ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
               }),
               1);
}
