// The library as clients see it: JSON of videos, and the URLs of their files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/shared_buffer.h"
#include "server/films/library_folders.h"
#include "storage/forms/form_playlists.h"
#include "storage/library/media_library.h"

namespace videosync {

// "/api/video?id=cat"; the playlist's URL for a video that exists as HLS alone.
std::string video_url(const VideoEntry& video);

// Where its forms are: "/forms/cat/1a-2b/", with its file's version; "" where the library has none.
// REQUIRES a file.
inline constexpr std::string_view forms_prefix = "/forms/";
FilmPlace form_place(const MediaLibrary& library, const VideoEntry& video);
// Captions beside it are at "/forms/cat/beside/" and this name, with their file's version.
inline constexpr std::string_view captions_prefix = "beside/";
std::string captions_file_name(const Caption& caption);

// "/media/cat.en.vtt", percent-encoded but for its slashes; with what stands for a path that no URL
// can hold.
std::string media_url(const std::string& place);

// One element of the list below, under the id by which it was asked for. `bytes` is 0 for a video
// that exists as HLS alone.
std::string encode_video(const MediaLibrary& library, const VideoEntry& video, std::string_view id);

// The body of GET /api/videos, the default video first: pages offer the first one.
std::string encode_videos(const MediaLibrary& library);

// What part of the list is asked for.
struct VideoQuery {
  enum class Order : std::uint8_t { title, newest };  // as the list; what came last first
  std::string words{};                                // all of which a title has; "": any title
  std::optional<std::string> folder{};  // what lies in it; with words, below it as well
  std::size_t limit = SIZE_MAX;         // of videos
  std::string after{};                  // an id: what comes behind it; "": from the first
  Order order = Order::title;
  std::string owner{};  // whose private films come first; "": nobody's
};

// A snapshot of the library with its encoded list: made once, by the librarian, and shared by all
// workers. Immutable.
struct VideoCatalog {
  std::shared_ptr<const MediaLibrary> library;
  BufferRef videos_json;  // of encode_videos()
  std::string etag;       // of that
  LibraryFolders folders;
  std::string words;                    // VideoEntry::folded of each film, a newline behind each
  std::vector<std::size_t> words_ends;  // where those lines end, in the order of videos()
  std::vector<std::size_t> newest;      // films, as places in videos(), what came last first
  std::vector<std::size_t> ages;        // where in `newest` each of videos() stands
  std::uint64_t lengths;                // a sum of all films' lengths: another one, another sum
};
using VideoCatalogRef = std::shared_ptr<const VideoCatalog>;

VideoCatalogRef make_catalog(std::shared_ptr<const MediaLibrary> library);

// The body for a part, with "folders" (those in the folder that is asked for, or at the top; on a
// first page without words, folders_max at most) and, where there is more, "next". Nullopt: `after`
// is no video.
inline constexpr std::size_t folders_max = 1'000;
std::optional<std::string> encode_page(const VideoCatalog& catalog, const VideoQuery& query);

}  // namespace videosync
