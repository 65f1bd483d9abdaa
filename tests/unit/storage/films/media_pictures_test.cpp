// Posters and thumbnails: from a real ffmpeg where there is one, and from scripts that misbehave.
#include "storage/films/media_pictures.h"

#include <criterion/criterion.h>

#include <chrono>
#include <thread>

#include "tests/support/media_storage.h"
#include "tests/support/temp_folder.h"

using namespace videosync;
using namespace videosync::test;

namespace {

// A library of cat.mp4 (60 s) and dog.mp4 (no duration known), a cache and a stand-in for ffmpeg.
struct Fixture {
  TempFolder media;
  TempFolder cache;
  TempFolder tools;
  const std::unique_ptr<FileDesk> desk = make_desk();

  Fixture() {
    media.write("cat.mp4", "cat");
    media.write("dog.mp4", "dog");
  }

  Library scan() const {
    const Library library = library_of(media);
    std::vector<LearnedFilm> learned(library->videos().size());
    learned[0].duration_s = 60;
    return library->with_learned(learned);
  }

  // Logs its arguments, then does as told.
  std::string ffmpeg(std::string_view body) const {
    return tools.write_script("ffmpeg.sh",
                              "echo \"$@\" >>'" + (tools / "log") + "'\n" + std::string(body));
  }

  std::size_t runs() const {
    std::ifstream log(tools / "log");
    return static_cast<std::size_t>(std::count(std::istreambuf_iterator<char>(log), {}, '\n'));
  }

  MediaPictures::Options options(std::string_view body) const {
    return {.cache_directory = cache.path(), .program = ffmpeg(body)};
  }

  std::size_t cached() const {
    std::size_t count = 0;
    for (const auto& item : std::filesystem::recursive_directory_iterator(cache.path())) {
      count += item.is_regular_file() ? 1 : 0;
    }
    return count;
  }
};

Library make_all(MediaPictures& pictures, Library library) {
  library = pictures.recall(library);
  while (pictures.make_next(*library, {})) {
  }
  return pictures.recall(library);
}

}  // namespace

Test(media_pictures, each_video_gets_a_poster_and_where_its_length_is_known_thumbnails) {
  const Fixture fixture;
  MediaPictures pictures(fixture.options("printf picture"), *fixture.desk);
  const Library first = fixture.scan();
  cr_assert_eq(pictures.recall(first).get(), first.get(), "nothing is there yet: no copy");

  const Library library = make_all(pictures, first);
  const VideoEntry& cat = *library->find("cat");
  const VideoEntry& dog = *library->find("dog");
  cr_assert(bool(cat.poster));
  cr_assert(bool(dog.poster));
  cr_assert(bool(cat.thumbnails));
  cr_assert(bool(cat.sprite));
  cr_assert(!dog.thumbnails);
  cr_assert_eq(fixture.runs(), 3);
  cr_assert(pictures.take_warnings().empty());

  for (const LibraryFile& file : {cat.poster, cat.thumbnails, cat.sprite}) {
    const auto served = resolve(*library, "/media/" + file.place());
    cr_assert_eq(served.value()->size(), file.facts.size);
  }
  cr_assert(!first->find("cat")->poster, "the old snapshot stays as it was");
}

Test(media_pictures, the_next_process_finds_them_and_a_changed_video_gets_new_ones) {
  Fixture fixture;
  MediaPictures before(fixture.options("printf picture"), *fixture.desk);
  make_all(before, fixture.scan());

  MediaPictures after(fixture.options("printf picture"), *fixture.desk);
  const Library library = after.recall(fixture.scan());
  cr_assert(bool(library->find("dog")->poster));
  cr_assert(bool(library->find("cat")->thumbnails));
  cr_assert_not(after.make_next(*library, {}));
  cr_assert_eq(fixture.runs(), 3);

  fixture.media.write("dog.mp4", "another size");
  const Library changed = after.recall(fixture.scan());
  cr_assert(!changed->find("dog")->poster);
  make_all(after, changed);
  cr_assert_eq(fixture.runs(), 4);
  cr_assert_eq(fixture.cached(), 5);
  after.sweep(*fixture.scan());
  cr_assert_eq(fixture.cached(), 4, "the old dog's poster is gone");
}

