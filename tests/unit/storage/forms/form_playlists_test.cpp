// What the media program says becomes values, and these become playlists that name the right files.
#include "storage/forms/form_playlists.h"

#include <criterion/criterion.h>

#include <string>

#include "storage/forms/form_names.h"

using namespace videosync;

namespace {

constexpr std::string_view described =
    R"({"container":"matroska,webm","bytes":9000000,"startMs":21,"durationMs":9500,)"
    R"("endsEarly":false,"segments":2,"video":{"index":0,"codec":"avc1.4d400d","width":1920,)"
    R"("height":800,"fps":23.976,"hdr":false,"rotation":0,"interlaced":false,"copyable":true},)"
    R"("audio":[{"index":1,"codec":"ac-3","channels":6,"rate":48000,"segmentSamples":192512,)"
    R"("lang":"ger","label":"Kino \"5.1\"","default":false},{"index":2,"codec":"dtsc",)"
    R"("channels":2,"rate":48000,"segmentSamples":192512,"lang":"eng","label":"","default":true}],)"
    R"("subtitles":[{"index":3,"codec":"subrip","lang":"fre","label":"","forced":true,"text":true},)"
    R"({"index":4,"codec":"hdmv_pgs_subtitle","lang":"eng","label":"","forced":false,"text":false}],)"
    R"("pictureSegmentTicks":180000})";

