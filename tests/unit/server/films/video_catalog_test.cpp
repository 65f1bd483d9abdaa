// The JSON of the library, byte for byte.
#include "server/films/video_catalog.h"

#include <criterion/criterion.h>
#include <fmt/core.h>
#include <sys/stat.h>

#include "storage/files/file_requests.h"
#include "tests/support/media_storage.h"
#include "tests/support/temp_folder.h"

using namespace videosync;
using namespace videosync::test;

Test(video_catalog, an_empty_library_is_an_empty_list) {
  cr_assert_eq(encode_videos(*MediaLibrary::make_empty()), "{\"videos\":[]}");
}

Test(video_catalog, a_video_has_all_its_fields) {
  TempFolder folder;
  folder.write("My_Cat.mp4", "12345");
  folder.write("My_Cat.en.vtt");
  folder.write("My_Cat.de.vtt");
  folder.write("My_Cat.jpg");
  folder.write("My_Cat/master.m3u8");
  folder.write("My_Cat/thumbnails.vtt");
  const LearnedFilm learned[]{{62.5}};
  const auto library = library_of(folder)->with_learned(learned);
  const std::string expected =
      R"({"id":"my-cat","title":"My Cat","type":"video/mp4","bytes":5,"duration":62.5,)"
      R"("url":"/api/video?id=my-cat","hls":"/media/My_Cat/master.m3u8",)"
      R"("poster":"/media/My_Cat.jpg","thumbnails":"/media/My_Cat/thumbnails.vtt","captions":[)"
      R"({"lang":"de","label":"German","url":"/media/My_Cat.de.vtt"},)"
      R"({"lang":"en","label":"English","url":"/media/My_Cat.en.vtt"}]})";
  cr_assert_eq(encode_video(*library, library->videos()[0], "my-cat"), expected);
  cr_assert_eq(encode_videos(*library), "{\"videos\":[" + expected + "]}");
}

Test(video_catalog, a_film_that_was_looked_into_has_tracks_and_forms) {
  TempFolder folder;
  folder.write("cat.mkv", "12345");
  auto facts = parse_film_facts(
      R"({"bytes":5,"startMs":83,"durationMs":2500,"endsEarly":false,"video":{"codec":"avc1.64001f",)"
      R"("width":320,"height":180,"fps":25,"hdr":false,"rotation":0,"copyable":true},)"
      R"("audio":[{"index":1,"codec":"ac-3","channels":6,"rate":48000,"segmentSamples":192512,)"
      R"("lang":"ger","label":"","default":true}],"subtitles":[],"pictureSegmentTicks":180000})");
  const LearnedFilm learned[]{learned_of(std::move(facts.value()))};
  const auto library = library_of(folder, {.has_forms = true})->with_learned(learned);
  const std::string json = encode_video(*library, library->videos()[0], "cat");
  const std::string forms = form_place(*library, library->videos()[0]).forms_url;
  cr_assert(forms.starts_with("/forms/cat/5-"), "%s", forms.c_str());
  cr_assert(
      json.ends_with(
          R"("captions":[],"tracks":{"video":{"codec":"avc1.64001f","width":320,"height":180,)"
          R"("fps":25,"hdr":false,"rotation":0},"audio":[{"index":1,"codec":"ac-3","lang":"de",)"
          R"("label":"","channels":6,"default":true}],"subtitles":[]},"startMs":83,)"
          R"("endsEarly":false,"forms":[{"form":"file","url":"/api/video?id=cat",)"
          R"("type":"video/x-matroska","codecs":"avc1.64001f,ac-3"},{"form":"copy","url":")" +
          forms +
          R"(copy.m3u8","type":"application/vnd.apple.mpegurl","codecs":"avc1.64001f,mp4a.40.2"},)"
          R"({"form":"transcode","url":")" +
          forms +
          R"(transcode.m3u8","type":"application/vnd.apple.mpegurl",)"
          R"("codecs":"avc1.64002a,mp4a.40.2"}]})"),
      "%s", json.c_str());
}

Test(video_catalog, another_length_shows_in_one_number) {
  TempFolder folder;
  folder.write("a.mp4", "1");
  folder.write("b.mp4", "2");
  const auto lengths = [library = library_of(folder)](double a_s, double b_s) {
    const LearnedFilm learned[]{{a_s}, {b_s}};
    return make_catalog(library->with_learned(learned))->lengths;
  };
  cr_assert_eq(lengths(5, 7), lengths(5, 7));
  cr_assert_neq(lengths(5, 7), lengths(5, 7.5));
  cr_assert_neq(lengths(5, 7), lengths(7, 5));
}

Test(video_catalog, the_default_video_comes_first) {
  TempFolder folder;
  for (const char* name : {"a.mp4", "b.mp4", "c.mp4"})
    folder.write(name, "12345");
  const auto library = library_of(folder, {.default_id = "b"});
  const std::string json = encode_videos(*library);
  const auto place = [&](const char* id) { return json.find(fmt::format("\"id\":\"{}\"", id)); };
  cr_assert_lt(place("b"), place("a"));
  cr_assert_lt(place("a"), place("c"));
  cr_assert_neq(place("c"), std::string::npos);
}

