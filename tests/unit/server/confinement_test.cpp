// What a confined server can still do, and what it cannot: each in a process of its own, for
// nothing takes it back.
#include "server/confinement.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>

#include "core/base/log.h"
#include "core/base/thread.h"
#include "core/reactor/operation.h"
#include "core/reactor/ring.h"
#include "tests/support/temp_folder.h"

using namespace videosync;
using videosync::test::TempFolder;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool is_never_confined = true;
#else
constexpr bool is_never_confined = false;
#endif

struct Installed {
  TempFolder root;
  Config config;

  explicit Installed(bool has_redis = false) {
    for (const char* name : {"media", "cache", "uploads", "www", "state", "elsewhere"}) {
      ::mkdir((root / name).c_str(), 0700);
      root.write(std::string(name) + "/file", "x");
    }
    config.media_dirs = {root / "media"};
    config.cache_dir = root / "cache";
    config.uploads_dir = root / "uploads";
    config.www_dir = root / "www";
    config.state_file = root / "state/sessions";
    config.listen = {ListenAddress::parse("127.0.0.1:0").value()};
    config.confine = Confine::required;
    if (has_redis) config.redis_url = "redis://127.0.0.1:1";
  }

  // What `body` returns in a confined child of this process.
  template <class Body>
  int confined(Body body) const {
    const pid_t pid = ::fork();
    if (pid == 0) {
      Confinement confinement(config);
      log_settings.level = LogLevel::error;
      if (!confinement.restrict_files() || !confinement.filter_calls()) ::_exit(99);
      ::_exit(body());
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  int opening(const std::string& name, int flags) const {
    const std::string path = name.starts_with('/') ? name : root / name;
    return confined([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0600) < 0 ? errno : 0; });
  }
  template <class Call>
  int error_of(Call call) const {
    return confined([&] {
      errno = 0;
      return call() < 0 ? errno : 0;
    });
  }
};

}  // namespace

TestSuite(confinement, .disabled = is_never_confined);

Test(confinement, it_writes_its_own_folders_and_reads_its_pages) {
  const Installed server;
  for (const char* folder : {"cache/", "uploads/", "state/"}) {
    const std::string name = folder;
    cr_assert_eq(server.opening(name + "new", O_WRONLY | O_CREAT), 0, "%s", folder);
    cr_assert_eq(server.opening(name + "file", O_RDONLY), 0, "%s", folder);
  }
  cr_assert_eq(server.opening("www/file", O_RDONLY), 0);
  cr_assert_eq(server.opening("www/file", O_WRONLY), EACCES);
  cr_assert_eq(server.opening("/proc/self/statm", O_RDONLY), 0);
}

Test(confinement, it_opens_neither_the_library_nor_anything_else) {
  const Installed server;
  for (const char* file : {"media/file", "elsewhere/file", "/etc/passwd", "/bin/sh"})
    cr_assert_eq(server.opening(file, O_RDONLY), EACCES, "%s", file);
  cr_assert_eq(server.opening("elsewhere/new", O_WRONLY | O_CREAT), EACCES);
}

Test(confinement, it_starts_no_program_and_no_process) {
  const Installed server;
  char* const none[] = {nullptr};
  cr_assert_eq(server.error_of([&] { return ::execve("/bin/true", none, none); }), ENOSYS);
  cr_assert_eq(server.error_of([] { return ::syscall(SYS_execveat, -1, "/bin/true", 0, 0, 0); }),
               ENOSYS);
  cr_assert_eq(server.error_of([] { return ::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); }), EPERM);
  cr_assert_eq(server.error_of([] { return ::syscall(SYS_unshare, CLONE_NEWUSER); }), ENOSYS);
  cr_assert_eq(server.confined([] {
    auto thread = start_thread("a thread", [] {});
    return thread ? 0 : 1;
  }),
               0, "threads are started as ever");
}