Test(media_pictures, what_lies_beside_a_video_is_kept) {
  Fixture fixture;
  fixture.media.write("cat.jpg", "mine");
  MediaPictures pictures(fixture.options("printf picture"), *fixture.desk);
  const Library library = make_all(pictures, fixture.scan());
  cr_assert_eq(library->find("cat")->poster.path, "cat.jpg");
  cr_assert_eq(fixture.runs(), 2, "the dog's poster and the cat's thumbnails");
}

Test(media_pictures, a_video_that_makes_none_is_tried_once_and_named) {
  for (const char* body : {"exit 1", "printf half; exit 1", "exit 0", "kill -9 $$"}) {
    const Fixture fixture;
    MediaPictures pictures(fixture.options(body), *fixture.desk);
    const Library first = fixture.scan();
    cr_assert_eq(make_all(pictures, first).get(), first.get(), "%s", body);
    cr_assert_eq(fixture.runs(), 6, "the cat's cover, its place and its beginning");
    cr_assert_eq(pictures.take_warnings().size(), 3);
    cr_assert(!make_all(pictures, fixture.scan())->find("cat")->poster);
    cr_assert_eq(fixture.runs(), 6);
    cr_assert_eq(fixture.cached(), 0, "nothing half made stays");
  }
}

Test(media_pictures, a_missing_ffmpeg_is_one_line) {
  const Fixture fixture;
  MediaPictures pictures(
      {.cache_directory = fixture.cache.path(), .program = fixture.tools / "no-such-program"},
      *fixture.desk);
  const Library first = fixture.scan();
  cr_assert_eq(make_all(pictures, first).get(), first.get());
  const auto warnings = pictures.take_warnings();
  cr_assert_eq(warnings.size(), 1);
  cr_assert_neq(warnings[0].find("cannot be run"), std::string::npos);
  cr_assert_eq(fixture.cached(), 0);
}

Test(media_pictures, a_cache_that_cannot_be_is_one_line) {
  const Fixture fixture;
  fixture.cache.write("file", "in the way");
  MediaPictures pictures(
      {.cache_directory = fixture.cache / "file/cache", .program = fixture.ffmpeg("printf x")},
      *fixture.desk);
  make_all(pictures, fixture.scan());
  make_all(pictures, fixture.scan());
  const auto warnings = pictures.take_warnings();
  cr_assert_eq(warnings.size(), 1);
  cr_assert_neq(warnings[0].find("file/cache"), std::string::npos);
  cr_assert_eq(fixture.runs(), 0);

  MediaPictures unwanted({.cache_directory = "", .program = fixture.ffmpeg("printf x")},
                         *fixture.desk);
  make_all(unwanted, fixture.scan());
  cr_assert(unwanted.take_warnings().empty());
  cr_assert_eq(fixture.runs(), 0);
}

Test(media_pictures, one_that_hangs_is_ended) {
  const Fixture fixture;
  MediaPictures::Options options = fixture.options("exec sleep 30");
  options.poster_limit_ms = options.thumbnails_limit_ms = 20;
  MediaPictures pictures(options, *fixture.desk);
  const Library library = fixture.scan();
  const std::size_t before = settled_descriptors();
  const auto start = std::chrono::steady_clock::now();
  // Not by what the children log: one may be ended before it has had a processor.
  std::size_t tries = 0;
  while (pictures.make_next(*pictures.recall(library), {}))
    ++tries;
  cr_assert_lt(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
  cr_assert_eq(settled_descriptors(), before + 1, "the cache folder alone");
  cr_assert_eq(tries, 3 * (1 + MediaPictures::limit_doublings));
  const auto warnings = pictures.take_warnings();
  cr_assert_eq(warnings.size(), 3);
  cr_assert(warnings.at(0).contains("it takes too long"));
}

// A machine that is busy may give a child no processor for as long as the first limit.
Test(media_pictures, what_took_too_long_is_made_after_the_others_with_more_time) {
  const Fixture fixture;
  MediaPictures::Options options = fixture.options("[ $(grep -c . '" + (fixture.tools / "log") +
                                                   "') -gt 1 ] || exec sleep 30; printf picture");
  options.poster_limit_ms = 500;
  MediaPictures pictures(options, *fixture.desk);
  const Library library = make_all(pictures, fixture.scan());
  cr_assert(bool(library->find("cat")->poster) && bool(library->find("dog")->poster));
  cr_assert_eq(fixture.runs(), 4, "the cat's poster twice");
  cr_assert(pictures.take_warnings().empty());
}

Test(media_pictures, a_stop_is_obeyed_soon_and_nothing_false_is_kept) {
  const Fixture fixture;
  MediaPictures pictures(fixture.options("exec sleep 30"), *fixture.desk);
  const Library library = pictures.recall(fixture.scan());
  std::stop_source source;
  const std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    source.request_stop();
  });
  const auto start = std::chrono::steady_clock::now();
  cr_assert_not(pictures.make_next(*library, source.get_token()));
  cr_assert_lt(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
  cr_assert(pictures.take_warnings().empty());

  fixture.ffmpeg("printf picture");
  cr_assert(bool(make_all(pictures, library)->find("cat")->poster));
}

