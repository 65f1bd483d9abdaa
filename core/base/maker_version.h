// The version of what videosync-media tells and makes of films.
//
// The server keeps both in its cache, with this number, and drops what has another one. It rises
// with each change by which the same film would be told of, cut or made otherwise.
#pragma once

namespace videosync {

inline constexpr int maker_version = 1;

}  // namespace videosync
