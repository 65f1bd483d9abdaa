// The charset of a subtitle file, recognised: UTF-8, UTF-16 with or without its mark, and else the
// old one of its language. Where that is not known: Windows-1251 (Cyrillic) for what hardly has
// Latin letters, and else Windows-1252, of which Latin-1's printable part is a part.
#pragma once

#include <string>
#include <string_view>

namespace videosync {

// As UTF-8, without a byte order mark. `lang` as BCP 47; "und" or "": unknown.
std::string recognised_text(std::string_view bytes, std::string_view lang = {});

}  // namespace videosync
