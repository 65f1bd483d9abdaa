#include "proto/session/playback.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/assert.h"

namespace videosync {

namespace {

constexpr double us_per_s = 1e6;
constexpr double far_future_us = 4e18;  // beyond it a time does not fit its type

bool is_rate(double rate) noexcept {
  return rate >= Playback::rate_min && rate <= Playback::rate_max;
}

}  // namespace

Playback::Playback(VideoChoice video, std::int64_t now_us) : duration_s_(video.duration_s) {
  VS_ASSERT(std::isfinite(duration_s_));
  VS_ASSERT(duration_s_ >= 0);
  state_.video = std::move(video.id);
  state_.at_us = now_us;
}

Playback::Playback(PlaybackState state, double duration_s, std::int64_t start_us)
    : state_(std::move(state)), duration_s_(duration_s), start_us_(start_us) {
  VS_ASSERT(std::isfinite(duration_s_));
  VS_ASSERT(duration_s_ >= 0);
  VS_ASSERT(std::isfinite(state_.position));
  VS_ASSERT(is_rate(state_.rate));
  state_.position = clamp(state_.position);
}

double Playback::clamp(double position) const noexcept {
  return std::clamp(position, 0.0, duration_s_ > 0 ? duration_s_ : position_max_s);
}

double Playback::position_at(std::int64_t now_us) const noexcept {
  if (!state_.playing || now_us <= state_.at_us) return state_.position;
  const double elapsed_s = static_cast<double>(now_us - state_.at_us) / us_per_s;
  return clamp(state_.position + state_.rate * elapsed_s);
}

std::int64_t Playback::end_us() const noexcept {
  if (!state_.playing || duration_s_ <= 0) return INT64_MAX;
  const double remaining_us = (duration_s_ - state_.position) / state_.rate * us_per_s;
  const double end = static_cast<double>(state_.at_us) + remaining_us;
  if (end > far_future_us) return INT64_MAX;
  return state_.at_us + static_cast<std::int64_t>(std::ceil(remaining_us));
}

void Playback::change(Cause cause, MemberId by, bool playing, double position, std::int64_t at_us) {
  VS_ASSERT(std::isfinite(position));
  ++state_.seq;
  state_.cause = cause;
  state_.by = by;
  state_.playing = playing;
  state_.position = clamp(position);
  state_.at_us = at_us;
}

void Playback::play(std::optional<double> position, std::optional<std::int64_t> countdown_us,
                    std::int64_t now_us, std::int64_t lead_us, MemberId by) {
  VS_ASSERT(lead_us >= 0);
  VS_ASSERT(by);
  if (state_.playing && !position && !countdown_us) {
    change(Cause::play, by, true, position_at(now_us), std::max(now_us, state_.at_us));
    return;
  }
  double from = position.value_or(position_at(now_us));
  if (!position && duration_s_ > 0 && from >= duration_s_) from = 0;
  const std::int64_t at_us = now_us + std::max(lead_us, countdown_us.value_or(0));
  change(Cause::play, by, true, from, at_us);
  start_us_ = countdown_us ? at_us : 0;
  VS_ASSERT(position_at(now_us) == state_.position);  // it stands until then
}

void Playback::pause(std::optional<double> position, std::int64_t now_us, MemberId by) {
  change(Cause::pause, by, false, position.value_or(position_at(now_us)), now_us);
  start_us_ = 0;
}

void Playback::seek(double position, std::int64_t now_us, std::int64_t lead_us, MemberId by) {
  const bool goes_on = state_.playing && !is_counting_down(now_us);
  change(Cause::seek, by, goes_on, position, goes_on ? now_us + lead_us : now_us);
  start_us_ = 0;
}

void Playback::set_rate(double rate, std::int64_t now_us, MemberId by) {
  VS_ASSERT(is_rate(rate));
  VS_ASSERT(by);
  const bool scheduled = state_.playing && state_.at_us > now_us;
  change(Cause::rate, by, state_.playing, position_at(now_us), scheduled ? state_.at_us : now_us);
  state_.rate = rate;
}

void Playback::load(VideoChoice video, std::int64_t now_us, MemberId by) {
  VS_ASSERT(std::isfinite(video.duration_s));
  VS_ASSERT(video.duration_s >= 0);
  state_.video = std::move(video.id);
  duration_s_ = video.duration_s;
  change(Cause::load, by, false, 0, now_us);
  start_us_ = 0;
  VS_ASSERT(end_us() == INT64_MAX);
}

void Playback::load_and_play(VideoChoice video, std::int64_t now_us, std::int64_t lead_us,
                             MemberId by) {
  VS_ASSERT(lead_us >= 0);
  const std::uint64_t seq = state_.seq;
  load(std::move(video), now_us, by);
  state_.playing = true;
  state_.at_us = now_us + lead_us;
  VS_ASSERT(state_.seq == seq + 1);
}

void Playback::stall(std::int64_t now_us) {
  VS_ASSERT(state_.playing);
  change(Cause::stall, MemberId{}, false, position_at(now_us), now_us);
}

void Playback::resume(std::int64_t now_us, std::int64_t lead_us) {
  VS_ASSERT(!state_.playing);
  change(Cause::resume, MemberId{}, true, state_.position, std::max(now_us + lead_us, start_us_));
}

bool Playback::learn_duration(double duration_s, std::int64_t now_us) {
  VS_ASSERT(std::isfinite(duration_s));
  VS_ASSERT(duration_s > 0);
  const bool is_beyond = position_at(now_us) > duration_s;
  duration_s_ = duration_s;
  if (!is_beyond) return false;
  change(Cause::ended, MemberId{}, false, duration_s, now_us);
  start_us_ = 0;
  return true;
}

void Playback::stand_since(std::int64_t left_us) {
  change(Cause::pause, MemberId{}, false, position_at(left_us), left_us);
  start_us_ = 0;
  VS_ASSERT(this->left_us() == left_us);
}

void Playback::stop_at_end(std::int64_t now_us) {
  VS_ASSERT(state_.playing);
  VS_ASSERT(now_us >= end_us());
  change(Cause::ended, MemberId{}, false, duration_s_, now_us);
}

}  // namespace videosync
