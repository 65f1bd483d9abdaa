// Of which kinds a film's file may be, in FFmpeg's words: none that leads to other files, such as a
// playlist, whatever a file that somebody brought is called.
#pragma once

namespace videosync {

inline constexpr const char* film_formats =
    "matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,avi,mpegts,mpeg,mpegvideo,flv,live_flv,asf,ogg,rm,wtv,"
    "mxf,nut,dv,ivf,h264,hevc";

}  // namespace videosync
