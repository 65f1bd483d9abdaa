// What rules of Landlock let a process do: in a process of its own each time, for nothing takes
// them back.
#include "core/confine/landlock.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "tests/support/temp_folder.h"

using namespace videosync;
using videosync::test::TempFolder;

namespace {

struct Places {
  TempFolder inside;
  TempFolder outside;
  Places() {
    inside.write("file", "x");
    outside.write("file", "x");
  }
};

// What `body` returns in a child that may `rights` in the folder, and nothing elsewhere.
template <class Body>
int restricted(const std::string& folder, unsigned rights, Body body,
               Landlock::Restricted what = {}) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    auto rules = Landlock::create(what);
    if (!rules || !rules->allow(folder, rights) || !rules->enforce()) ::_exit(99);
    ::_exit(body());
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int opening(const std::string& path, int flags) {
  return ::open(path.c_str(), flags | O_CLOEXEC, 0600) < 0 ? errno : 0;
}

}  // namespace

// Where the kernel has none there is nothing to see; every kernel that the tests are for has it.
TestSuite(landlock);

Test(landlock, what_may_be_read_is_read_and_nothing_else) {
  const Places at;
  const auto open_there = [&](const std::string& path, int flags) {
    return restricted(at.inside.path(), Landlock::read, [&] { return opening(path, flags); });
  };
  cr_assert_gt(Landlock::version(), 0);
  cr_assert_eq(open_there(at.inside / "file", O_RDONLY), 0);
  cr_assert_eq(open_there(at.inside.path(), O_RDONLY | O_DIRECTORY), 0);
  cr_assert_eq(open_there(at.outside / "file", O_RDONLY), EACCES);
  cr_assert_eq(open_there(at.outside.path(), O_RDONLY | O_DIRECTORY), EACCES);
  cr_assert_eq(open_there(at.inside / "file", O_WRONLY), EACCES);
  cr_assert_eq(open_there(at.inside / "new", O_WRONLY | O_CREAT), EACCES);
}

Test(landlock, what_may_be_written_is_made_renamed_and_removed) {
  const Places at;
  constexpr unsigned all = Landlock::read | Landlock::write | Landlock::make;
  cr_assert_eq(restricted(at.inside.path(), all,
                          [&] {
                            if (opening(at.inside / "new", O_WRONLY | O_CREAT | O_TRUNC) != 0)
                              return 1;
                            if (::mkdir((at.inside / "folder").c_str(), 0700) != 0) return 2;
                            if (::rename((at.inside / "new").c_str(),
                                         (at.inside / "folder/new").c_str()) != 0)
                              return 3;
                            return ::unlink((at.inside / "folder/new").c_str()) != 0 ? 4 : 0;
                          }),
               0);
  cr_assert_eq(restricted(at.inside.path(), all,
                          [&] { return opening(at.outside / "new", O_WRONLY | O_CREAT); }),
               EACCES);
}

Test(landlock, a_rule_may_be_of_one_file_that_is_open) {
  const Places at;
  at.inside.write("other", "x");
  const UniqueFd file(::open((at.inside / "file").c_str(), O_RDONLY | O_CLOEXEC));
  const auto again = [&](const std::string& path) {
    return restricted("/nowhere", Landlock::read, [&] {
      auto rules = Landlock::create({});
      if (!rules || !rules->allow(file.get(), Landlock::read)) return 98;
      return opening(path, O_RDONLY);
    });
  };
  cr_assert_eq(again(at.inside / "file"), EACCES, "the rules were not enforced");
  const pid_t pid = ::fork();
  if (pid == 0) {
    auto rules = Landlock::create({});
    if (!rules || !rules->allow(file.get(), Landlock::read) || !rules->enforce()) ::_exit(99);
    const std::string name = "/dev/fd/" + std::to_string(file.get());
    if (opening(name, O_RDONLY) != 0) ::_exit(1);
    ::_exit(opening(at.inside / "other", O_RDONLY) == EACCES ? 0 : 2);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%d", status);
}

Test(landlock, what_is_not_restricted_stays_free) {
  const Places at;
  const auto open_outside = [&](int flags) {
    return restricted("/nowhere", Landlock::read,
                      [&] { return opening(at.outside / "file", flags); },
                      {.files = Landlock::write | Landlock::make});
  };
  cr_assert_eq(open_outside(O_RDONLY), 0);
  cr_assert_eq(open_outside(O_WRONLY), EACCES);
}
