// The charset of a subtitle file, recognised: UTF-8, UTF-16 with or without its mark, and else the
// one that such files are mostly in, Windows-1252 (of which Latin-1's printable part is a part).
#pragma once

#include <string>
#include <string_view>

namespace videosync {

// As UTF-8, without a byte order mark.
std::string recognised_text(std::string_view bytes);

}  // namespace videosync
