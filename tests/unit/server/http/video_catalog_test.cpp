// The JSON of the library, byte for byte.
#include "server/http/video_catalog.h"

#include <criterion/criterion.h>
#include <fmt/format.h>

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
  const std::optional<double> durations[]{62.5};
  const auto library = library_of(folder)->with_durations(durations);
  const std::string expected =
      R"({"id":"my-cat","title":"My Cat","type":"video/mp4","bytes":5,"duration":62.5,)"
      R"("url":"/api/video?id=my-cat","hls":"/media/My_Cat/master.m3u8",)"
      R"("poster":"/media/My_Cat.jpg","thumbnails":"/media/My_Cat/thumbnails.vtt","captions":[)"
      R"({"lang":"de","label":"German","url":"/media/My_Cat.de.vtt"},)"
      R"({"lang":"en","label":"English","url":"/media/My_Cat.en.vtt"}]})";
  cr_assert_eq(encode_video(library->videos()[0], "my-cat"), expected);
  cr_assert_eq(encode_videos(*library), "{\"videos\":[" + expected + "]}");
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
  cr_assert_eq(media_url(video.poster->path()),
               "/media/50%25%20%22off%22%20%26%20%3Cb%3E%231%3F.jpg");
  cr_assert_eq(media_url("caf\xc3\xa9/v 0/1.ts"), "/media/caf%C3%A9/v%200/1.ts");
  cr_assert_neq(encode_video(video, video.id).find(R"("title":"50% \"off\" & <b>#1?")"),
                std::string::npos);
}
