// Text subtitles as WebVTT: all tracks of a film in one pass over it, or a file beside one.
#pragma once

#include <string>

#include "maker/film/film.h"
#include "maker/film/fragments.h"

namespace videosync {

// Each text track becomes INDEX.vtt in the folder. Reads all of the film, but no faster than a disk
// can bear beside its viewers.
void make_subtitles(Film& film, const SegmentFolder& folder);

// An .srt, .ass or .vtt file in any usual charset, whatever its name says; what is WebVTT stays as
// it is. `lang` (BCP 47; "und": unknown) tells old charsets apart. Throws where it has no line that
// could be shown.
std::string convert_subtitles(const std::string& path, std::string_view lang);

}  // namespace videosync
