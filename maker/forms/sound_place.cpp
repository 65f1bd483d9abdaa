#include "maker/forms/sound_place.h"

#include <cmath>

namespace videosync {

namespace {

// Sound that is further off than this has a gap, was cut, or lost what could not be decoded.
constexpr double gap_s = 0.005;
// What containers round away: also those that count finely, of films that came from Matroska.
constexpr double rounding_s = 0.001;

// Where the track's first packet lies: before the start where that is cut off by an edit list.
std::int64_t origin_of(const AVStream& track) noexcept {
  const AVIndexEntry* first = avformat_index_get_entry(const_cast<AVStream*>(&track), 0);
  const bool is_cut =
      first != nullptr && track.start_time != AV_NOPTS_VALUE && first->timestamp < track.start_time;
  return is_cut ? first->timestamp : track.start_time;
}

}  // namespace

SoundPlace::SoundPlace(const AVStream& track, int rate, std::int64_t zero) noexcept
    : track_(track),
      rate_(rate),
      zero_(zero),
      origin_(origin_of(track)),
      tolerance_(rounding_s * rate) {}

double SoundPlace::on_grid(std::int64_t pts, const AVFrame& frame) const noexcept {
  const double samples_a_tick = av_q2d(track_.time_base) * rate_;
  const double at = static_cast<double>(pts) * samples_a_tick;
  const int length =
      track_.codecpar->frame_size > 0 ? track_.codecpar->frame_size : frame.nb_samples;
  const double step = static_cast<double>(length) * rate_ / frame.sample_rate;
  if (origin_ == AV_NOPTS_VALUE || step <= 0) return at;
  const double first = static_cast<double>(origin_) * samples_a_tick;
  const double on_it = first + std::round((at - first) / step) * step;
  return std::abs(on_it - at) <= tolerance_ ? on_it : at;
}

std::optional<std::int64_t> SoundPlace::of(const AVFrame& frame) noexcept {
  const std::int64_t pts = frame.best_effort_timestamp;
  if (pts != AV_NOPTS_VALUE) {
    const double at = on_grid(pts, frame) - static_cast<double>(zero_);
    if (!has_begun_ || std::abs(at - next_) > gap_s * rate_) next_ = at;
    has_begun_ = true;
  }
  if (!has_begun_) return std::nullopt;
  const double place = next_;
  next_ += static_cast<double>(frame.nb_samples) * rate_ / frame.sample_rate;
  return std::llround(place);
}

}  // namespace videosync
