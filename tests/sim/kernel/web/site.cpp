#include "tests/sim/kernel/web/site.h"

#include <utility>

#include "core/base/assert.h"
#include "storage/files/file_desk.h"
#include "storage/files/open_files.h"
#include "storage/library/media_library.h"
#include "tests/sim/random.h"
#include "tests/support/temp_folder.h"

namespace videosync::sim {

namespace {

std::string make_bytes(std::uint64_t seed, std::size_t count) {
  std::string bytes(count, '\0');
  Random(seed).fill({reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
  return bytes;
}

std::string make_text(std::size_t count) {
  std::string text = "<!doctype html><title>A page</title>";
  while (text.size() < count)
    text += "<p>A line of the page, number " + std::to_string(text.size()) + ".\n";
  return text;
}

Site make_site() {
  // It lives as long as the process: films are open.
  static const test::TempFolder folder;
  folder.write("www/index.html", make_text(3'000));
  folder.write("www/player.html", make_text(40'000));
  folder.write("www/player.js", "console.log(1);");
  folder.write("films/short.mp4", make_bytes(1, 700));
  folder.write("films/middle.mp4", make_bytes(2, 300'123));
  folder.write("films/long.mp4", make_bytes(3, 2'000'000));
  static const auto helpers = FileHelpers::start();
  VS_ASSERT(helpers.has_value());
  static const auto desk = FileDesk::create(**helpers, FileHelpers::Lane::scanning);
  VS_ASSERT(desk.has_value());
  MediaLibrary::Options options;
  options.directories = {folder / "films"};
  static MediaLibrary::Memory memory;
  auto scan = MediaLibrary::scan(options, **desk, memory);
  VS_ASSERT(scan.has_value() && scan->library->videos().size() == 3);
  for (const VideoEntry& video : scan->library->videos()) {
    const MediaLibrary::Place place = scan->library->place_of(video.file);
    auto opened = (*desk)->open(place.folder, place.path);
    VS_ASSERT(opened.has_value());
    place.files->keep(*place.folder, std::move(*opened));
  }
  auto pages = Pages::load(folder / "www");
  VS_ASSERT(pages.has_value());
  return {std::move(*pages), make_catalog(scan->library)};
}

}  // namespace

const Site& the_site() {
  static const Site site = make_site();
  return site;
}

}  // namespace videosync::sim