Test(video_catalog, what_is_not_known_is_left_out) {
  TempFolder folder;
  folder.write("a.webm", "123");
  folder.write("b/master.m3u8");
  cr_assert_eq(encode_videos(*library_of(folder)),
               R"({"videos":[{"id":"a","title":"a","type":"video/webm","bytes":3,)"
               R"("url":"/api/video?id=a","captions":[]},)"
               R"({"id":"b","title":"b","type":"application/vnd.apple.mpegurl","bytes":0,)"
               R"("url":"/media/b/master.m3u8","hls":"/media/b/master.m3u8","captions":[]}]})");
}

Test(video_catalog, names_are_escaped_for_urls_and_json) {
  TempFolder folder;
  folder.write("50% \"off\" & <b>#1?.mp4");
  folder.write("50% \"off\" & <b>#1?.jpg");
  const auto library = library_of(folder);
  const VideoEntry& video = library->videos()[0];
  cr_assert_eq(media_url(video.poster.place()),
               "/media/50%25%20%22off%22%20%26%20%3Cb%3E%231%3F.jpg");
  cr_assert_eq(media_url("caf\xc3\xa9/v 0/1.ts"), "/media/caf%C3%A9/v%200/1.ts");
  cr_assert_neq(encode_video(*library, video, video.id).find(R"("title":"50% \"off\" & <b>#1?")"),
                std::string::npos);
}

Test(video_catalog, what_a_name_says_is_told) {
  TempFolder folder;
  folder.write("Show/Season 01/Show S01E02 - Pilot.mp4");
  folder.write("Film (2001)/Film (2001) - 2160p.mkv", "12");
  folder.write("Film (2001)/Film (2001) - 1080p.mp4", "1");
  folder.write("Film (2001)/Film (2001)-trailer.mp4");
  const auto library = library_of(folder);
  const std::string json = encode_videos(*library);
  cr_assert_eq(
      json.find(R"({"videos":[{"id":"film-2001-1080p","title":"Film","year":2001,)"
                R"("type":"video/mp4","bytes":1,"url":"/api/video?id=film-2001-1080p",)"
                R"("versions":[{"id":"film-2001-1080p","label":"1080p","type":"video/mp4",)"
                R"("bytes":1,"url":"/api/video?id=film-2001-1080p"},)"
                R"({"id":"film-2001-2160p","label":"2160p","type":"video/x-matroska",)"
                R"("bytes":2,"url":"/api/video?id=film-2001-2160p"}],"captions":[]})"),
      0, "%s", json.c_str());
  cr_assert(json.contains(R"("title":"Show S01E02 Pilot","show":{"title":"Show","season":1,)"
                          R"("episode":2,"name":"Pilot"},)"));
  cr_assert(json.contains(R"x("title":"Film (trailer)","year":2001,"extra":"trailer",)x"));
}

namespace {

std::string page_of(const Library& library, const VideoQuery& query) {
  return encode_page(*make_catalog(library), query).value();
}

std::string ids_of(const Library& library, const VideoQuery& query) {
  const std::string json = page_of(library, query);
  std::string ids;
  for (std::size_t at = 0; (at = json.find("{\"id\":\"", at)) != json.npos;) {
    at += 7;
    ids += json.substr(at, json.find('"', at) - at) + " ";
  }
  const std::size_t next = json.find(",\"next\":");
  return ids + (next == json.npos ? "" : "> " + json.substr(next + 8, json.size() - next - 9));
}

}  // namespace

Test(video_catalog, pages_follow_each_other) {
  TempFolder folder;
  for (int i = 1; i <= 5; ++i)
    folder.write(fmt::format("part {}.mp4", i));
  const auto library = library_of(folder);
  cr_assert_eq(ids_of(library, {.limit = 2}), "part-1 part-2 > \"part-2\"");
  cr_assert_eq(ids_of(library, {.limit = 2, .after = "part-2"}), "part-3 part-4 > \"part-4\"");
  cr_assert_eq(ids_of(library, {.limit = 2, .after = "part-4"}), "part-5 ");
  cr_assert_eq(ids_of(library, {.limit = 5}), "part-1 part-2 part-3 part-4 part-5 ");
  cr_assert(!encode_page(*make_catalog(library), {.after = "part-6"}));

  const auto other = library_of(folder, {.default_id = "part-3"});
  cr_assert_eq(ids_of(other, {.limit = 1}), "part-3 > \"part-3\"", "the default video first");
  cr_assert_eq(ids_of(other, {.limit = 3, .after = "part-3"}), "part-1 part-2 part-4 > \"part-4\"");
  cr_assert_eq(ids_of(other, {.limit = 3, .after = "part-4"}), "part-5 ");
  cr_assert_eq(ids_of(other, {.words = "part", .limit = 2}), "part-3 part-1 > \"part-1\"");
  cr_assert_eq(ids_of(other, {.words = "2"}), "part-2 ");
}

