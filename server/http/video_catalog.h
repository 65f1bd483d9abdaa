// The library as clients see it: JSON of videos, and the URLs of their files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/shared_buffer.h"
#include "storage/media/media_library.h"

namespace videosync {

// "/api/video?id=cat"; the playlist's URL for a video that exists as HLS alone.
std::string video_url(const VideoEntry& video);

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
  std::string words{};                  // all of which a title has; "": any title
  std::optional<std::string> folder{};  // what lies in it; with words, below it as well
  std::size_t limit = SIZE_MAX;         // of videos
  std::string after{};                  // an id: what comes behind it; "": from the first
};

// The body for it, with "folders" (those in the folder that is asked for, or at the top) and, where
// there is more, "next". Nullopt: `after` is no video.
std::optional<std::string> encode_page(const MediaLibrary& library, const VideoQuery& query);

// A strong entity tag of a body, with its quotes.
std::string body_etag(std::string_view body);

// A snapshot of the library with its encoded list: made once, by the librarian, and shared by all
// workers. Immutable.
struct VideoCatalog {
  std::shared_ptr<const MediaLibrary> library;
  BufferRef videos_json;  // of encode_videos()
  std::string etag;       // of that
};
using VideoCatalogRef = std::shared_ptr<const VideoCatalog>;

VideoCatalogRef make_catalog(std::shared_ptr<const MediaLibrary> library);

}  // namespace videosync
