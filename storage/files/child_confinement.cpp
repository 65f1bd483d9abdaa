#include "storage/files/child_confinement.h"

#include <asm/ioctls.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/confine/calls.h"
#include "core/confine/landlock.h"

namespace videosync {

namespace {

constexpr int scoped_signals_since = 6;  // Landlock's version
constexpr std::uint32_t whole = UINT32_MAX;
constexpr std::uint32_t new_namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                         CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

// Programs and libraries, wherever a distribution has them.
constexpr const char* system_folders[] = {"/usr",   "/bin",    "/sbin", "/lib",       "/lib32",
                                          "/lib64", "/libx32", "/opt",  "/nix/store", "/gnu/store"};
// What the C library, and those that decoders are linked with, look at when they begin.
constexpr const char* system_facts[] = {
    "/etc/ld.so.cache",   "/etc/ld.so.preload", "/etc/localtime", "/etc/ssl/openssl.cnf",
    "/etc/gnutls",        "/dev/urandom",       "/dev/random",    "/dev/zero",
    "/proc/cpuinfo",      "/proc/meminfo",      "/proc/stat",     "/proc/sys/vm",
    "/sys/devices/system"};

// A rule that cannot be made takes something away from the program alone.
template <class Place>
void allow_if_there(Landlock& rules, const Place& place, unsigned rights) {
  [[maybe_unused]] const auto allowed = rules.allow(place, rights);
}

// The operator's own libraries, as the dynamic linker is told of them.
void allow_named(Landlock& rules, const char* variable, std::string_view separators) {
  const char* value = std::getenv(variable);
  std::string_view rest = value == nullptr ? "" : value;
  while (!rest.empty()) {
    const std::size_t end = rest.find_first_of(separators);
    const std::string path(rest.substr(0, end));
    rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
    if (path.find('/') != std::string::npos)
      allow_if_there(rules, path, Landlock::read | Landlock::run);
  }
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? path : path.substr(0, slash);
}

void restrict_files(const ChildPlaces& places) {
  auto rules = Landlock::create({.network = true, .others = true});
  if (!rules) return;
  constexpr unsigned runs = Landlock::read | Landlock::run;
  for (const char* folder : system_folders)
    allow_if_there(*rules, folder, runs);
  for (const char* file : system_facts)
    allow_if_there(*rules, file, Landlock::read);
  allow_if_there(*rules, "/dev/null", Landlock::read | Landlock::write);
  allow_if_there(*rules, places.program, runs);
  allow_if_there(*rules, folder_of(places.program), runs);
  allow_named(*rules, "LD_LIBRARY_PATH", ":;");
  allow_named(*rules, "LD_PRELOAD", ": ");
  for (const int read : places.reads)
    allow_if_there(*rules, read, Landlock::read);
  if (places.writes >= 0) {
    allow_if_there(*rules, places.writes, Landlock::read | Landlock::write | Landlock::make);
  }
  [[maybe_unused]] const auto enforced = rules->enforce();
}

// Not to leave its group of processes, which is ended as a whole.
constexpr int working[] = {
    SYS_execve,
    SYS_wait4,
    SYS_waitid,
    SYS_getpgid,
    SYS_getsid,
    SYS_getpriority,
    SYS_times,
    SYS_getgroups,
    SYS_getresuid,
    SYS_getresgid,
    SYS_capget,
    SYS_sched_getparam,
    SYS_sched_getscheduler,
    SYS_sched_get_priority_max,
    SYS_sched_get_priority_min,
    SYS_rt_sigqueueinfo,
    SYS_getitimer,
    SYS_setitimer,
    SYS_timer_create,
    SYS_timer_delete,
    SYS_timer_settime,
    SYS_timer_gettime,
    SYS_timer_getoverrun,
    SYS_timerfd_create,
    SYS_timerfd_settime,
    SYS_timerfd_gettime,
    SYS_eventfd2,
    SYS_epoll_create1,
    SYS_epoll_ctl,
    SYS_epoll_pwait,
    SYS_chdir,
    SYS_fchdir,
    SYS_sendfile,
    SYS_splice,
    SYS_copy_file_range,
    SYS_flock,
    SYS_mlock,
    SYS_munlock,
    SYS_mincore,
    SYS_msync,
    SYS_get_mempolicy,
    SYS_set_mempolicy,
    SYS_mbind,
    SYS_close_range,
    SYS_preadv2,
    SYS_pwritev2,
#ifdef __x86_64__
    SYS_fork,
    SYS_vfork,
    SYS_getpgrp,
    SYS_alarm,
    SYS_pause,
    SYS_getrlimit,
    SYS_epoll_wait,
#endif
};

void filter_calls() {
  const auto self = static_cast<std::uint32_t>(::getpid());
  SyscallFilter filter;
  filter.allow(calls::basic);
  filter.allow(calls::reading_files);
  filter.allow(calls::writing_files);
  filter.allow(working);
  filter.allow_where(SYS_clone, 0, new_namespaces, {0});
  filter.allow_where(SYS_prlimit64, 0, whole, {0, self});
  filter.allow_where(SYS_setpriority, 1, whole, {0, self});
  filter.allow_where(SYS_sched_setaffinity, 0, whole, {0, self});
  filter.allow_where(SYS_ioctl, 1, whole, {TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIOCLEX});
  filter.allow_where(SYS_prctl, 0, whole,
                     {PR_SET_PDEATHSIG, PR_GET_PDEATHSIG, PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE,
                      PR_SET_DUMPABLE, PR_SET_VMA, PR_CAPBSET_READ});
  if (Landlock::version() >= scoped_signals_since) {
    filter.allow({SYS_kill, SYS_tgkill});
  } else {
    filter.allow_where(SYS_kill, 0, whole, {self});
    filter.allow_where(SYS_tgkill, 0, whole, {self});
  }
  [[maybe_unused]] const auto installed = filter.install(SyscallFilter::Threads::calling);
}

}  // namespace

void confine_child(const ChildPlaces& places) {
  restrict_files(places);
  filter_calls();
}

}  // namespace videosync
