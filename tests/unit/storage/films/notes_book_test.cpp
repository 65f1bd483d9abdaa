// Notes of a library's films: read once, and what they do to its list.
#include "storage/films/notes_book.h"

#include <criterion/criterion.h>

#include "tests/support/media_storage.h"
#include "tests/support/temp_folder.h"

using namespace videosync;
using namespace videosync::test;

namespace {

std::string movie(std::string_view title, int year = 2001) {
  return fmt::format("<movie><title>{}</title><year>{}</year></movie>", title, year);
}

std::size_t read_all(NotesBook& book, const Library& library) {
  std::size_t files = 0;
  while (book.read_next(library, {}))
    ++files;
  return files;
}

std::string titles(const Library& library) {
  std::string list;
  for (const VideoEntry& video : library->videos())
    list += video.title() + ";";
  return list;
}

}  // namespace

Test(notes_book, the_list_has_what_they_say_in_its_order) {
  TempFolder folder;
  folder.write("a.mp4");
  folder.write("a.nfo", movie("Zebra"));
  folder.write("b.mp4");
  folder.write("c.mp4");
  folder.write("c.nfo", "no xml");
  folder.write("d - 720p.mp4");
  folder.write("d - 720p.nfo", movie("The Ant"));
  folder.write("e - 1080p.mp4");
  folder.write("e - 1080p.nfo", movie("The Ant"));
  const auto desk = make_desk();
  NotesBook book(*desk);
  const Library first = library_of(folder, {.default_id = "c"});
  cr_assert_eq(book.recall(first).get(), first.get(), "nothing is read yet: no copy");
  cr_assert_eq(read_all(book, first), 4);
  const Library named = book.recall(first);
  cr_assert_eq(titles(named), "The Ant;The Ant;b;c;Zebra;");
  cr_assert_eq(named->videos()[0].versions, 2, "what one thing is called is one film");
  cr_assert_eq(named->default_video()->id, "c");
  cr_assert_eq(named->find("a")->title(), "Zebra", "ids stay");
  cr_assert_eq(named->find("a")->folded, "zebra");
  cr_assert(!named->shows_same_as(*first));
  cr_assert_eq(book.recall(named).get(), named.get());
}

Test(notes_book, each_version_is_read_once) {
  TempFolder folder;
  folder.write("show/tvshow.nfo", "<tvshow><title>The Show</title></tvshow>");
  for (int i = 1; i <= 3; ++i)
    folder.write(fmt::format("show/x S01E0{}.mp4", i));
  const auto desk = make_desk();
  NotesBook book(*desk);
  cr_assert_eq(read_all(book, library_of(folder)), 1, "one file of three episodes");
  cr_assert_eq(titles(book.recall(library_of(folder))),
               "The Show S01E01;The Show S01E02;The Show S01E03;");
  cr_assert_eq(read_all(book, library_of(folder)), 0);

  NotesBook next(*desk);
  next.remember(book.known());
  cr_assert_eq(next.recall(library_of(folder))->videos()[0].film.episode->show, "The Show");
  folder.write("show/tvshow.nfo", "<tvshow><title>Another</title></tvshow>");
  cr_assert_eq(read_all(next, library_of(folder)), 1);
  cr_assert_eq(next.recall(library_of(folder))->videos()[0].film.episode->show, "Another");
}

Test(notes_book, what_cannot_be_read_says_nothing_until_the_next_scan) {
  TempFolder folder;
  folder.write("a.mp4");
  folder.write("a.nfo", movie("A Film"));
  const auto desk = make_desk();
  const Library library = library_of(folder);
  std::filesystem::rename(folder / "a.nfo", folder / "away");
  NotesBook book(*desk);
  read_all(book, library);
  cr_assert_eq(titles(book.recall(library)), "a;");
  std::filesystem::rename(folder / "away", folder / "a.nfo");
  cr_assert_eq(read_all(book, library_of(folder)), 1);
  cr_assert_eq(titles(book.recall(library_of(folder))), "A Film;");
  std::stop_source stop;
  stop.request_stop();
  NotesBook other(*desk);
  cr_assert(!other.read_next(library, stop.get_token()));
}
