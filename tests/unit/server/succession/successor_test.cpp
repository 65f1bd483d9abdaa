// A program that is to take over, and does not, or does: what the running one learns of it.
#include "server/succession/successor.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/unique_fd.h"
#include "tests/support/temp_folder.h"

using namespace videosync;
using videosync::test::TempFolder;

namespace {

using std::chrono::milliseconds;

// Each has a spawner of its own, which lives as long as the test.
Result<std::unique_ptr<Successor>> start_program(std::string program,
                                                 std::vector<std::string> words) {
  static std::vector<std::unique_ptr<Spawner>> spawners;
  SpawnerTerms terms;
  terms.successor = std::move(program);
  terms.successor_words = std::move(words);
  terms.successor_environment = {"MORE=more", Successor::environment_of_channel()};
  spawners.push_back(Spawner::start(std::move(terms)).value());
  return Successor::start(*spawners.back(), {}, {});
}

Result<std::unique_ptr<Successor>> start_shell(const std::string& script) {
  return start_program("/bin/sh", {"sh", "-c", script});
}

bool is_there(pid_t pid) {
  return ::kill(pid, 0) == 0;
}

}  // namespace

Test(successor, its_end_is_told_with_its_status) {
  const auto successor = start_shell("exit 3");
  if (successor) {
    const auto ready = (*successor)->hear_ready();
    cr_assert(!ready && ready.error().message.contains("status 3"));
  } else {  // it was faster than the offer
    cr_assert(successor.error().message.contains("status 3"));
  }
}

Test(successor, a_program_that_is_not_there_is_an_error) {
  const auto successor = start_program("/no/such/program", {"x"});
  cr_assert(!successor && successor.error().message.contains("/no/such/program"));
}

Test(successor, one_that_says_nothing_is_killed_with_its_owner) {
  auto successor = start_shell("exec sleep 1000");
  cr_assert(successor.has_value());
  const pid_t pid = (*successor)->pid();
  cr_assert(is_there(pid));
  cr_assert((*successor)->hear_ready().error().code == ErrorCode::timed_out);
  successor->reset();
  cr_assert_not(is_there(pid));
}

Test(successor, it_has_its_environment_and_no_descriptor_but_its_own) {
  const TempFolder folder;
  folder.write("of-ours", "x");
  const UniqueFd ours(::open((folder / "of-ours").c_str(), O_RDONLY));  // not closed on exec
  auto successor = start_shell(
      "[ \"$MORE\" = more ] && [ \"$VIDEOSYNC_PREDECESSOR_FD\" = 3 ] && [ -e /proc/$$/fd/3 ] && "
      "! ls -l /proc/$$/fd | grep -q of-ours && exit 41; exit 1");
  const auto told = successor ? (*successor)->hear_ready() : std::unexpected(successor.error());
  cr_assert(told.error().message.contains("status 41"), "%s", told.error().message.c_str());
}

Test(successor, one_that_closes_its_channel_and_stays_is_not_waited_for) {
  auto successor = start_shell("exec 3>&-; exec sleep 1000");
  const auto told = successor ? (*successor)->hear_ready() : std::unexpected(successor.error());
  cr_assert(told.error().message.contains("signal 9"), "%s", told.error().message.c_str());
}
