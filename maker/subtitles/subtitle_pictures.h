// Subtitles that are pictures (PGS, VobSub, DVB) as JSON for a page that lays them over the film,
// in stretches of a minute, so that nobody waits for all of the film to be read:
//
// {"width","height","cues":[{"from","to","x","y","w","h","image"}]}
// Times in ms of film time; places on a grid of that width and height that covers the film's
// picture and no more (what stood on bars that are not in the file lies outside); `image` is a PNG
// in base64.
#pragma once

#include <cstdint>

#include "maker/film/film.h"
#include "maker/film/fragments.h"

namespace videosync {

inline constexpr std::int64_t picture_span_ms = 60'000;

bool is_picture_subtitles(const AVStream& stream) noexcept;

// NUMBER.json for each of the stretch: all that is shown in that minute, also what began before it.
// What is shown for longer than 20 s before a minute's begin or 30 s behind its end is cut off
// there.
void make_subtitle_pictures(Film& film, int track, const Stretch& stretch,
                            const SegmentFolder& folder);

}  // namespace videosync
