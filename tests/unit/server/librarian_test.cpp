// The librarian over real folders: what becomes news, and what does when the storage hangs.
#include "server/librarian.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <string>

#include "core/base/log.h"
#include "tests/support/descriptor_limit.h"
#include "tests/support/media_storage.h"
#include "tests/support/recorded_log.h"
#include "tests/support/temp_folder.h"

using namespace videosync;
using namespace std::chrono_literals;
using namespace videosync::test;

namespace {

constexpr int wait_ms = 10'000;

bool has_news(const Librarian& librarian, int limit_ms) {
  pollfd waited{librarian.news_descriptor(), POLLIN, 0};
  return ::poll(&waited, 1, limit_ms) == 1;
}

VideoCatalogRef await_news(Librarian& librarian) {
  cr_assert(has_news(librarian, wait_ms), "no news");
  VideoCatalogRef catalog = librarian.take();
  cr_assert_not_null(catalog.get());
  return catalog;
}

std::string json_of(const VideoCatalogRef& catalog) {
  const auto bytes = catalog->videos_json.bytes();
  return {bytes.begin(), bytes.end()};
}

}  // namespace

Test(librarian, the_first_catalog_is_encoded_and_what_did_not_change_is_no_news) {
  TempFolder folder;
  folder.write("cat.mp4");
  folder.write("film/master.m3u8");
  folder.write("film/0.ts", "old");
  RecordedLog log;
  const auto made = Librarian::create({.directories = {folder.path()}}, {}, helpers()).value();
  Librarian& librarian = *made;
  const auto first = librarian.await_first(10s);
  cr_assert(first.has_value() && first->has_value());
  const VideoCatalogRef catalog = (*first)->catalog;
  cr_assert((*first)->warnings.empty());
  cr_assert_eq(json_of(catalog), encode_videos(*catalog->library));
  cr_assert_eq(catalog->library->videos().size(), 2);
  cr_assert_eq(videosync::test::resolve(*catalog->library, "/media/film/0.ts").value()->size(), 3);
  librarian.start();

  folder.remove("film/0.ts");
  folder.write("film/0.ts", "another");
  librarian.rescan();
  log.expect("scanned videos=2 changed=false");
  cr_assert_eq(videosync::test::resolve(*catalog->library, "/media/film/0.ts").value()->size(), 7,
               "files of HLS folders are opened anew after each scan");

  folder.write("dog.mp4");
  librarian.rescan();
  const VideoCatalogRef second = await_news(librarian);
  cr_assert_eq(second->library->videos().size(), 3);
  cr_assert(!has_news(librarian, 0), "the scan that changed nothing was none");
}

Test(librarian, a_file_that_was_replaced_by_its_like_is_news) {
  TempFolder folder;
  folder.write("cat.mp4", "one");
  const auto touch = [&] {
    const timespec times[2]{{1'700'000'000, 0}, {1'700'000'000, 0}};
    cr_assert_eq(::utimensat(AT_FDCWD, (folder / "cat.mp4").c_str(), times, 0), 0);
  };
  touch();
  RecordedLog log;
  const auto made = Librarian::create({.directories = {folder.path()}}, {}, helpers()).value();
  Librarian& librarian = *made;
  const VideoCatalogRef first = librarian.await_first(10s).value().value().catalog;
  librarian.start();
  folder.write("new.mp4", "two");
  std::filesystem::rename(folder / "new.mp4", folder / "cat.mp4");
  touch();
  librarian.rescan();
  const VideoCatalogRef second = await_news(librarian);
  cr_assert_eq(json_of(first), json_of(second));
  cr_assert_neq(first->library->videos()[0].file.facts.inode,
                second->library->videos()[0].file.facts.inode);
}

Test(librarian, a_folder_that_is_not_there_is_told_and_may_come_later) {
  TempFolder folder;
  RecordedLog log;
  const auto made = Librarian::create({.directories = {folder / "later"}}, {}, helpers()).value();
  Librarian& librarian = *made;
  const auto first = librarian.await_first(10s);
  cr_assert(first.has_value() && !first->has_value());
  cr_assert_eq(first->error().system_errno, ENOENT);
  librarian.start();
  librarian.rescan();
  log.expect("the library cannot be scanned");
  folder.write("later/cat.mp4");
  librarian.rescan();
  cr_assert_eq(await_news(librarian)->library->videos().size(), 1);
}

