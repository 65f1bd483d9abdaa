// A library as people lay it: what belongs to which film.
#include "storage/library/folder_films.h"

#include <criterion/criterion.h>

#include <algorithm>

#include "tests/support/media_storage.h"
#include "tests/support/temp_folder.h"

using namespace videosync;
using namespace videosync::test;

namespace {

const VideoEntry& at(const Library& library, std::string_view place) {
  const auto found = std::ranges::find(library->videos(), place, &VideoEntry::place);
  cr_assert(found != library->videos().end(), "no video at %.*s", static_cast<int>(place.size()),
            place.data());
  return *found;
}

std::vector<std::string> titles(const Library& library) {
  std::vector<std::string> list;
  for (const VideoEntry& video : library->videos())
    list.push_back(video.title());
  return list;
}

}  // namespace

Test(folder_films, films_are_found_at_any_depth_with_what_belongs_to_them) {
  TempFolder folder;
  folder.write("Films/Film (2001)/Film (2001).mkv");
  folder.write("Films/Film (2001)/Film (2001).en.vtt");
  folder.write("Films/Film (2001)/poster.jpg");
  folder.write("Films/Film (2001)/fanart.jpg");
  folder.write("Films/Other (2002)/movie.mp4");
  folder.write("Films/Other (2002)/movie-poster.png");
  folder.write("Films/Other (2002)/folder.jpg");
  folder.write("Films/folder.jpg");
  folder.write("Films/One.mp4");
  folder.write("Films/Two.mp4");
  folder.write("Films/Fan.mp4");
  folder.write("Films/Fan-fanart.jpg");
  folder.write("poster.jpg");
  folder.write("Top.mp4");
  const Library library = library_of(folder);
  cr_assert(
      (titles(library) == std::vector<std::string>{"Fan", "Film", "One", "Other", "Top", "Two"}));
  const VideoEntry& film = at(library, "Films/Film (2001)/Film (2001).mkv");
  cr_assert_eq(film.id, "film-2001");
  cr_assert_eq(film.film.year.value(), 2001);
  cr_assert_eq(film.captions.at(0).lang, "en");
  cr_assert_eq(film.poster.path, "Films/Film (2001)/poster.jpg");
  cr_assert_eq(at(library, "Films/Other (2002)/movie.mp4").poster.path,
               "Films/Other (2002)/movie-poster.png", "the film's own");
  cr_assert_eq(at(library, "Films/Fan.mp4").poster.path, "Films/Fan-fanart.jpg");
  cr_assert(!at(library, "Films/One.mp4").poster, "a folder of many films is none's");
  cr_assert(!at(library, "Top.mp4").poster);
  cr_assert(resolve(*library, "/media/Films/Film (2001)/Film (2001).en.vtt").has_value());
  cr_assert(!resolve(*library, "/media/Films/folder.jpg"));
}

Test(folder_films, a_show_has_its_seasons_in_order) {
  TempFolder folder;
  folder.write("The Show/poster.jpg");
  for (const char* name : {"Season 2/The Show S02E01.mkv", "Season 1/The Show S01E10.mkv",
                           "Season 1/The Show S01E02.mkv", "Specials/The Show S00E01.mkv"})
    folder.write(std::string("The Show/") + name);
  folder.write("The Show/Season 2/The Show S02E01-thumb.jpg");
  folder.write("Ship.mp4");
  folder.write("Train.mp4");
  const Library library = library_of(folder);
  cr_assert(
      (titles(library) == std::vector<std::string>{"Ship", "The Show S00E01", "The Show S01E02",
                                                   "The Show S01E10", "The Show S02E01", "Train"}));
  cr_assert_eq(at(library, "The Show/Season 1/The Show S01E02.mkv").poster.path,
               "The Show/poster.jpg");
  cr_assert_eq(at(library, "The Show/Season 2/The Show S02E01.mkv").poster.path,
               "The Show/Season 2/The Show S02E01-thumb.jpg");
}