FilmFacts facts() {
  return parse_film_facts(described).value();
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

Test(form_playlists, facts_are_read) {
  const FilmFacts film = facts();
  cr_assert_eq(film.end_ticks(), 855'000);
  cr_assert(film.has_plan && film.picture->is_copyable);
  cr_assert_eq(film.sound[0].lang, "de");
  cr_assert_eq(film.default_sound()->index, 2);
  cr_assert(film.subtitles[0].is_forced && !film.subtitles[1].is_text);
  cr_assert(!parse_film_facts("{"));
  cr_assert(!parse_film_facts("[]"));
  cr_assert(!parse_film_facts(R"({"audio":[{"rate":0}],"pictureSegmentTicks":1})"));
}

Test(form_playlists, numbers_that_no_film_has_are_not_believed) {
  const auto with = [](std::string_view told, std::string_view instead) {
    std::string text(described);
    text.replace(text.find(told), told.size(), instead);
    return parse_film_facts(text).has_value();
  };
  constexpr std::string_view huge = "9223372036854775807";
  cr_assert(with("9000000", "9000001"));
  cr_assert(!with("9000000", huge), "its bits a second cannot be reckoned");
  cr_assert(!with("192512", huge), "nor where a segment ends");
  cr_assert(!with("180000}", std::string(huge) + "}"));
  // Ten days, of which a segment may take as much.
  cr_assert(with("180000}", "77760000000}") && !with("180000}", "77760090000}"));
}

Test(form_playlists, what_reading_adds) {
  FilmFacts film = facts();
  cr_assert(add_read_facts(R"({"durationMs":4000,"segments":1,"endsEarly":true})", film));
  cr_assert_eq(film.duration_ms.value(), 4'000);
  cr_assert(film.ends_early);
  cr_assert(!add_read_facts(R"({"segments":1})", film));
  // What a broken header says: playlists would name each part of it.
  cr_assert(!add_read_facts(R"({"durationMs":1000000000000})", film));
  cr_assert_eq(film.duration_ms, 4'000);
}

Test(form_playlists, a_plan_rises_from_0) {
  const auto plan = parse_film_plan("1 810000\n-2 100 0\n9 200 450000\n");
  cr_assert(plan.has_value());
  cr_assert_eq(plan->starts.size(), 2);
  cr_assert_eq(plan->starts[1], 450'000);
  cr_assert_eq(plan->end, 810'000);
  for (const auto* wrong :
       {"", "1 5\n", "1 5\n0 0 0\n0 0 9\n", "0 9\n0 0 1\n", "0 9\n0 0\n", "x 9\n0 0 0\n"})
    cr_assert(!parse_film_plan(wrong), "%s", wrong);
}

Test(form_playlists, masters_name_sound_and_picture) {
  const std::string copy = copy_master(facts());
  cr_assert(has(copy, R"(CODECS="avc1.4d400d,mp4a.40.2")"));
  cr_assert(has(copy, R"(NAME="Kino  5.1 ",LANGUAGE="de",DEFAULT=NO)"), "quotes are taken out");
  cr_assert(has(
      copy, R"(LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="sound-2/index.m3u8")"));
  cr_assert(has(copy, "\ncopy/index.m3u8\n"));
  FilmFacts odd = facts();
  odd.picture->codec = "a\"\n#EXT";
  cr_assert(has(copy_master(odd), R"(CODECS="a  #EXT,mp4a.40.2")"), "likewise");
  const std::string made = transcode_master(facts(), 2);
  cr_assert(has(made, "RESOLUTION=1728x720") && has(made, "\n720p/index.m3u8\n"));
  cr_assert(!has(made, "1080p"), "two cores do not make it in time");
  cr_assert(has(transcode_master(facts(), 8), "\n1080p/index.m3u8\n"));
}

Test(form_playlists, all_renditions_end_with_the_film) {
  const FilmFacts film = facts();
  const FilmPlan plan{{0, 450'000}, 810'000};
  const Rendition copy{};
  const Rendition picture{.kind = Rendition::Kind::picture, .height = 720};
  const Rendition sound{.kind = Rendition::Kind::sound, .track = 1};
  cr_assert_eq(segments_of(film, &plan, copy), 2);
  cr_assert_eq(segments_of(film, nullptr, copy), 0);
  cr_assert_eq(segments_of(film, nullptr, picture), 5);
  cr_assert_eq(segments_of(film, nullptr, sound), 3);
  const Rendition surround{.kind = Rendition::Kind::sound, .track = 2, .channels = 6};
  cr_assert_eq(segments_of(film, nullptr, surround), 0, "that one is stereo");
  cr_assert(has(media_playlist(film, &plan, copy),
                "#EXTINF:5.000000,\n0.m4s\n#EXTINF:4.500000,\n1.m4s\n"));
  cr_assert(
      has(media_playlist(film, nullptr, picture), "#EXTINF:1.500000,\n4.m4s\n#EXT-X-ENDLIST"));
  cr_assert(has(media_playlist(film, nullptr, sound), "#EXT-X-TARGETDURATION:5\n"));
}

Test(form_playlists, forms_come_cheapest_first) {
  std::string json = "{";
  append_film(json, facts(), {"/api/video?id=a", "video/x-matroska", "/forms/a/1-2/"});
  const std::size_t file = json.find(R"({"form":"file","url":"/api/video?id=a")");
  const std::size_t copy = json.find(R"({"form":"copy","url":"/forms/a/1-2/copy.m3u8")");
  const std::size_t made = json.find(R"({"form":"transcode")");
  cr_assert(file < copy && copy < made && made != std::string::npos);
  cr_assert(has(json, R"("codecs":"avc1.4d400d,dtsc")"), "of the track that all are given");
  cr_assert(has(json, R"("forced":true,"url":"/forms/a/1-2/subtitles/3.vtt"})"));
  cr_assert(has(json, R"("forced":false}])"), "pictures have no text");
}

Test(form_playlists, where_none_are_made_a_film_has_its_file_alone) {
  std::string json = "{";
  append_film(json, facts(), {"/api/video?id=a", "video/x-matroska", ""});
  cr_assert(has(json, R"("forms":[{"form":"file","url":"/api/video?id=a")"));
  cr_assert(!has(json, "copy") && !has(json, "transcode") && !has(json, ".vtt"), "%s",
            json.c_str());
  cr_assert(has(json, R"("forced":true})"), "it is still told what the file has");
}

Test(form_playlists, names_of_files_are_read_as_they_are_written) {
  for (const auto* name : {"copy/0.m4s", "720p/12.m4s", "sound-3/7.m4s", "sound-3-6/init.mp4",
                           "subtitles/4.vtt", "pictures-4/0.json"}) {
    const auto file = parse_form_file(name);
    cr_assert(file.has_value(), "%s", name);
    cr_assert_eq(file->rendition.folder() + "/" + file->name(), name);
  }
  for (const auto* name :
       {"", "copy", "copy/", "copy/01.m4s", "copy/-1.m4s", "copy/../a", "copy/1.m4s/", "700p/1.m4s",
        "sound-/1.m4s", "sound-01/1.m4s", "sound-1-5/1.m4s", "copy/99999999.m4s", "subtitles/a.vtt",
        "captions/text.vtt", "pictures-4/init.mp4", "pictures-04/1.json", "pictures-4/0.m4s"})
    cr_assert(!parse_form_file(name), "%s", name);
}

Test(form_playlists, a_length_that_no_film_has_is_not_believed) {
  for (const char* length : {"4295036272", "1000000000000", "9223372036854775807", "-5"}) {
    std::string text(described);
    const std::string name = R"("durationMs":)";
    const std::size_t at = text.find(name) + name.size();
    text.replace(at, text.find(',', at) - at, length);
    const auto facts = parse_film_facts(text);
    cr_assert(facts && !facts->duration_ms && facts->end_ticks() == 0, "%s", length);
  }
}
