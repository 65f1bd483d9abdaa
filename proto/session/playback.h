// Playback: the vector that everyone follows, and how each command moves it.
//
// Owned by a SessionMachine; one thread; plain value. Every change but a new epoch adds exactly one
// to seq. Positions are seconds within [0, duration] (or [0, position_max_s] where the duration is
// unknown) and are clamped to that; times are server time in microseconds. A start is scheduled:
// until `at_us` has come the media stands at `position`. One with a countdown is a promise: until
// it has come only a command of a member starts sooner.
#pragma once

#include <cstdint>
#include <optional>

#include "proto/session/session_values.h"

namespace videosync {

class Playback {
 public:
  static constexpr double position_max_s = 10'000'000;
  static constexpr double rate_min = 0.25;
  static constexpr double rate_max = 4;

  Playback(VideoChoice video, std::int64_t now_us);
  // As it was before; `duration_s` belongs to `state.video`.
  Playback(PlaybackState state, double duration_s, std::int64_t start_us);

  const PlaybackState& state() const noexcept { return state_; }
  double duration_s() const noexcept { return duration_s_; }
  double position_at(std::int64_t now_us) const noexcept;
  // When the last countdown that was not called off ends, or did; 0: none was.
  std::int64_t start_us() const noexcept { return start_us_; }
  bool is_counting_down(std::int64_t now_us) const noexcept { return start_us_ > now_us; }
  // When a playing state reaches the end of the media; INT64_MAX: never.
  std::int64_t end_us() const noexcept;

  // Commands of members.
  // Without a position: from where it stands, from the beginning where that is the end. A play of
  // what plays already, without a position, changes nothing that anyone sees or hears; with a
  // countdown it stands where it is until that is over. `countdown_us`: at least the lead.
  void play(std::optional<double> position, std::optional<std::int64_t> countdown_us,
            std::int64_t now_us, std::int64_t lead_us, MemberId by);
  void pause(std::optional<double> position, std::int64_t now_us, MemberId by);
  // While playing, everybody starts again together after the lead. During a countdown it stands.
  void seek(double position, std::int64_t now_us, std::int64_t lead_us, MemberId by);
  void set_rate(double rate, std::int64_t now_us, MemberId by);
  void load(VideoChoice video, std::int64_t now_us, MemberId by);
  // What comes next goes on playing, from its beginning after the lead. `by` may be none.
  void load_and_play(VideoChoice video, std::int64_t now_us, std::int64_t lead_us, MemberId by);

  // The service's own: stand still for a member that buffers, go on (not before a countdown is
  // over), stop at the end, stand where everybody had left.
  void stall(std::int64_t now_us);
  void resume(std::int64_t now_us, std::int64_t lead_us);
  void stop_at_end(std::int64_t now_us);
  void stand_since(std::int64_t left_us);
  // Whether it stands so: since when; 0: it does not.
  std::int64_t left_us() const noexcept { return left_us_of(state_); }
  // How long the media is, as it was learned now: more than 0. True: it stands, or was to start,
  // beyond that end, and stopped there.
  bool learn_duration(double duration_s, std::int64_t now_us);

  void next_epoch() noexcept { ++state_.epoch; }
  void next_epoch_above(std::uint64_t floor) noexcept {
    state_.epoch = (state_.epoch > floor ? state_.epoch : floor) + 1;
  }

 private:
  double clamp(double position) const noexcept;
  void change(Cause cause, MemberId by, bool playing, double position, std::int64_t at_us);

  PlaybackState state_;
  double duration_s_;          // 0: unknown
  std::int64_t start_us_ = 0;  // see start_us()
};

}  // namespace videosync