Test(video_catalog, folders_and_words_choose) {
  TempFolder folder;
  folder.write("Am\u00e9lie.mp4");
  folder.write("Shows/One/One S01E01.mp4");
  folder.write("Shows/One/One S01E02.mp4");
  folder.write("Shows/Two/Two S01E01 Am\u00e9lie.mp4");
  folder.write("Shows/News.mp4");
  const auto library = library_of(folder);
  cr_assert_eq(ids_of(library, {.folder = ""}), "am-lie ");
  cr_assert_eq(ids_of(library, {.folder = "Shows"}), "news ");
  cr_assert_eq(ids_of(library, {.folder = "Shows/One"}), "one-s01e01 one-s01e02 ");
  cr_assert_eq(ids_of(library, {.folder = "None"}), "");
  cr_assert_eq(ids_of(library, {.words = "AMELIE"}), "am-lie two-s01e01-am-lie ");
  cr_assert_eq(ids_of(library, {.words = "amelie  two"}), "two-s01e01-am-lie ");
  cr_assert_eq(ids_of(library, {.words = "one", .folder = "Shows"}), "one-s01e01 one-s01e02 ");
  cr_assert(page_of(library, {.folder = ""})
                .contains(R"("folders":[{"path":"Shows","title":"Shows","videos":4}])"));
  cr_assert(page_of(library, {.folder = "Shows", .after = "news"}).contains(R"("folders":[])"));
  cr_assert(page_of(library, {.folder = "Shows"})
                .contains(R"("folders":[{"path":"Shows/One","title":"One","videos":2},)"
                          R"({"path":"Shows/Two","title":"Two","videos":1}])"));
}

// Writes it until its time tells that it came later.
void write_later(const TempFolder& folder, const char* name, const char* than) {
  const auto came_ns = [&](const char* file) {
    struct stat status{};
    cr_assert_eq(::stat((folder / file).c_str(), &status), 0);
    return facts_of(status).ctime_ns;
  };
  do
    folder.write(name);
  while (came_ns(name) <= came_ns(than));
}

Test(video_catalog, what_came_last_is_first_where_that_is_wanted) {
  TempFolder folder;
  folder.write("cat.mp4");
  write_later(folder, "ant.mp4", "cat.mp4");
  write_later(folder, "bee.mp4", "ant.mp4");
  write_later(folder, "Heat (1995) 1080p.mp4", "bee.mp4");
  write_later(folder, "dog.mp4", "Heat (1995) 1080p.mp4");
  write_later(folder, "Heat (1995) 720p.mp4", "dog.mp4");
  using enum VideoQuery::Order;
  const auto library = library_of(folder);
  const std::string heat = "heat-1995-1080p heat-1995-1080p heat-1995-720p";  // with its versions
  cr_assert_eq(ids_of(library, {.order = newest}), heat + " dog bee ant cat ");
  cr_assert_eq(ids_of(library, {.limit = 2, .order = newest}), heat + " dog > \"dog\"");
  cr_assert_eq(ids_of(library, {.limit = 2, .after = "dog", .order = newest}), "bee ant > \"ant\"");
  cr_assert_eq(ids_of(library, {.limit = 2, .after = "ant", .order = newest}), "cat ");
  cr_assert_eq(ids_of(library, {.words = "a", .limit = 2, .order = newest}),
               heat + " ant > \"ant\"");
  cr_assert_eq(ids_of(library, {.words = "a", .after = "ant", .order = newest}), "cat ");
  cr_assert_eq(ids_of(library, {.after = "heat-1995-720p", .order = newest}), "dog bee ant cat ");
  cr_assert_eq(ids_of(library, {.order = title}), "ant bee cat dog " + heat + " ");
}

// Words lie in one text for all films: none may be found across two of them.
Test(video_catalog, words_are_found_in_one_title_alone) {
  TempFolder folder;
  for (const char* name : {"ab.mp4", "cd.mp4", "cd ab.mp4", "x abcd.mp4"})
    folder.write(name);
  const auto library = library_of(folder);
  cr_assert_eq(ids_of(library, {.words = "ab"}), "ab cd-ab x-abcd ");
  cr_assert_eq(ids_of(library, {.words = "cd ab"}), "cd-ab x-abcd ");
  cr_assert_eq(ids_of(library, {.words = "bc"}), "x-abcd ");
  cr_assert_eq(ids_of(library, {.words = "b\nc"}), "");
  cr_assert_eq(ids_of(library, {.words = "abcde"}), "");
  cr_assert_eq(ids_of(library, {.words = "  "}), "ab cd cd-ab x-abcd ");
  cr_assert_eq(ids_of(library, {.words = "ab", .limit = 2, .after = "ab"}), "cd-ab x-abcd ");
}
