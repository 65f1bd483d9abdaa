// Which episode comes after which.
#include "storage/library/next_episode.h"

#include <criterion/criterion.h>

#include <string>

#include "tests/support/media_storage.h"
#include "tests/support/temp_folder.h"

using namespace videosync;
using namespace videosync::test;

namespace {

// The title of what comes after that one; "none" where nothing does.
std::string after(const Library& library, std::string_view title) {
  for (const VideoEntry& video : library->videos()) {
    if (video.title() != title) continue;
    const VideoEntry* next = find_next_episode(*library, video);
    return next != nullptr ? next->title() : "none";
  }
  return "no such video";
}

}  // namespace

Test(next_episode, it_is_the_next_one_of_the_show) {
  TempFolder folder;
  for (const char* name : {"Season 2/The Show S02E01.mkv", "Season 1/The Show S01E10.mkv",
                           "Season 1/The Show S01E02.mkv", "Specials/The Show S00E01.mkv"})
    folder.write("The Show/" + std::string(name));
  folder.write("Ship.mp4");
  folder.write("Train.mp4");
  const Library library = scan(folder).library;
  cr_assert_eq(after(library, "The Show S00E01"), "The Show S01E02");
  cr_assert_eq(after(library, "The Show S01E02"), "The Show S01E10");
  cr_assert_eq(after(library, "The Show S01E10"), "The Show S02E01");
  cr_assert_eq(after(library, "The Show S02E01"), "none");
  cr_assert_eq(after(library, "Ship"), "none", "a film is no episode");
  cr_assert_eq(after(library, "Train"), "none");
}

Test(next_episode, another_version_of_it_is_not_the_next_one) {
  TempFolder folder;
  for (const char* name : {"The Show S01E01 1080p.mkv", "The Show S01E01 720p.mkv",
                           "The Show S01E02.mkv", "The Shows S01E03.mkv"})
    folder.write(name);
  const Library library = scan(folder).library;
  cr_assert_eq(after(library, "The Show S01E01"), "The Show S01E02");
  cr_assert_eq(after(library, "The Show S01E02"), "none", "another show");
}
