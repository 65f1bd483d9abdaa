// The library as clients see it: JSON of videos, and the URLs of their files.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/base/shared_buffer.h"
#include "storage/media/media_library.h"

namespace videosync {

// "/api/video?id=cat"; the playlist's URL for a video that exists as HLS alone.
std::string video_url(const VideoEntry& video);

// "/media/cat.en.vtt", percent-encoded but for its slashes; with what stands for a path that no URL
// can hold.
std::string media_url(std::string_view path);

// One element of the list below, under the id by which it was asked for. `bytes` is 0 for a video
// that exists as HLS alone.
std::string encode_video(const VideoEntry& video, std::string_view id);

// The body of GET /api/videos, the default video first: pages offer the first one.
std::string encode_videos(const MediaLibrary& library);

// A snapshot of the library with its encoded list: made once, by the librarian, and shared by all
// workers. Immutable.
struct VideoCatalog {
  std::shared_ptr<const MediaLibrary> library;
  BufferRef videos_json;  // of encode_videos()
};
using VideoCatalogRef = std::shared_ptr<const VideoCatalog>;

VideoCatalogRef make_catalog(std::shared_ptr<const MediaLibrary> library);

}  // namespace videosync
