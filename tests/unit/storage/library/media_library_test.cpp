// The library over real folders: what is listed, what is reachable, what stays open.
#include "storage/library/media_library.h"

#include <criterion/criterion.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <thread>

#include "core/base/text.h"
#include "core/base/utf8.h"
#include "tests/support/media_storage.h"
#include "tests/support/temp_folder.h"

using namespace videosync;
using namespace videosync::test;

namespace {

std::vector<std::string> ids(const Library& library) {
  std::vector<std::string> list;
  for (const VideoEntry& video : library->videos())
    list.push_back(video.id);
  return list;
}

bool has_warning(const MediaLibrary::Scan& result, std::string_view part) {
  return std::any_of(result.warnings.begin(), result.warnings.end(),
                     [&](const std::string& line) { return line.find(part) != line.npos; });
}

std::string content(const MediaFileRef& file) {
  std::string text(file->size(), '\0');
  cr_assert_eq(::pread(file->fd(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  return text;
}

std::string content(const Library& library, const LibraryFile& file) {
  return content(open(library->place_of(file)).value());
}

ErrorCode refusal(const Library& library, std::string_view path) {
  const Result<MediaFileRef> file = resolve(*library, path);
  cr_assert(!file, "%.*s is reachable", static_cast<int>(path.size()), path.data());
  return file.error().code;
}

}  // namespace

Test(media_library, videos_captions_and_posters_find_each_other) {
  TempFolder folder;
  folder.write("big_buck-bunny.mp4", "0123456789");
  folder.write("big_buck-bunny.vtt", "WEBVTT");
  folder.write("big_buck-bunny.de.vtt", "WEBVTT de");
  folder.write("big_buck-bunny.en.vtt", "WEBVTT en");
  folder.write("big_buck-bunny.png");
  folder.write("big_buck-bunny.jpg", "poster");
  folder.write("other.WEBM");
  folder.write("stray.en.vtt");
  folder.write("notes.txt");
  const MediaLibrary::Scan result = scan(folder);

  cr_assert((ids(result.library) == std::vector<std::string>{"big-buck-bunny", "other"}));
  const VideoEntry& video = *result.library->find("big-buck-bunny");
  cr_assert_eq(video.title(), "big buck bunny");
  cr_assert_eq(video.content_type(), "video/mp4");
  cr_assert_eq(video.file.facts.size, 10u);
  cr_assert_eq(content(result.library, video.file), "0123456789");
  cr_assert_eq(video.captions.size(), 3);
  cr_assert_eq(video.captions[0].lang, "de");
  cr_assert_eq(video.captions[1].label, "English");
  cr_assert_eq(video.captions[2].lang, "und");
  cr_assert_eq(video.poster.path, "big_buck-bunny.jpg");
  cr_assert(!video.playlist);
  cr_assert(!video.duration_s());
  cr_assert_eq(result.library->find("other")->content_type(), "video/webm");
  cr_assert_null(result.library->find("stray"));
  cr_assert(has_warning(result, "\"stray.en.vtt\""));

  cr_assert_eq(content(*resolve(*result.library, "/media/big_buck-bunny.de.vtt")), "WEBVTT de");
  cr_assert_eq(content(*resolve(*result.library, "/media/big_buck-bunny.jpg")), "poster");
  for (const char* unlisted :
       {"/media/big_buck-bunny.png", "/media/big_buck-bunny.mp4", "/media/notes.txt", "/media/",
        "/media", "/media//big_buck-bunny.jpg", "big_buck-bunny.jpg", "/"}) {
    cr_assert(refusal(result.library, unlisted) == ErrorCode::not_found);
  }
}

Test(media_library, the_list_is_in_natural_order_and_has_a_default) {
  TempFolder folder;
  for (const char* name : {"part 10.mp4", "Part 2.mp4", "part 1.mp4"})
    folder.write(name);
  const Library library = library_of(folder);
  cr_assert((ids(library) == std::vector<std::string>{"part-1", "part-2", "part-10"}));
  cr_assert_eq(library->default_video()->id, "part-1");

  cr_assert_eq(library_of(folder, {.default_id = "part-10"})->default_video()->id, "part-10");
  const MediaLibrary::Scan wrong = scan(folder, {.default_id = "part-11"});
  cr_assert_eq(wrong.library->default_video()->id, "part-1");
  cr_assert(has_warning(wrong, "\"part-11\""));
}

Test(media_library, names_that_slug_alike_get_ids_of_their_own) {
  TempFolder folder;
  for (const char* name :
       {"a b.mp4", "a b.webm", "a-b.mp4", "a_b.mp4", "\xd1\x84.mp4", "\xd1\x85.mp4", "a\xff.mp4"}) {
    folder.write(name);
  }
  const Library library = library_of(folder);
  std::vector<std::string> first = ids(library);
  cr_assert_eq(first.size(), 7);
  for (const std::string& id : first) {
    cr_assert_eq(id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"), id.npos);
    cr_assert_eq(library->find(id)->id, id);
  }
  cr_assert_eq(library->find("a-b")->place, "a b.mp4", "the oldest");
  cr_assert((ids(library_of(folder)) == first), "the same at every scan");
  std::sort(first.begin(), first.end());
  cr_assert(std::adjacent_find(first.begin(), first.end()) == first.end());
}

Test(media_library, what_comes_later_takes_no_id_away) {
  TempFolder folder;
  folder.write("film.mp4", "mp4");
  MediaLibrary::Memory known;
  const Library first = scan(folder, {}, known).library;
  folder.write("film.mkv", "mkv");
  for (const Library& library : {scan(folder, {.rest = {}}, known).library, library_of(folder)}) {
    cr_assert_eq(library->videos().size(), 2);
    cr_assert_eq(library->find("film")->place, "film.mp4");
    cr_assert_eq(library->find(full_id_of("film", "film.mkv"))->place, "film.mkv");
    cr_assert_eq(library->find(full_id_of("film", "film.mp4"))->place, "film.mp4");
  }
  cr_assert_eq(first->find("film")->place, "film.mp4");
}

Test(media_library, a_film_that_is_moved_keeps_its_id) {
  TempFolder folder;
  folder.write("a/film.mp4", "one");
  folder.write("b/film.mp4", "two!");
  MediaLibrary::Memory memory;
  const Library before = scan(folder, {}, memory).library;
  const std::string id = before->find("film")->other_ids.at(0);
  cr_assert_eq(before->find(id)->place, "a/film.mp4");
  std::filesystem::rename(folder / "a", folder / "c");
  const MediaLibrary::Scan moved = scan(folder, {}, memory);
  cr_assert(!moved.has_restless);
  cr_assert_eq(moved.library->find("film")->place, "c/film.mp4");
  cr_assert_eq(moved.library->find(full_id_of("film", "c/film.mp4"))->place, "c/film.mp4");
  std::filesystem::rename(folder / "c/film.mp4", folder / "Film.mp4");
  cr_assert_eq(scan(folder, {}, memory).library->find("film")->place, "Film.mp4", "at once");
}

Test(media_library, no_name_is_too_odd) {
  TempFolder folder;
  const std::string longest = std::string(251, 'n') + ".mp4";
  const std::vector<std::string> names{"line\nbreak.mp4",
                                       "back\\slash.mp4",
                                       "#hash.mp4",
                                       "what?.mp4",
                                       "100%.mp4",
                                       "%41.mp4",
                                       "trailing .mp4",
                                       "blank after.mp4 ",
                                       "tab\t.mp4",
                                       "caf\xc3\xa9.mp4",
                                       "cafe\xcc\x81.mp4",
                                       "bad\xff.mp4",
                                       longest};
  for (const std::string& name : names)
    folder.write(name, name);
  folder.write("line\nbreak.en.vtt", "captions");
  folder.write("bad\xff.jpg", "poster");
  const MediaLibrary::Scan result = scan(folder);
  cr_assert(result.warnings.empty());
  cr_assert_eq(result.library->videos().size(), names.size());
  for (const VideoEntry& video : result.library->videos()) {
    cr_assert_eq(content(result.library, video.file), video.place);
    cr_assert(is_valid_utf8(video.title()));
    for (const Caption& caption : video.captions) {
      const std::string path = MediaLibrary::url_path_of(caption.file.place());
      cr_assert(!has_control_bytes(path));
      cr_assert_eq(content(*resolve(*result.library, "/media/" + path)), "captions");
    }
  }
  const VideoEntry& bad =
      *std::ranges::find(result.library->videos(), "bad\xff.mp4", &VideoEntry::place);
  const std::string path = MediaLibrary::url_path_of(bad.poster.place());
  cr_assert(is_valid_utf8(path) && path.ends_with(".jpg"));
  cr_assert_eq(content(*resolve(*result.library, "/media/" + path)), "poster");
}

Test(media_library, hidden_files_symlinks_and_odd_files_are_not_listed) {
  TempFolder outside;
  outside.write("secret.mp4", "secret");
  outside.write("hls/master.m3u8", "#EXTM3U");
  outside.write("hls/seg.ts", "secret");
  TempFolder folder;
  folder.write("cat.mp4");
  folder.write(".hidden.mp4");
  folder.make_folder("folder.mp4");
  folder.link(outside / "secret.mp4", "link.mp4");
  folder.link("cat.mp4", "inner.mp4");
  folder.link(outside / "hls", "hls");
  folder.link(outside / "secret.mp4", "cat.vtt");
  folder.make_folder("half");
  folder.link(outside / "hls/master.m3u8", "half/master.m3u8");
  folder.write(".dark/master.m3u8", "#EXTM3U");
  cr_assert_eq(::mkfifo((folder / "pipe.mp4").c_str(), 0600), 0);
  const MediaLibrary::Scan result = scan(folder);

  cr_assert((ids(result.library) == std::vector<std::string>{"cat"}));
  cr_assert(result.library->videos()[0].captions.empty());
  cr_assert(has_warning(result, "\"link.mp4\": symlinks"));
  for (const char* path : {"/media/hls/seg.ts", "/media/link.mp4", "/media/half/master.m3u8",
                           "/media/.dark/master.m3u8", "/media/cat.vtt"}) {
    cr_assert(refusal(result.library, path) == ErrorCode::not_found);
  }
}

Test(media_library, an_hls_folder_joins_its_video_or_stands_alone) {
  TempFolder folder;
  folder.write("cat.mp4");
  folder.write("cat/master.m3u8", "#EXTM3U");
  folder.write("Live Show/master.m3u8", "#EXTM3U");
  folder.write("Live Show.en.vtt");
  folder.write("Live Show.webp");
  folder.write("no-hls/readme.m3u8");
  const Library library = library_of(folder);

  cr_assert((ids(library) == std::vector<std::string>{"cat", "live-show"}));
  const VideoEntry& cat = *library->find("cat");
  cr_assert_eq(cat.playlist.path, "cat/master.m3u8");
  cr_assert(bool(cat.file));
  const VideoEntry& show = *library->find("live-show");
  cr_assert(!show.file);
  cr_assert_eq(show.playlist.path, "Live Show/master.m3u8");
  cr_assert_eq(show.content_type(), "application/vnd.apple.mpegurl");
  cr_assert_eq(show.captions.size(), 1);
  cr_assert_eq(show.poster.path, "Live Show.webp");
  cr_assert(refusal(library, "/media/no-hls/readme.m3u8") == ErrorCode::not_found);
}

Test(media_library, only_known_files_below_an_hls_folder_are_reachable) {
  TempFolder outside;
  outside.write("secret.ts", "secret");
  TempFolder folder;
  folder.write("top.ts", "top");
  folder.write("cat/master.m3u8", "#EXTM3U");
  folder.write("cat/v0/seg1.ts", "segment");
  folder.write("cat/v0/init.MP4", "init");
  folder.write("cat/v0/key.pem", "secret");
  folder.write("cat/.dark/seg.ts", "secret");
  folder.write("cat/v0/.seg.ts", "secret");
  folder.write("cat/v0/a\\b.ts", "secret");
  folder.write("dog/master.m3u8", "#EXTM3U dog");
  folder.make_folder("cat/v0/folder.ts");
  folder.link(outside / "secret.ts", "cat/v0/link.ts");
  folder.link(outside.path(), "cat/away");
  folder.link("v0", "cat/near");
  folder.link("/proc/self", "cat/proc");
  cr_assert_eq(::mkfifo((folder / "cat/pipe.ts").c_str(), 0600), 0);
  const Library library = library_of(folder);

  const MediaFileRef segment = resolve(*library, "/media/cat/v0/seg1.ts").value();
  cr_assert_eq(content(segment), "segment");
  cr_assert_eq(segment->content_type(), "video/mp2t");
  cr_assert_eq(content(*resolve(*library, "/media/cat/v0/init.MP4")), "init");
  cr_assert_eq(content(*resolve(*library, "/media/dog/master.m3u8")), "#EXTM3U dog");

  const std::string absolute = "/media/cat/" + (outside / "secret.ts");
  const std::string endless = "/media/cat/" + std::string(5'000, 'a') + ".ts";
  for (const std::string_view path : {
           std::string_view("/media/cat/v0/key.pem"),
           std::string_view("/media/cat/v0/missing.ts"),
           std::string_view("/media/cat/.dark/seg.ts"),
           std::string_view("/media/cat/v0/.seg.ts"),
           std::string_view("/media/cat/v0/a\\b.ts"),
           std::string_view("/media/cat/v0/folder.ts"),
           std::string_view("/media/cat/v0/link.ts"),
           std::string_view("/media/cat/away/secret.ts"),
           std::string_view("/media/cat/near/seg1.ts"),
           std::string_view("/media/cat/pipe.ts"),
           std::string_view("/media/cat/../top.ts"),
           std::string_view("/media/cat/../dog/master.m3u8"),
           std::string_view("/media/cat/v0/../v0/seg1.ts"),
           std::string_view("/media/cat/./v0/seg1.ts"),
           std::string_view("/media/cat//v0/seg1.ts"),
           std::string_view("/media/../top.ts"),
           std::string_view("/media/./cat/v0/seg1.ts"),
           std::string_view("/media//cat/v0/seg1.ts"),
           std::string_view("/media/cat/%2e%2e/top.ts"),
           std::string_view("/media/cat\\..\\top.ts"),
           std::string_view("/media/cat/v0/seg1.ts\0.ts", 25),
           std::string_view("/media/cat/v0\0/seg1.ts", 23),
           std::string_view("/media/cat/v0/seg1.ts/"),
           std::string_view("/media/cat"),
           std::string_view("/media/top.ts"),
           std::string_view("/mediacat/v0/seg1.ts"),
           std::string_view(absolute),
           std::string_view(endless),
       }) {
    cr_assert(refusal(library, path) == ErrorCode::not_found);
  }
}

Test(media_library, a_folder_swapped_for_a_symlink_leads_nowhere) {
  TempFolder outside;
  outside.write("seg.ts", "secret");
  TempFolder folder;
  folder.write("cat/master.m3u8", "#EXTM3U");
  const Library library = library_of(folder);
  folder.remove("cat");
  folder.link(outside.path(), "cat");
  cr_assert(refusal(library, "/media/cat/seg.ts") == ErrorCode::not_found);
}

Test(media_library, few_files_stay_open_and_playlists_none) {
  TempFolder folder;
  folder.write("cat/master.m3u8", "one");
  for (int i = 0; i < 10; ++i)
    folder.write("cat/" + std::to_string(i) + ".ts", std::to_string(i));
  const Library library = library_of(folder, {.open_max = 3});
  const auto segment = [&](int i) {
    return resolve(*library, "/media/cat/" + std::to_string(i) + ".ts").value();
  };
  const std::size_t before = settled_descriptors();
  for (int i = 0; i < 10; ++i)
    cr_assert_eq(content(segment(i)), std::to_string(i));
  cr_assert_eq(settled_descriptors(), before + 3);

  const MediaFile* nine = segment(9).get();
  segment(7);
  cr_assert_eq(segment(9).get(), nine, "kept open");
  segment(1);
  segment(2);
  cr_assert_eq(segment(9).get(), nine, "used last, dropped last");
  const MediaFileRef held = segment(5);
  for (int i = 0; i < 4; ++i)
    segment(i);
  cr_assert_eq(content(held), "5", "a holder keeps its file");
  cr_assert_eq(settled_descriptors(), before + 4);

  cr_assert_eq(content(*resolve(*library, "/media/cat/master.m3u8")), "one");
  folder.write("cat/master.m3u8", "two!");
  cr_assert_eq(content(*resolve(*library, "/media/cat/master.m3u8")), "two!");
  cr_assert_eq(settled_descriptors(), before + 4);
}

Test(media_library, threads_may_resolve_at_once) {
  TempFolder folder;
  folder.write("cat/master.m3u8");
  for (int i = 0; i < 8; ++i)
    folder.write("cat/" + std::to_string(i) + ".ts", std::to_string(i));
  const Library library = library_of(folder, {.open_max = 4});
  const std::size_t before = settled_descriptors();
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 2'000; ++i) {
        const std::string number = std::to_string((i * 3 + t) % 8);
        const Result<MediaFileRef> file = resolve(*library, "/media/cat/" + number + ".ts");
        if (!file || (*file)->path() != "cat/" + number + ".ts") ++wrong;
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  cr_assert_eq(wrong.load(), 0);
  cr_assert_eq(settled_descriptors(), before + 4);
}

Test(media_library, nothing_stays_open_when_the_library_is_gone) {
  TempFolder folder;
  folder.write("cat.mp4");
  folder.write("cat.en.vtt");
  folder.write("cat.jpg");
  folder.write("dog/master.m3u8");
  folder.write("dog/1.ts");
  const std::size_t before = settled_descriptors();
  {
    const Library library = library_of(folder);
    cr_assert(resolve(*library, "/media/dog/1.ts").has_value());
    const std::vector<LearnedFilm> learned{{12.5}, {}};
    const Library with = library->with_learned(learned);
    cr_assert_eq(with->find("cat")->duration_s().value(), 12.5);
    cr_assert(with->find("cat")->file == library->find("cat")->file);
    cr_assert(resolve(*with, "/media/dog/1.ts").has_value());
    cr_assert_eq(settled_descriptors(), before + 2, "the folder, a segment; a copy adds none");
    cr_assert(open(with->place_of(with->find("cat")->file)).has_value());
    cr_assert(open(library->place_of(library->find("cat")->file)).has_value());
    cr_assert_eq(settled_descriptors(), before + 3, "one file, for both");
  }
  cr_assert_eq(settled_descriptors(), before);
  cr_assert(!try_to_scan({.directories = {folder / "missing"}}).has_value());
  cr_assert(!try_to_scan({.directories = {folder / "cat.mp4"}}).has_value());
  cr_assert_eq(settled_descriptors(), before);
}

Test(media_library, an_hls_folder_may_bring_a_poster_and_thumbnails) {
  TempFolder folder;
  for (const char* name : {"cat", "dog"}) {
    folder.write(std::string(name) + "/master.m3u8");
    folder.write(std::string(name) + "/poster.jpg");
    folder.write(std::string(name) + "/thumbnails.vtt");
    folder.write(std::string(name) + "/thumbnails.jpg");
  }
  folder.write("dog.png");
  const Library library = library_of(folder);
  cr_assert_eq(library->find("cat")->poster.path, "cat/poster.jpg");
  cr_assert_eq(library->find("dog")->poster.path, "dog.png", "beside the video goes first");
  cr_assert_eq(library->find("cat")->thumbnails.path, "cat/thumbnails.vtt");
  cr_assert(resolve(*library, "/media/cat/thumbnails.vtt").has_value());
  cr_assert(resolve(*library, "/media/cat/thumbnails.jpg").has_value());
  cr_assert(resolve(*library, "/media/dog/poster.jpg").has_value());
}

Test(media_library, an_hls_folder_may_bring_captions) {
  TempFolder folder;
  for (const char* name : {"cat", "dog"}) {
    folder.write(std::string(name) + "/master.m3u8");
    for (const char* file : {"de.vtt", "pt-br.vtt", "und.vtt", "de.m3u8", ".fr.vtt"})
      folder.write(std::string(name) + "/captions/" + file);
  }
  folder.write("dog.en.vtt");
  const Library library = library_of(folder);
  std::vector<std::string> langs;
  for (const Caption& caption : library->find("cat")->captions)
    langs.push_back(caption.lang);
  cr_assert((langs == std::vector<std::string>{"de", "pt-br", "und"}));
  cr_assert(resolve(*library, "/media/cat/captions/de.vtt").has_value());
  cr_assert_eq(library->find("dog")->captions.size(), 1, "those beside the video go first");
}

Test(media_library, few_descriptors_are_enough_for_many_files) {
  TempFolder folder;
  for (int i = 0; i < 200; ++i)
    folder.write(fmt::format("{}.mp4", i), std::to_string(i));
  const Library library = library_of(folder, {.open_max = 8});
  const std::size_t before = settled_descriptors();
  for (const VideoEntry& video : library->videos())
    cr_assert_eq(content(library, video.file) + ".mp4", video.place);
  cr_assert_eq(settled_descriptors(), before + 8);
  cr_assert_eq(content(library_of(folder, {.open_max = 0}), library->videos()[0].file), "0");
}

Test(media_library, a_rescan_sees_what_changed) {
  TempFolder folder;
  folder.write("cat.mp4", "old");
  folder.write("dog.mp4", "dog");
  MediaLibrary::Memory memory;
  const Library first = scan(folder, {}, memory).library;
  const MediaFileRef old_cat = open(first->place_of(first->find("cat")->file)).value();

  folder.write("new.mp4", "replaced");
  std::filesystem::rename(folder / "new.mp4", folder / "cat.mp4");
  folder.remove("dog.mp4");
  folder.write("emu.mp4", "emu");
  const Library second = scan(folder, {.rest = {}}, memory).library;

  cr_assert((ids(second) == std::vector<std::string>{"cat", "emu"}));
  cr_assert_eq(content(second, second->find("cat")->file), "replaced", "though the old is open");
  cr_assert_eq(content(second, second->find("cat")->file), "replaced");
  cr_assert_eq(content(old_cat), "old", "who has it keeps it");
  cr_assert(open(first->place_of(first->find("dog")->file)).error().code == ErrorCode::not_found);
  cr_assert(!first->shows_same_as(*second));
  cr_assert(second->shows_same_as(*scan(folder, {}, memory).library));
}

Test(media_library, a_film_that_comes_counts_once_its_size_has_rested) {
  TempFolder folder;
  folder.write("cat.mp4");
  MediaLibrary::Memory memory;
  const MediaLibrary::Options long_rest{.rest = std::chrono::hours(1)};
  cr_assert_eq(scan(folder, long_rest, memory).library->videos().size(), 1, "the first scan");
  folder.write("dog.mp4");
  folder.write("cat.mp4", "longer");
  const MediaLibrary::Scan later = scan(folder, long_rest, memory);
  cr_assert((ids(later.library) == std::vector<std::string>{"cat"}));
  cr_assert_eq(later.library->find("cat")->file.facts.size, 6u, "what is known stays");
  cr_assert(later.has_restless);
  const MediaLibrary::Scan rested = scan(folder, {.rest = {}}, memory);
  cr_assert_eq(rested.library->videos().size(), 2);
  cr_assert(!rested.has_restless);
  cr_assert(!scan(folder, long_rest, memory).has_restless);
}

Test(media_library, a_file_beyond_4_gib_has_its_size) {
  TempFolder folder;
  folder.write("large.mkv", "start");
  constexpr std::uint64_t size = 5'000'000'000;
  cr_assert_eq(::truncate((folder / "large.mkv").c_str(), static_cast<off_t>(size)), 0);
  const Library library = library_of(folder);
  const MediaFileRef opened = open(library->place_of(library->find("large")->file)).value();
  const MediaFile& file = *opened;
  cr_assert_eq(file.size(), size);
  char byte = 'x';
  cr_assert_eq(::pread(file.fd(), &byte, 1, static_cast<off_t>(size - 1)), 1);
  cr_assert_eq(byte, '\0');
}

Test(media_library, a_descriptor_is_blocking_private_and_dated) {
  TempFolder folder;
  folder.write("cat.mp4");
  const timespec times[2]{{1'700'000'000, 5}, {1'700'000'001, 123'456'789}};
  cr_assert_eq(::utimensat(AT_FDCWD, (folder / "cat.mp4").c_str(), times, 0), 0);
  folder.write("odd.mp4");
  const timespec odd[2]{{-5, 0}, {-5, 7}};
  cr_assert_eq(::utimensat(AT_FDCWD, (folder / "odd.mp4").c_str(), odd, 0), 0);
  const Library library = library_of(folder);
  const MediaFileRef opened = open(library->place_of(library->find("cat")->file)).value();
  const MediaFile& file = *opened;
  cr_assert_eq(::fcntl(file.fd(), F_GETFL) & O_NONBLOCK, 0, "or io_uring answers EAGAIN");
  cr_assert_eq(::fcntl(file.fd(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  cr_assert_eq(file.mtime_s(), 1'700'000'001);
  cr_assert_eq(file.mtime_ns(), 1'700'000'001'123'456'789);
  cr_assert_eq(file.etag(), "\"1-17979cfe79209715\"");
  cr_assert_eq(library->find("odd")->file.facts.mtime_s, -5);
}

Test(media_library, an_empty_folder_is_an_empty_library) {
  TempFolder folder;
  for (const Library& library : {library_of(folder), MediaLibrary::make_empty()}) {
    cr_assert(library->videos().empty());
    cr_assert_null(library->default_video());
    cr_assert_null(library->find(""));
    cr_assert(refusal(library, "/media/cat/1.ts") == ErrorCode::not_found);
  }
}
