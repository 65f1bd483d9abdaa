// Durations: from a real ffprobe where there is one, and from scripts that misbehave.
#include "storage/films/media_probe.h"

#include <criterion/criterion.h>

#include <chrono>
#include <thread>

#include "tests/support/media_storage.h"
#include "tests/support/temp_folder.h"

using namespace videosync;
using namespace videosync::test;

namespace {

std::string script(const TempFolder& folder, std::string_view body) {
  return folder.write_script("probe.sh", body);
}

struct Outcome {
  Library library;
  std::vector<std::string> warnings;
};

// All that can be learned.
Outcome fill(MediaProbe& probe, const Library& library, const std::stop_token& stop = {}) {
  while (probe.learn_next(library, stop) || probe.learn_late(*library, stop)) {
  }
  return {probe.recall(library), probe.take_warnings()};
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

Test(media_probe, real_videos_get_their_durations) {
  TempFolder folder;
  folder.make_folder("show");
  const auto make = [&](const std::string& options, const char* name) {
    return std::system(("ffmpeg -v error -f lavfi -i color=size=32x32:rate=25:duration=2 " +
                        options + " '" + (folder / name) + "' </dev/null >/dev/null 2>&1")
                           .c_str());
  };
  if (std::system("command -v ffmpeg >/dev/null 2>&1 && command -v ffprobe >/dev/null 2>&1") != 0 ||
      make("-c:v mpeg4", "tiny.mp4") != 0 ||
      make("-c:v mpeg2video -f hls -hls_time 1 -hls_list_size 0", "show/master.m3u8") != 0) {
    cr_skip_test("ffmpeg or ffprobe is not installed");
  }
  folder.write("broken.mp4", "this is no video");
  const auto library = library_of(folder);
  const auto desk = make_desk();
  const std::size_t before = settled_descriptors();
  MediaProbe probe(*desk, {});
  const Outcome outcome = fill(probe, library);
  cr_assert(outcome.warnings.empty());
  cr_assert_float_eq(outcome.library->find("tiny")->duration_s().value(), 2.0, 0.05);
  cr_assert_float_eq(outcome.library->find("show")->duration_s().value(), 2.0, 0.05);
  cr_assert(!outcome.library->find("broken")->duration_s());
  cr_assert(!library->find("tiny")->duration_s(), "the scanned snapshot stays as it was");
  cr_assert_eq(settled_descriptors(), before);
}

Test(media_probe, the_child_reads_the_very_file_that_was_opened) {
  TempFolder folder;
  TempFolder tools;
  folder.write("cat.mp4", "41.5");
  const auto library = library_of(folder);
  const auto desk = make_desk();
  MediaProbe probe(*desk,
                   {script(tools, "rm '" + (folder / "cat.mp4") +
                                      "'; for last; do :; done; cat \"${last#file:}\"; echo")});
  cr_assert_eq(fill(probe, library).library->find("cat")->duration_s().value(), 41.5);
}

Test(media_probe, what_a_film_is_told_by_the_program_that_looks_into_it) {
  TempFolder folder;
  TempFolder tools;
  folder.write("cat.mkv");
  folder.write("none.mp4");
  const auto library = library_of(folder);
  const auto desk = make_desk();
  const std::string describing = tools.write_script(
      "describe.sh",
      "[ \"$1 $2\" = 'describe /dev/fd/3' ] || exit 2\n"
      "case \"$(readlink /dev/fd/3)\" in *cat.mkv) echo '{\"durationMs\":2500,\"startMs\":40,"
      "\"audio\":[],\"subtitles\":[],\"pictureSegmentTicks\":180000}';; *) exit 1;; esac");
  MediaProbe probe(*desk, {.measuring = script(tools, "echo 9"), .describing = describing});
  const Outcome outcome = fill(probe, library);
  cr_assert(outcome.warnings.empty());
  cr_assert_eq(outcome.library->find("cat")->duration_s().value(), 2.5);
  cr_assert_eq(outcome.library->find("cat")->learned.facts->start_ms, 40);
  cr_assert(outcome.library->find("none")->learned == LearnedFilm{}, "it is no film");
  cr_assert_eq(probe.known().size(), 2, "which is not asked again");
}

Test(media_probe, without_that_program_durations_are_measured) {
  TempFolder folder;
  TempFolder tools;
  folder.write("cat.mkv");
  const auto library = library_of(folder);
  const auto desk = make_desk();
  MediaProbe probe(*desk, {.measuring = script(tools, "echo 9"), .describing = tools / "missing"});
  const Outcome outcome = fill(probe, library);
  cr_assert_eq(outcome.warnings.size(), 1);
  cr_assert(outcome.warnings[0].contains("missing cannot be run"));
  cr_assert_eq(outcome.library->find("cat")->duration_s().value(), 9);
}

Test(media_probe, what_cannot_be_opened_is_asked_about_another_time) {
  TempFolder folder;
  TempFolder tools;
  folder.write("cat.mp4");
  folder.write("dog.mp4");
  const auto library = library_of(folder);
  std::filesystem::rename(folder / "cat.mp4", folder / "away");
  const auto desk = make_desk();
  MediaProbe probe(*desk, {script(tools, "echo 3")});
  cr_assert(!fill(probe, library).library->find("cat")->duration_s());
  cr_assert_eq(probe.known().size(), 1);
  std::filesystem::rename(folder / "away", folder / "cat.mp4");
  cr_assert_eq(fill(probe, library_of(folder)).library->find("cat")->duration_s().value(), 3);
}

Test(media_probe, what_is_known_is_not_asked_again) {
  TempFolder folder;
  TempFolder tools;
  folder.write("cat.mp4");
  folder.write("dog.mp4");
  const auto desk = make_desk();
  MediaProbe probe(*desk, {script(tools, "echo asked >>" + (tools / "log") + "; echo 7.25")});
  const auto asked = [&] {
    std::error_code error;
    const auto size = std::filesystem::file_size(tools / "log", error);
    return error ? 0 : size / 6;
  };
  cr_assert_eq(fill(probe, library_of(folder)).library->find("dog")->duration_s().value(), 7.25);
  cr_assert_eq(asked(), 2);

  const auto rescanned = library_of(folder);
  const auto filled = fill(probe, rescanned).library;
  cr_assert_eq(filled->find("dog")->duration_s().value(), 7.25);
  cr_assert_eq(asked(), 2);
  cr_assert_eq(fill(probe, filled).library.get(), filled.get(), "nothing learned: no copy");

  folder.write("dog.mp4", "another size");
  fill(probe, library_of(folder));
  cr_assert_eq(asked(), 3);
}

Test(media_probe, a_missing_ffprobe_is_one_line) {
  TempFolder folder;
  folder.write("cat.mp4");
  folder.write("dog.mp4");
  const auto library = library_of(folder);
  const auto desk = make_desk();
  MediaProbe probe(*desk, {folder / "no-such-program"});
  const Outcome outcome = fill(probe, library);
  cr_assert_eq(outcome.warnings.size(), 1);
  cr_assert_neq(outcome.warnings[0].find("cannot be run"), std::string::npos);
  cr_assert_eq(outcome.library.get(), library.get());
}

Test(media_probe, answers_that_are_none_are_none) {
  TempFolder folder;
  TempFolder tools;
  folder.write("cat.mp4");
  for (const char* answer : {"echo N/A", "echo inf", "echo nan", "echo -5", "echo 0", "printf 12.5",
                             "echo 12x", "exit 1", "head -c 100000 /dev/zero"}) {
    const auto desk = make_desk();
    MediaProbe probe(*desk, {script(tools, answer)});
    const Outcome outcome = fill(probe, library_of(folder));
    cr_assert(!outcome.library->find("cat")->duration_s(), "%s", answer);
    cr_assert(outcome.warnings.empty());
  }
}

// A machine that is busy may give a child no processor for as long as the first limit.
Test(media_probe, what_took_too_long_is_asked_again_after_the_others_with_more_time) {
  TempFolder folder;
  TempFolder tools;
  folder.write("busy.mp4", "1.5");
  folder.write("cat.mp4", "2.5");
  folder.write("dog.mp4", "3.5");
  const auto library = library_of(folder);
  const auto desk = make_desk();
  // The busy one answers at the third question.
  MediaProbe probe(
      *desk,
      {script(tools, "for last; do :; done; text=$(cat \"${last#file:}\"); echo $text >>" +
                         (tools / "log") + "; if [ $text = 1.5 ] && [ $(grep -c 1.5 " +
                         (tools / "log") + ") -lt 3 ]; then exec sleep 30; fi; echo $text")},
      500);
  const Outcome outcome = fill(probe, library);
  cr_assert_eq(outcome.library->find("busy")->duration_s().value(), 1.5);
  cr_assert_eq(outcome.library->find("dog")->duration_s().value(), 3.5);
  std::ifstream log(tools / "log");
  const std::string order{std::istreambuf_iterator<char>(log), {}};
  cr_assert_eq(order, "1.5\n2.5\n3.5\n1.5\n1.5\n");
  cr_assert_eq(outcome.warnings.size(), 1);
  cr_assert(outcome.warnings[0].contains("asked again later"));
}

Test(media_probe, a_probe_that_hangs_is_ended) {
  TempFolder folder;
  TempFolder tools;
  folder.write("cat.mp4");
  const auto desk = make_desk();
  const std::size_t before = settled_descriptors();
  const auto start = std::chrono::steady_clock::now();
  MediaProbe probe(*desk, {script(tools, "echo >>" + (tools / "log") + "; exec sleep 30")}, 20);
  const Outcome outcome = fill(probe, library_of(folder));
  cr_assert_lt(seconds_since(start), 5.0);
  cr_assert(!outcome.library->find("cat")->duration_s());
  // One that is ended before it has written anything is none the less one.
  cr_assert_leq(std::filesystem::file_size(tools / "log"), 1 + MediaProbe::limit_doublings);
  cr_assert_eq(outcome.warnings.size(), 2);
  cr_assert(outcome.warnings[0].contains("20 ms"));
  cr_assert(outcome.warnings[1].contains("320 ms"));
  cr_assert_eq(probe.known().size(), 1, "it is not asked for ever");
  cr_assert_eq(settled_descriptors(), before + 1, "the library's folder alone");
}

Test(media_probe, a_stop_is_obeyed_soon_and_nothing_false_is_kept) {
  TempFolder folder;
  TempFolder tools;
  folder.write("cat.mp4");
  folder.write("dog.mp4");
  const auto library = library_of(folder);
  const std::string program = script(tools, "exec sleep 30");
  const auto desk = make_desk();
  MediaProbe probe(*desk, {program});
  std::stop_source source;
  const auto start = std::chrono::steady_clock::now();
  std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    source.request_stop();
  });
  const Outcome stopped = fill(probe, library, source.get_token());
  cr_assert_lt(seconds_since(start), 5.0);
  cr_assert_eq(stopped.library.get(), library.get());
  cr_assert(stopped.warnings.empty());

  script(tools, "echo 3");
  cr_assert_eq(fill(probe, library).library->find("cat")->duration_s().value(), 3);
}