Test(folder_films, notes_are_found_beside_films_and_shows) {
  TempFolder folder;
  folder.write("Film (2001)/Film (2001).mkv");
  folder.write("Film (2001)/Film (2001).nfo");
  folder.write("Film (2001)/movie.nfo");
  folder.write("Other (2002)/Other (2002) - 720p.mkv");
  folder.write("Other (2002)/movie.nfo");
  folder.write("The Show/tvshow.nfo");
  folder.write("The Show/Season 1/The Show S01E01.mkv");
  folder.write("The Show/Season 1/The Show S01E01.nfo");
  folder.write("The Show/The Show S00E01.mkv");
  folder.write("movie.nfo");
  folder.write("One.mp4");
  folder.write("Two.mp4");
  const MediaLibrary::Scan result = scan(folder);
  const Library& library = result.library;
  cr_assert_eq(at(library, "Film (2001)/Film (2001).mkv").notes.path,
               "Film (2001)/Film (2001).nfo");
  cr_assert_eq(at(library, "Other (2002)/Other (2002) - 720p.mkv").notes.path,
               "Other (2002)/movie.nfo");
  const VideoEntry& episode = at(library, "The Show/Season 1/The Show S01E01.mkv");
  cr_assert_eq(episode.notes.path, "The Show/Season 1/The Show S01E01.nfo");
  cr_assert_eq(episode.show_notes.path, "The Show/tvshow.nfo");
  cr_assert_eq(at(library, "The Show/The Show S00E01.mkv").show_notes.path, "The Show/tvshow.nfo");
  cr_assert(!at(library, "One.mp4").notes, "a folder of many films is none's");
  cr_assert(result.warnings.empty());
  cr_assert(!resolve(*library, "/media/movie.nfo"), "they are read, not served");
}

Test(folder_films, versions_are_one_film_and_extras_come_last) {
  TempFolder folder;
  folder.write("Film (2001)/Film (2001) - 2160p.mkv");
  folder.write("Film (2001)/Film (2001) - 1080p.mkv");
  folder.write("Film (2001)/Film (2001) - Director's Cut.mkv");
  folder.write("Film (2001)/Featurettes/A Making of.mkv");
  folder.write("Film (2001)/Film (2001)-trailer.mkv");
  folder.write("same.mp4");
  folder.write("same.mkv");
  folder.write("Zoo.mkv");
  const Library library = library_of(folder);
  const VideoEntry& first = at(library, "Film (2001)/Film (2001) - Director's Cut.mkv");
  cr_assert_eq(first.versions, 3);
  cr_assert_eq(library->versions_of(first).size(), 3);
  cr_assert_eq(at(library, "Film (2001)/Film (2001) - 2160p.mkv").versions, 0);
  cr_assert_eq(library->versions_of(at(library, "Film (2001)/Film (2001) - 2160p.mkv")).data(),
               &first);
  cr_assert_eq(at(library, "same.mp4").versions, 1, "not to be told apart");
  cr_assert_eq(at(library, "same.mkv").versions, 1);
  const auto list = titles(library);
  cr_assert_eq(list[5], "Zoo");
  cr_assert_eq(list[6], "Film (trailer)");
  cr_assert_eq(list[7], "A Making of");
}

Test(folder_films, several_libraries_are_one) {
  TempFolder one;
  TempFolder two;
  one.write("film.mp4", "one");
  one.write("film.en.vtt", "one");
  one.write("~1/trap.mp4");
  two.write("film.mp4", "two");
  two.write("film.en.vtt", "two");
  two.write("hls/master.m3u8", "two");
  two.write("hls/0.ts", "segment");
  MediaLibrary::Memory memory;
  const auto scanned =
      MediaLibrary::scan({.directories = {one.path(), two.path()}}, *make_desk(), memory).value();
  const Library& library = scanned.library;
  cr_assert_eq(library->videos().size(), 3);
  const auto text_at = [&](std::string_view url) {
    const MediaFileRef file = resolve(*library, url).value();
    std::string text(file->size(), '\0');
    cr_assert_eq(::pread(file->fd(), text.data(), text.size(), 0),
                 static_cast<ssize_t>(text.size()));
    return text;
  };
  cr_assert_eq(text_at("/media/film.en.vtt"), "one");
  cr_assert_eq(text_at("/media/~1/film.en.vtt"), "two");
  cr_assert_eq(text_at("/media/~1/hls/0.ts"), "segment");
  cr_assert(!resolve(*library, "/media/hls/0.ts"));
  cr_assert(!resolve(*library, "/media/~1/hls/../film.mp4"));
  cr_assert_neq(at(library, "film.mp4").id, at(library, "~1/film.mp4").id);
  cr_assert_eq(library->find(full_id_of("film", "~1/film.mp4"))->place, "~1/film.mp4");
  cr_assert_eq(scanned.warnings.size(), 1, "the folder that is called like a library");
}