Test(media_pictures, a_real_film_gets_real_pictures) {
  const Fixture fixture;
  const auto make = [&](const char* source, const char* name) {
    return std::system(("ffmpeg -v error -y -f lavfi -i " + std::string(source) +
                        " -c:v mpeg4 -g 25 '" + (fixture.media / name) + "' </dev/null 2>&1")
                           .c_str());
  };
  if (std::system("command -v ffmpeg >/dev/null 2>&1") != 0 ||
      make("testsrc2=size=320x180:rate=25:duration=60", "cat.mp4") != 0) {
    cr_skip_test("ffmpeg is not installed");
  }
  MediaPictures pictures({.cache_directory = fixture.cache.path()}, *fixture.desk);
  const Library library = make_all(pictures, fixture.scan());
  const auto warnings = pictures.take_warnings();
  cr_assert_eq(warnings.size(), 1, "the dog's file is no video");
  cr_assert_neq(warnings[0].find("dog"), std::string::npos);
  const VideoEntry& cat = *library->find("cat");
  const auto begins_like_jpeg = [&](const LibraryFile& file) {
    unsigned char head[3] = {};
    const MediaFileRef opened = open(library->place_of(file)).value();
    return ::pread(opened->fd(), head, 3, 0) == 3 && head[0] == 0xff && head[1] == 0xd8;
  };
  cr_assert(begins_like_jpeg(cat.poster));
  cr_assert(begins_like_jpeg(cat.sprite));
  cr_assert(cat.sprite.path.ends_with(".jpg"));
  cr_assert(cat.thumbnails.path.ends_with(".vtt"));
}

Test(media_pictures, a_cover_in_the_film_is_its_poster) {
  const Fixture fixture;
  const auto run = [](const std::string& arguments) {
    return std::system(("ffmpeg -v error -y " + arguments + " </dev/null 2>&1").c_str());
  };
  const std::string film = fixture.tools / "film.mp4";
  const std::string cover = fixture.tools / "cover.jpg";
  if (std::system("command -v ffmpeg >/dev/null 2>&1") != 0 ||
      run("-f lavfi -i testsrc2=size=320x180:rate=25:duration=2 -c:v mpeg4 " + film) != 0 ||
      run("-f lavfi -i color=red:size=100x150 -frames:v 1 " + cover) != 0 ||
      run("-i " + film + " -i " + cover + " -map 0 -map 1 -c copy -disposition:v:1 attached_pic " +
          (fixture.media / "cat.mp4")) != 0 ||
      run("-i " + film + " -c copy -attach " + cover + " -metadata:s:t mimetype=image/jpeg " +
          (fixture.media / "dog.mkv")) != 0) {
    cr_skip_test("ffmpeg is not installed");
  }
  std::filesystem::remove(fixture.media / "dog.mp4");
  MediaPictures pictures({.cache_directory = fixture.cache.path()}, *fixture.desk);
  const Library library = make_all(pictures, fixture.scan());
  for (const char* id : {"cat", "dog"}) {
    const MediaFileRef file = open(library->place_of(library->find(id)->poster)).value();
    std::string jpeg(file->size(), '\0');
    cr_assert_eq(::pread(file->fd(), jpeg.data(), jpeg.size(), 0),
                 static_cast<ssize_t>(jpeg.size()));
    // Its frame's header, behind the precision: 150 lines of 100.
    const std::size_t head = jpeg.find("\xff\xc0");
    cr_assert_eq(jpeg.substr(head + 5, 4), std::string("\0\x96\0\x64", 4), "%s", id);
  }
  cr_assert(bool(library->find("cat")->thumbnails), "of the film, not of its cover");
}
