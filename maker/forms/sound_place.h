// SoundPlace: where decoded sound lies in film time, by the sample.
//
// Containers round: Matroska to a millisecond. So a run that begins at one packet would lie up to a
// millisecond off one that began at another. Packets of most codecs are all of one length, so each
// lies a whole number of those behind the track's first: that decides within the rounding. Once
// begun, samples are counted; only a real gap moves the count.
#pragma once

#include <cstdint>
#include <optional>

#include "maker/film/av.h"

namespace videosync {

class SoundPlace {
 public:
  // `zero`: film time 0 on the container's clock. All in samples of `rate`.
  SoundPlace(const AVStream& track, int rate, std::int64_t zero) noexcept;

  // Film time of the frame's first sample; the frames of a run, in their order. Nullopt: unknown.
  std::optional<std::int64_t> of(const AVFrame& frame) noexcept;

 private:
  double on_grid(std::int64_t pts, const AVFrame& frame) const noexcept;

  const AVStream& track_;
  const int rate_;
  const std::int64_t zero_;
  const std::int64_t origin_;  // of the grid that packets lie on, in the track's unit
  const double tolerance_;     // what a container may have rounded away
  double next_ = 0;            // where the next frame should lie
  bool has_begun_ = false;
};

}  // namespace videosync
