// A sound track as AAC, in segments on a grid of its own: about 4 s, a whole number of AAC frames.
//
// By the sample: sound of film time t lies at t, whatever the run began with. Each run starts some
// frames early, so that the encoder has settled where the first segment begins; edges between runs
// are not heard. Gaps are silence, and so is what follows the track's end up to the film's.
#pragma once

#include <cstdint>

#include "maker/film/film.h"
#include "maker/film/fragments.h"

namespace videosync {

// 44.1 kHz stays, all else becomes 48 kHz.
int sound_rate_of(const AVStream& track) noexcept;
std::int64_t sound_segment_samples(int rate) noexcept;

struct SoundOrder {
  int track = 0;              // the stream's index
  int channels = 2;           // 2 or 6
  std::int64_t film_end = 0;  // ticks
};
void make_sound(Film& film, const SoundOrder& order, Stretch stretch, const SegmentFolder& folder);

}  // namespace videosync
