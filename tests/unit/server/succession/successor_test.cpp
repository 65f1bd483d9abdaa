// A program that is to take over, and does not, or does: what the running one learns of it.
#include "server/succession/successor.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "core/base/unique_fd.h"
#include "server/succession/predecessor.h"
#include "server/succession/standstill.h"

using namespace videosync;

namespace {

using std::chrono::milliseconds;

Token a_secret() {
  Token secret;
  secret.bytes.fill(9);
  return secret;
}

Result<std::unique_ptr<Successor>> start_shell(const std::string& script) {
  const Launch launch{"/bin/sh", {"sh", "-c", script}};
  return Successor::start(launch, {"MORE=more"}, {}, a_secret());
}

bool is_there(pid_t pid) { return ::kill(pid, 0) == 0; }

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
  const auto successor = Successor::start({"/no/such/program", {"x"}}, {}, {}, a_secret());
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
  const UniqueFd ours(::open("/dev/null", O_RDONLY));  // not closed on exec
  auto successor = start_shell(
      "[ \"$MORE\" = more ] && [ \"$VIDEOSYNC_PREDECESSOR_FD\" = 3 ] && [ -e /proc/$$/fd/3 ] && "
      "[ $(ls /proc/$$/fd | wc -l) -le 5 ] && exit 41; exit 1");
  const auto told = successor ? (*successor)->hear_ready() : std::unexpected(successor.error());
  cr_assert(told.error().message.contains("status 41"), "%s", told.error().message.c_str());
}

Test(predecessor, there_is_none_without_the_variable) {
  ::unsetenv(Predecessor::variable);
  const auto predecessor = Predecessor::from_environment();
  cr_assert(predecessor.has_value() && *predecessor == nullptr);
}

namespace {

// As a successor finds it.
Result<std::unique_ptr<Predecessor>> hear_from(SuccessionChannel& old, UniqueFd end,
                                               std::string_view offer) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  const int shared[] = {old.descriptor()};
  cr_assert(old.send(SuccessionWord::listener, "[::]:80", deadline, shared).has_value());
  cr_assert(old.send(SuccessionWord::listener, "[::]:80", deadline, shared).has_value());
  cr_assert(old.send(SuccessionWord::offered, offer, deadline).has_value());
  ::setenv(Predecessor::variable, std::to_string(end.release()).c_str(), 1);
  return Predecessor::from_environment();
}

struct Ends {
  Ends() { cr_assert_eq(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both), 0); }
  int both[2];
};

}  // namespace

Test(predecessor, its_sockets_are_taken_by_their_address_and_once) {
  Ends ends;
  SuccessionChannel old{UniqueFd(ends.both[0])};
  const auto predecessor =
      hear_from(old, UniqueFd(ends.both[1]), Predecessor::encode_offer(a_secret()));
  cr_assert(predecessor.has_value());
  cr_assert_null(std::getenv(Predecessor::variable), "no child is to take itself for it");
  cr_assert((*predecessor)->secret().equals(a_secret()));
  cr_assert((*predecessor)->take_listeners("[::]:81").empty());
  cr_assert_eq((*predecessor)->take_listeners("[::]:80").size(), 2U);
  cr_assert((*predecessor)->take_listeners("[::]:80").empty());
}

Test(predecessor, of_another_form_it_cannot_be_taken_over) {
  Ends ends;
  SuccessionChannel old{UniqueFd(ends.both[0])};
  const auto predecessor =
      hear_from(old, UniqueFd(ends.both[1]), "videosync succession 2\n0123456789abcdef");
  cr_assert(!predecessor && predecessor.error().code == ErrorCode::unsupported);
}

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
