// What a film is, as JSON for the server: its tracks, how long it is, how it may be cut.
//
// {"container","bytes","startMs","durationMs"?,"endsEarly","segments"?,
//  "video"?:{"index","codec","width","height","fps","hdr","rotation","interlaced","copyable"},
//  "audio":[{"index","codec","channels","rate","segmentSamples","lang","label","default"}],
//  "subtitles":[{"index","codec","lang","label","forced","text","spanMs"?}],
//  "cover"?: index, "pictureSegmentTicks"}
// `durationMs` is absent where only reading the film would tell; `segments` where the picture
// cannot be cut by the container's index. `spanMs` is there for subtitles that are pictures.
#pragma once

#include <optional>
#include <string>

#include "maker/film/film.h"
#include "maker/film/plan.h"

namespace videosync {

// An end that is so much earlier than the container promises is told, ticks.
inline constexpr std::int64_t early_end = 90'000;

struct Survey {
  std::optional<Plan> plan;              // by the index
  std::optional<std::int64_t> film_end;  // ticks
  bool ends_early = false;               // the file promises more than it has
  bool is_copyable = false;              // its picture, so that every player can begin anywhere
};
// Looks at the index, at the first key frames, and at the film's last seconds.
Survey survey(Film& film);

std::string describe(const Film& film, const Survey& survey);

}  // namespace videosync