Test(confinement, it_calls_nobody_without_a_redis_and_listens_no_more) {
  const Installed alone;
  const Installed shared(true);
  const auto inet = [] { return ::socket(AF_INET, SOCK_STREAM, 0); };
  cr_assert_eq(alone.error_of(inet), ENOSYS);
  cr_assert_eq(shared.error_of(inet), 0);
  cr_assert_eq(shared.error_of([] { return ::socket(AF_PACKET, SOCK_RAW, 0); }), EPERM);
  cr_assert_eq(shared.error_of([&] { return ::listen(inet(), 1); }), ENOSYS);
  cr_assert_eq(shared.opening("/etc/hosts", O_RDONLY), 0, "Redis has a name");
}

Test(confinement, it_looks_into_no_other_process) {
  const Installed server;
  const pid_t parent = ::getpid();
  cr_assert_eq(server.error_of([&] { return ::ptrace(PTRACE_ATTACH, parent, 0, 0); }), ENOSYS);
  cr_assert_eq(
      server.error_of([&] { return ::syscall(SYS_process_vm_readv, parent, 0, 0, 0, 0, 0); }),
      ENOSYS);
  // Not its environment: root's CAP_PERFMON lets it read that all the same (Linux 6.13).
  const std::string folder = "/proc/" + std::to_string(parent) + "/cwd";
  char place[256];
  cr_assert_eq(server.error_of([&] { return ::readlink(folder.c_str(), place, sizeof place); }),
               EACCES);
}

Test(confinement, what_is_written_is_never_run) {
  const Installed server;
  const auto map = [](int rights) {
    return ::mmap(nullptr, 4'096, rights, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1
                                                                                            : 0;
  };
  cr_assert_eq(server.error_of([&] { return map(PROT_READ | PROT_WRITE); }), 0);
  cr_assert_eq(server.error_of([&] { return map(PROT_READ | PROT_WRITE | PROT_EXEC); }), EPERM);
  cr_assert_eq(server.error_of([] {
    void* const page =
        ::mmap(nullptr, 4'096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return ::mprotect(page, 4'096, PROT_READ | PROT_EXEC);
  }),
               EPERM);
}

// A ring that is there goes on; one without its restrictions is not to be had.
Test(confinement, its_ring_goes_on_and_no_other_is_made) {
  const Installed server;
  const auto ring = Ring::create().value();
  cr_assert_eq(server.confined([&] {
    if (!ring->enable()) return 1;
    int heard = 0;
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0 || ::write(ends[1], "x", 1) != 1) return 2;
    Operation readable;
    ring->poll(readable, ends[0], 1);
    ring->submit_and_wait(std::nullopt);
    for (const Completion& one : ring->drain())
      heard += one.operation == &readable && one.result == 1 ? 1 : 0;
    return heard == 1 ? 0 : 3;
  }),
               0);
  cr_assert_eq(server.error_of([] {
    io_uring_params parameters{};
    return ::syscall(SYS_io_uring_setup, 4, &parameters);
  }),
               ENOSYS);
}

Test(confinement, off_is_off) {
  Installed server;
  server.config.confine = Confine::off;
  cr_assert_eq(server.opening("elsewhere/file", O_RDONLY), 0);
  cr_assert_eq(server.confined([] { return ::prctl(PR_GET_SECCOMP); }), 0);
  const HelperTerms terms = Confinement(server.config).terms({"/a", {"a"}}, {});
  cr_assert_not(terms.confines || terms.programs.confines);
}

Test(confinement, a_successor_is_called_as_this_one_was) {
  const Installed server;
  const HelperTerms terms = Confinement(server.config).terms({"/a", {"a", "--b"}}, {"C=d"});
  cr_assert(terms.confines && terms.programs.confines);
  cr_assert_eq(terms.programs.successor, "/a");
  cr_assert(terms.programs.successor_words == std::vector<std::string>({"a", "--b"}));
  cr_assert(terms.programs.successor_environment == std::vector<std::string>{"C=d"});
  cr_assert(terms.programs.programs.size() == 3, "videosync-media, ffprobe, ffmpeg");
}
