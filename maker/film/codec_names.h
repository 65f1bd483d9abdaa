// What codecs are called in HTML and HLS (RFC 6381): "avc1.64001f", "mp4a.40.2".
#pragma once

#include <string>

#include "maker/film/av.h"

namespace videosync {

// In lower case; libav's own name where no other is known to browsers.
std::string codec_name(const AVCodecParameters& track);
// Whether a picture of this codec may be put into fMP4 as it is for players of our pages.
bool is_copyable(const AVCodecParameters& track) noexcept;

}  // namespace videosync