Test(librarian, a_film_that_comes_while_pictures_are_made_does_not_wait_for_them) {
  const TempFolder folder;
  const TempFolder cache;
  const TempFolder tools;
  folder.write("cat.mp4");
  tools.write_script("ffmpeg", "touch '" + (tools / "began") + "'; exec sleep 60");
  ::setenv("PATH", (tools.path() + ':' + ::getenv("PATH")).c_str(), 1);
  RecordedLog log;
  const auto made = Librarian::create({.directories = {folder.path()}},
                                      {.cache_directory = cache.path()}, helpers())
                        .value();
  Librarian& librarian = *made;
  cr_assert(librarian.await_first(10s).value().has_value());
  librarian.start();
  const auto until = [](auto&& is_so, const char* what) {
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (!is_so()) {
      cr_assert_lt(std::chrono::steady_clock::now(), end, "%s", what);
      std::this_thread::sleep_for(5ms);
    }
  };
  const auto has_begun = [&] { return std::filesystem::exists(tools / "began"); };
  until(has_begun, "a picture is being made");
  tools.remove("began");
  folder.write("dog.mp4");
  pollfd changed{librarian.changes_descriptor(), POLLIN, 0};
  cr_assert_eq(::poll(&changed, 1, wait_ms), 1);
  librarian.take_changes();
  // It has just been written, so it counts with the scan after the next, which nobody tells of.
  until(has_begun, "a picture is begun again after the first scan");
  cr_assert_eq(await_news(librarian)->library->videos().size(), 2);
}

Test(librarian, old_snapshots_go_when_their_last_holder_lets_go) {
  TempFolder folder;
  folder.write("cat.mp4");
  RecordedLog log;
  const std::size_t none = settled_descriptors();
  const auto made = Librarian::create({.directories = {folder.path()}}, {}, helpers()).value();
  Librarian& librarian = *made;
  VideoCatalogRef held = librarian.await_first(10s).value().value().catalog;
  librarian.start();
  folder.write("dog.mp4");
  librarian.rescan();
  VideoCatalogRef latest = await_news(librarian);
  const std::weak_ptr<const VideoCatalog> old = held;
  held.reset();
  const auto end = std::chrono::steady_clock::now() + 10s;
  constexpr std::size_t open_max = 5;  // eventfd, inotify, the desk's two, the folder
  // A child that looks for durations has pipes of its own for a while.
  const auto is_gone = [&] { return old.expired() && settled_descriptors() <= none + open_max; };
  while (!is_gone() && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(1ms);
  cr_assert(old.expired(), "the librarian drops it");
  cr_assert_leq(settled_descriptors(), none + open_max);
}

Test(librarian, storage_that_hangs_is_told_of_and_its_videos_come_when_it_answers) {
  TempFolder folder;
  folder.write("cat.mp4");
  RecordedLog log;
  signal_helpers(SIGSTOP);
  {
    const auto made = Librarian::create({.directories = {folder.path()}}, {}, helpers()).value();
    Librarian& librarian = *made;
    cr_assert(!librarian.await_first(50ms).has_value());
    librarian.start();
    log.expect("still waiting for " + folder.path() + " since 2 s");
    log.expect("still waiting for " + folder.path() + " since 4 s");
    signal_helpers(SIGCONT);
    cr_assert_eq(await_news(librarian)->library->videos().size(), 1);
    log.expect("scanned videos=1 changed=true");
    log.expect("the storage answers again");
  }
  signal_helpers(SIGSTOP);
  const auto begin = std::chrono::steady_clock::now();
  Librarian::create({.directories = {folder.path()}}, {}, helpers()).value().reset();
  cr_assert_lt(std::chrono::steady_clock::now() - begin, 2s, "its end waits for nothing");
  signal_helpers(SIGCONT);
}

Test(librarian, without_an_eventfd_there_is_none_and_it_says_why) {
  FileHelpers& started = helpers();
  const videosync::test::NoDescriptorsLeft exhausted;
  const auto librarian = Librarian::create({}, {}, started);
  cr_assert_not(librarian.has_value());
  cr_assert_eq(librarian.error().system_errno, EMFILE);
  cr_assert(librarian.error().message.contains("ulimit -n"));
}
