// The helpers and the desk: what is opened and listed, and what happens when no helper answers.
#include "storage/files/file_desk.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "core/base/unique_fd.h"
#include "storage/files/file_helpers.h"
#include "storage/files/folder_walk.h"
#include "tests/support/media_storage.h"
#include "tests/support/temp_folder.h"

using namespace videosync;
using namespace videosync::test;

namespace {

// The helpers of this process, all of which hang while they are stopped.
class StoppedHelpers {
 public:
  StoppedHelpers() { signal_helpers(SIGSTOP); }
  ~StoppedHelpers() { signal_helpers(SIGCONT); }
};

void await_answer(const FileDesk& desk) {
  pollfd waited{desk.descriptor(), POLLIN, 0};
  cr_assert_eq(::poll(&waited, 1, 10'000), 1, "no answer");
}

std::unique_ptr<FileDesk> make_serving_desk() {
  return make_desk(FileHelpers::Lane::serving);
}

// A folder that was opened by another desk, and one that serves from it.
struct ServedFolder {
  TempFolder folder;
  const MediaFolderRef opened = make_desk()->open_folder(folder.path()).value();
  const std::unique_ptr<FileDesk> desk = make_serving_desk();

  Result<std::uint64_t> ask_for(std::string name) const {
    return desk->ask_to_open(opened, std::move(name));
  }
};

}  // namespace

Test(file_desk, a_file_is_open_here_and_described) {
  TempFolder folder;
  folder.write("cat.mp4", "0123456789");
  const std::size_t before = settled_descriptors();
  {
    const auto made = make_desk();
    FileDesk& desk = *made;
    const MediaFolderRef opened = desk.open_folder(folder.path()).value();
    cr_assert_eq(opened->real_path(), std::filesystem::canonical(folder.path()).native());
    const MediaFileRef file = desk.open(opened, "cat.mp4").value();
    cr_assert_eq(file->size(), 10);
    cr_assert_eq(file->path(), "cat.mp4");
    char byte = 0;
    cr_assert_eq(::pread(file->fd(), &byte, 1, 9), 1);
    cr_assert_eq(byte, '9');
    cr_assert(desk.open(opened, "dog.mp4").error().code == ErrorCode::not_found);
    cr_assert(desk.open(opened, "").error().code == ErrorCode::not_found);
    cr_assert(desk.open(opened, std::string(5'000, 'a')).error().code == ErrorCode::not_found);
    cr_assert(desk.open(opened, std::string("cat.mp4\0", 8)).error().code == ErrorCode::not_found);
    cr_assert_eq(desk.open_folder(folder / "none").error().system_errno, ENOENT);
    cr_assert_eq(desk.open_folder(folder / "cat.mp4").error().system_errno, ENOTDIR);
  }
  cr_assert_eq(settled_descriptors(), before);
}

Test(file_desk, a_walk_comes_whole_and_in_order) {
  TempFolder folder;
  const std::string tail = std::string(200, 'x') + ".mp4";
  constexpr int count = 1'000;
  for (int i = 0; i < count; ++i)
    folder.write(fmt::format("{:04}{}", i, tail), std::string(static_cast<std::size_t>(i), 'x'));
  folder.write("notes.txt");
  folder.write("sub/a\nb/cat.mkv", "cat");
  folder.write("sub/.hidden/cat.mkv");
  folder.write("sub/VIDEO_TS/a.vob");
  folder.write("film/master.m3u8");
  folder.write("film/0.mp4");
  folder.write("film/v0/1.mp4");
  folder.write("film/captions/en.vtt");
  folder.link("nowhere", "link");
  const auto made = make_desk();
  FileDesk& desk = *made;
  const MediaFolderRef opened = desk.open_folder(folder.path()).value();
  const std::size_t before = settled_descriptors();
  const FolderTree tree = desk.walk(opened).value();
  cr_assert_eq(settled_descriptors(), before);
  std::vector<std::string> paths;
  for (const ListedFolder& listed : tree.folders)
    paths.push_back(listed.path);
  cr_assert((paths == std::vector<std::string>{"", "film", "film/captions", "sub", "sub/a\nb"}));
  const std::vector<ListedFile>& top = tree.folders[0].files;
  cr_assert_eq(top.size(), count);
  for (std::size_t i = 0; i < count; ++i) {
    cr_assert_eq(top[i].name, fmt::format("{:04}{}", i, tail));
    cr_assert_eq(top[i].facts.size, i);
  }
  cr_assert_eq(tree.folders[1].files.size(), 1, "a folder's segments are not told");
  cr_assert_eq(tree.folders[4].files.at(0).name, "cat.mkv");
  cr_assert_eq(tree.warnings.size(), 2, "the link and the disc");
}

Test(file_desk, a_walk_goes_so_deep_and_says_so) {
  TempFolder folder;
  std::string path;
  for (int depth = 1; depth <= walk_depth_max + 1; ++depth) {
    path += std::to_string(depth) + "/";
    folder.write(path + "film.mp4");
  }
  const auto made = make_desk();
  const FolderTree tree = made->walk(made->open_folder(folder.path()).value()).value();
  cr_assert_eq(tree.folders.size(), walk_depth_max + 1);
  cr_assert_eq(tree.warnings.size(), 1);
  cr_assert(tree.warnings[0].contains("more than 16 folders deep"));
}

Test(file_desk, a_walk_has_the_kernel_tell_of_changes) {
  TempFolder folder;
  folder.write("a/b/film.mp4");
  const UniqueFd changes(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  const auto made = make_desk();
  made->walk(made->open_folder(folder.path()).value(), changes.get()).value();
  const auto hears = [&] {
    char events[4'096];
    return ::read(changes.get(), events, sizeof events) > 0;
  };
  cr_assert(!hears());
  folder.write("a/b/other.mp4");
  cr_assert(hears());
  folder.make_folder("a/c");
  cr_assert(hears());
  folder.remove("a/b/film.mp4");
  cr_assert(hears());
}

Test(file_desk, who_does_not_wait_is_told_of_each_file_by_its_number) {
  const ServedFolder served;
  std::map<std::uint64_t, std::string> asked;
  for (int i = 0; i < 20; ++i) {
    const std::string name = fmt::format("{}.ts", i);
    if (i % 2 == 0) served.folder.write(name, name);
    asked.emplace(served.ask_for(name).value(), name);
  }
  while (!asked.empty()) {
    await_answer(*served.desk);
    while (const auto opened_file = served.desk->take_opened()) {
      const std::string name = asked.extract(opened_file->number).mapped();
      cr_assert_eq(opened_file->file.has_value(), std::stoi(name) % 2 == 0);
      if (opened_file->file) cr_assert_eq((*opened_file->file)->path(), name);
    }
  }
}

Test(file_desk, a_wait_ends_with_patience_and_what_comes_late_is_closed) {
  TempFolder folder;
  folder.write("cat.mp4");
  const auto made = make_desk();
  FileDesk& desk = *made;
  const MediaFolderRef opened = desk.open_folder(folder.path()).value();
  const std::size_t before = settled_descriptors();
  {
    StoppedHelpers stopped;
    std::vector<std::int64_t> waits;
    desk.set_patience([&](std::string_view what, std::int64_t waited_ms) {
      cr_assert_eq(what, folder / "cat.mp4");
      waits.push_back(waited_ms);
      return waits.size() < 3;
    });
    cr_assert(desk.open(opened, "cat.mp4").error().code == ErrorCode::timed_out);
    cr_assert_eq(waits.size(), 3);
    cr_assert(std::is_sorted(waits.begin(), waits.end()));
  }
  desk.set_patience({});
  cr_assert_eq(desk.open(opened, "cat.mp4").value()->size(), 1, "the desk is of use again");
  cr_assert_eq(desk.walk(opened).value().folders.at(0).files.size(), 1);
  // Both helpers have answered by the time that one of them has answered twice more.
  for (int i = 0; i < 100 && settled_descriptors() != before; ++i)
    cr_assert(desk.open(opened, "cat.mp4").has_value());
  cr_assert_eq(settled_descriptors(), before);
}

Test(file_desk, a_desk_that_is_owed_an_answer_keeps_its_number) {
  TempFolder folder;
  folder.write("cat.mp4");
  MediaFolderRef opened = make_desk()->open_folder(folder.path()).value();
  const int folder_number = opened->fd();
  int number = -1;
  {
    StoppedHelpers stopped;
    const auto made = make_serving_desk();
    FileDesk& desk = *made;
    number = desk.descriptor();
    cr_assert(desk.ask_to_open(std::move(opened), "cat.mp4").has_value());
    cr_assert_geq(::fcntl(folder_number, F_GETFD), 0, "the folder is still needed");
  }
  cr_assert_geq(::fcntl(number, F_GETFD), 0, "a helper will answer there");
}

Test(file_desk, no_more_is_asked_than_may_wait) {
  const ServedFolder first, second;
  {
    StoppedHelpers stopped;
    for (std::uint32_t i = 0; i < FileHelpers::serving_requests_max; ++i)
      cr_assert((i % 2 == 0 ? first : second).ask_for("cat.ts").has_value());
    cr_assert(first.ask_for("cat.ts").error().code == ErrorCode::exhausted);
    cr_assert(second.ask_for("cat.ts").error().code == ErrorCode::exhausted);
  }
  for (std::uint32_t i = 0; i < FileHelpers::serving_requests_max; ++i) {
    FileDesk& desk = *(i % 2 == 0 ? first : second).desk;
    await_answer(desk);
    cr_assert(desk.take_opened()->file.error().code == ErrorCode::not_found);
  }
  cr_assert(first.ask_for("cat.ts").has_value(), "there is room again");
}

Test(file_desk, closing_is_never_waited_for_and_too_much_of_it_stops_opens) {
  constexpr auto many = static_cast<int>(FileHelpers::closes_pending_max) + 1;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max < many + 100) cr_skip_test("too few descriptors may be open");
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  const ServedFolder served;
  served.folder.write("cat.ts");
  const std::size_t before = settled_descriptors();
  {
    StoppedHelpers stopped;
    for (int i = 0; i < many; ++i)
      helpers().close_later(::dup(0));
    cr_assert_eq(helpers().closes_pending(), many);
    cr_assert(served.ask_for("cat.ts").error().code == ErrorCode::exhausted);
  }
  cr_assert_eq(settled_descriptors(), before);
  cr_assert(served.ask_for("cat.ts").has_value());
}

Test(file_desk, a_file_that_is_lent_to_another_is_waited_for) {
  const ServedFolder served;
  served.folder.write("cat.ts");
  sigset_t broken;
  sigemptyset(&broken);
  sigaddset(&broken, SIGIO);
  ::sigprocmask(SIG_BLOCK, &broken, nullptr);
  const int lent = ::open((served.folder / "cat.ts").c_str(), O_RDWR | O_CLOEXEC);
  if (::fcntl(lent, F_SETLEASE, F_WRLCK) != 0) cr_skip_test("no leases here");
  cr_assert(served.ask_for("cat.ts").has_value());
  const timespec patience{10, 0};
  cr_assert_eq(::sigtimedwait(&broken, nullptr, &patience), SIGIO, "the lease is asked back");
  cr_assert(!served.desk->take_opened().has_value());
  ::fcntl(lent, F_SETLEASE, F_UNLCK);
  await_answer(*served.desk);
  cr_assert(served.desk->take_opened()->file.has_value());
  ::close(lent);
}

Test(file_desk, a_helper_that_has_ended_is_noticed_once) {
  const auto own = FileHelpers::start().value();
  cr_assert(own->tend());
  std::ifstream children(fmt::format("/proc/self/task/{}/children", ::gettid()));
  pid_t youngest = 0;
  for (pid_t pid = 0; children >> pid;)
    youngest = std::max(youngest, pid);
  ::kill(youngest, SIGKILL);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (own->tend())
    cr_assert(std::chrono::steady_clock::now() < end, "nobody notices");
  cr_assert(own->tend());
}