Test(folder_films, captions_of_all_kinds_are_listed_once_and_told_apart) {
  TempFolder folder;
  folder.write("film.mp4");
  for (const char* name : {"film.en.forced.srt", "film.en.srt", "film.en.vtt", "film.eng.ass",
                           "film.en.sdh.vtt", "film.English.cc.ssa", "film.pt-BR.srt"})
    folder.write(name);
  folder.write("film.en.mp4");
  folder.write("film.en.de.srt");
  const MediaLibrary::Scan result = scan(folder);
  cr_assert(result.warnings.empty());
  std::vector<std::string> labels;
  for (const Caption& caption : at(result.library, "film.mp4").captions)
    labels.push_back(caption.label + " " + caption.lang + " " + caption.file.path);
  // "film.en.srt" is the other film's, without a language.
  cr_assert((labels == std::vector<std::string>{"English en film.eng.ass",
                                                "Portuguese (BR) pt-br film.pt-BR.srt",
                                                "English (CC) en film.English.cc.ssa"}));
  std::vector<std::string> others;
  for (const Caption& caption : at(result.library, "film.en.mp4").captions)
    others.push_back(caption.label + " " + caption.file.path);
  cr_assert((others == std::vector<std::string>{"German film.en.de.srt", "Captions film.en.vtt",
                                                "Captions (forced) film.en.forced.srt",
                                                "Captions (SDH) film.en.sdh.vtt"}));
}

Test(folder_films, two_captions_of_a_language_have_two_labels) {
  TempFolder folder;
  folder.write("film.mp4");
  folder.write("film.en.vtt");
  folder.write("film.eng.vtt");
  const MediaLibrary::Scan result = scan(folder);
  const auto& captions = at(result.library, "film.mp4").captions;
  cr_assert_eq(captions.size(), 2);
  cr_assert_eq(captions[0].lang, captions[1].lang);
  cr_assert_eq(captions[0].label, "English");
  cr_assert_eq(captions[1].label, "English 2");
}

Test(folder_films, captions_find_a_film_that_is_written_otherwise) {
  TempFolder folder;
  folder.write("Am\u00e9lie.mp4");
  folder.write("Ame\u0301lie.en.vtt");
  folder.write("FILM.mp4");
  folder.write("film.de.vtt");
  folder.write("film.jpg");
  const MediaLibrary::Scan result = scan(folder);
  cr_assert(result.warnings.empty());
  cr_assert_eq(at(result.library, "Am\u00e9lie.mp4").captions.size(), 1);
  cr_assert_eq(at(result.library, "FILM.mp4").captions.size(), 1);
  cr_assert_eq(at(result.library, "FILM.mp4").poster.path, "film.jpg");
}

Test(folder_films, segments_beside_a_playlist_are_no_films) {
  TempFolder folder;
  folder.write("stream/index.m3u8");
  folder.write("stream/0.ts");
  folder.write("recorded/evening.ts");
  const auto result = scan(folder);
  cr_assert_eq(result.library->videos().size(), 1);
  cr_assert_eq(result.library->videos()[0].title(), "evening");
}

Test(folder_films, what_cannot_be_taken_is_named_with_the_reason) {
  TempFolder folder;
  folder.write("old.avi");
  folder.write("a\nb/master.m3u8");
  folder.write("disc/VIDEO_TS/a.vob");
  folder.link("old.avi", "link.mp4");
  std::string all;
  for (const std::string& line : scan(folder).warnings)
    all += line + ";";
  cr_assert(!all.contains("old.avi"), "it can be made into another form");
  for (const char* part : {"\"a\nb\": no URL can hold", "\"disc/VIDEO_TS\": the folders of a disc",
                           "\"link.mp4\": symlinks"})
    cr_assert(all.contains(part), "%s", all.c_str());
}
