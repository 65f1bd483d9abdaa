// The library as clients see it: JSON of videos, and the URLs of their files.
#pragma once

#include <string>
#include <string_view>

#include "storage/media/media_library.h"

namespace videosync {

// "/api/video?id=cat"; the playlist's URL for a video that exists as HLS alone.
std::string video_url(const VideoEntry& video);

// "/media/cat.en.vtt", percent-encoded but for its slashes.
std::string media_url(std::string_view path);

// One element of the list below. `bytes` is 0 for a video that exists as HLS alone.
std::string encode_video(const VideoEntry& video);

// The body of GET /api/videos, the default video first: pages offer the first one. Costs a walk
// over the library: make it once a snapshot.
std::string encode_videos(const MediaLibrary& library);

}  // namespace videosync
