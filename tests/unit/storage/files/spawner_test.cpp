// Programs that come from the spawner: whose they are, what they have, what they may do.
#include "storage/files/spawner.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "tests/support/temp_folder.h"

using namespace videosync;
using videosync::test::TempFolder;

namespace {

struct Said {
  std::string text;
  int status = 0;
};

// What a shell's script says and how it ends.
Said run_script(Spawner& spawner, const std::string& script, SpawnOrder order = {}) {
  std::array<int, 2> ends{};
  cr_assert_eq(::pipe2(ends.data(), O_CLOEXEC), 0);
  const UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  order.words = {"/bin/sh", "-c", script};
  order.output = theirs.get();
  const auto pid = spawner.spawn(order);
  cr_assert(pid.has_value());
  theirs.reset();
  Said said;
  std::array<char, 4'096> part;
  for (ssize_t n; (n = ::read(ours.get(), part.data(), part.size())) > 0;)
    said.text.append(part.data(), static_cast<std::size_t>(n));
  cr_assert_eq(::waitpid(*pid, &said.status, 0), *pid, "it is no child of ours");
  return said;
}

std::unique_ptr<Spawner> make_spawner(SpawnerTerms terms = {}) {
  return Spawner::start(std::move(terms)).value();
}

int error_of_starting(Spawner& spawner, const std::string& program) {
  const UniqueFd nothing(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  const auto pid = spawner.spawn({.words = {program}, .output = nothing.get()});
  return pid ? 0 : pid.error().system_errno;
}

}  // namespace

Test(spawner, a_program_is_our_own_child) {
  const auto spawner = make_spawner();
  const Said said = run_script(*spawner, "echo $PPID; exit 3");
  cr_assert_eq(said.text, std::to_string(::getpid()) + "\n");
  cr_assert(WIFEXITED(said.status) && WEXITSTATUS(said.status) == 3);
}

Test(spawner, it_has_what_its_order_names_and_no_other_descriptor) {
  const TempFolder folder;
  folder.write("film", "a film");
  const UniqueFd film(::open((folder / "film").c_str(), O_RDONLY));  // not closed on exec
  const UniqueFd other(::open((folder / "film").c_str(), O_RDONLY));
  const auto spawner = make_spawner();
  // ls has one more, for the list.
  const Said said = run_script(*spawner, "cat /dev/fd/3; echo; ls /proc/self/fd | tr '\\n' ' '",
                               {.input = film.get()});
  cr_assert_eq(said.text, "a film\n0 1 2 3 4 ");
}

Test(spawner, its_limits_hold_before_it_begins) {
  const auto spawner = make_spawner();
  const Said said = run_script(*spawner,
                               "ulimit -f; cut -d' ' -f19 /proc/self/stat; "
                               "[ $(cut -d' ' -f5 /proc/self/stat) = $$ ] && echo leads",
                               {.precedence = Precedence::back,
                                .memory_bytes_max = std::uint64_t{1} << 30,
                                .file_bytes_max = 1 << 20});
  cr_assert_eq(said.text, "2048\n19\nleads\n", "%s", said.text.c_str());
}

// Killed, so that it cannot see to them.
Test(spawner, its_programs_and_itself_end_with_who_asked) {
  std::array<int, 2> ends{};
  cr_assert_eq(::pipe2(ends.data(), O_CLOEXEC), 0);
  const UniqueFd alive(ends[0]);
  UniqueFd output(ends[1]);
  const pid_t asks = ::fork();
  if (asks == 0) {
    const auto spawner = make_spawner();
    const auto pid = spawner->spawn({.words = {"/bin/sleep", "1000"}, .output = output.get()});
    ::kill(::getpid(), pid ? SIGKILL : SIGTERM);
  }
  output.reset();
  int status = 0;
  ::waitpid(asks, &status, 0);
  cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "it runs");
  pollfd end{alive.get(), POLLIN, 0};
  cr_assert_eq(::poll(&end, 1, 10'000), 1, "its output is open still");
}

Test(spawner, what_cannot_be_run_says_why) {
  const auto spawner = make_spawner();
  const TempFolder folder;
  folder.write("plain", "no program");
  cr_assert_eq(error_of_starting(*spawner, "/no/such/program"), ENOENT);
  cr_assert_eq(error_of_starting(*spawner, "no-such-program"), ENOENT);
  cr_assert_eq(error_of_starting(*spawner, folder / "plain"), EACCES);
}

Test(spawner, only_the_programs_of_its_terms_are_started) {
  const auto spawner = make_spawner({.programs = {"/bin/sh"}});
  cr_assert_eq(run_script(*spawner, "echo here").text, "here\n");
  cr_assert_eq(error_of_starting(*spawner, "/bin/true"), EACCES);
}

Test(spawner, without_a_successor_in_its_terms_there_is_none) {
  const auto spawner = make_spawner();
  const UniqueFd channel(::open("/dev/null", O_RDWR | O_CLOEXEC));
  cr_assert_eq(spawner->spawn_successor(channel.get()).error().system_errno, EACCES);
}

Test(spawner, its_end_is_noticed_once) {
  const auto spawner = make_spawner();
  cr_assert(spawner->tend());
  ::kill(spawner->pid(), SIGKILL);
  siginfo_t end{};
  ::waitid(P_PID, static_cast<id_t>(spawner->pid()), &end, WEXITED | WNOWAIT);
  cr_assert_not(spawner->tend());
  cr_assert(spawner->tend());
  cr_assert_not(spawner->spawn({.words = {"/bin/true"}, .output = 1}).has_value());
}

// --- Confined ------------------------------------------------------------------------------------

Test(spawner, a_confined_program_reads_its_input_and_nothing_beside_it) {
  const TempFolder folder;
  folder.write("film", "a film");
  folder.write("secret", "a secret");
  const UniqueFd film(::open((folder / "film").c_str(), O_RDONLY | O_CLOEXEC));
  const auto spawner = make_spawner({.confines = true});
  const std::string script = "cat /dev/fd/3 '" + (folder / "secret") + "' /etc/passwd; echo";
  cr_assert_eq(run_script(*spawner, script, {.input = film.get()}).text, "a film\n");
  // The same without: it is the confinement that keeps it from there.
  const auto lax = make_spawner();
  const Said all = run_script(*lax, script, {.input = film.get()});
  cr_assert(all.text.starts_with("a filma secretroot:"));
}

Test(spawner, a_confined_program_writes_to_its_folder_alone) {
  const TempFolder folder;
  const TempFolder other;
  const UniqueFd place(::open(folder.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const auto spawner = make_spawner({.confines = true});
  run_script(*spawner,
             "echo x > '" + (folder / "made") + "'; mv '" + (folder / "made") + "' '" +
                 (folder / "moved") + "'; echo x > '" + (other / "made") + "'; echo x > /tmp/made",
             {.writes = place.get()});
  cr_assert_eq(::access((folder / "moved").c_str(), F_OK), 0);
  cr_assert_neq(::access((other / "made").c_str(), F_OK), 0);
}

// What Landlock has no right for.
Test(spawner, a_confined_program_changes_no_file_by_its_mode_or_times) {
  const TempFolder other;
  other.write("file", "x");
  ::chmod((other / "file").c_str(), 0600);
  const auto spawner = make_spawner({.confines = true});
  const Said said =
      run_script(*spawner, "chmod 666 '" + (other / "file") + "' || echo kept; truncate -s 0 '" +
                               (other / "file") + "' || echo whole; touch -d 2001-01-01 '" +
                               (other / "file") + "' || echo new");
  cr_assert_eq(said.text, "kept\nwhole\nnew\n", "%s", said.text.c_str());
}

// It is ended with its group.
Test(spawner, a_confined_program_leaves_its_group_not_even_by_a_child) {
  const auto spawner = make_spawner({.confines = true});
  const Said said = run_script(*spawner, "setsid true || echo stays");
  cr_assert_eq(said.text, "stays\n");
}

Test(spawner, a_confined_program_reaches_no_process_but_its_own) {
  const auto spawner = make_spawner({.confines = true});
  const pid_t other = ::fork();
  if (other == 0) {
    ::pause();
    ::_exit(0);
  }
  const std::string pid = std::to_string(other);
  const Said said = run_script(*spawner, "kill -9 " + pid +
                                             " || echo kept; sleep 9 & kill -9 $! && "
                                             "echo own; cat /proc/" +
                                             pid + "/environ || echo hidden");
  cr_assert_eq(said.text, "kept\nown\nhidden\n", "%s", said.text.c_str());
  cr_assert_eq(::waitpid(other, nullptr, WNOHANG), 0, "it is there");
  ::kill(other, SIGKILL);
  ::waitpid(other, nullptr, 0);
}

Test(spawner, a_confined_program_has_no_sockets_and_no_way_up) {
  const auto spawner = make_spawner({.confines = true});
  const Said said =
      run_script(*spawner,
                 "perl -MSocket -e 'for (AF_UNIX, AF_INET, AF_INET6, 16) { print socket(my $s, $_, "
                 "SOCK_DGRAM, 0) ? \"open\" : \"none\", \" \" }'; "
                 "grep -E '^(Seccomp|NoNewPrivs):' /proc/self/status || echo unseen; "
                 "unshare -U true || echo no namespace");
  cr_assert_eq(said.text, "none none none none unseen\nno namespace\n", "%s", said.text.c_str());
}
