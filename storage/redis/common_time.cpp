#include "storage/redis/common_time.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"

namespace videosync {

namespace {

std::int64_t magnitude(std::int64_t value) noexcept {
  return value < 0 ? -value : value;
}

}  // namespace

void CommonTime::on_connected() noexcept {
  redis_.forget();
  seen_.reset();
  doubt_since_us_.reset();
  asked_.clear();
  is_refused_ = false;
  is_ours_ = false;
}

CommonTime::Decision CommonTime::on_reading(const TimeSample& redis,
                                            const Record& stored) noexcept {
  VS_ASSERT(redis.answered_us >= redis.asked_us);
  // The offset changes when Redis' clock was set: then what was read of it before says nothing.
  if (seen_ && seen_->offset_us != stored.offset_us) redis_.forget();
  // Whoever changed it is sure: ask once more. Taking it unasked would be wrong where Redis' clock
  // was set again right behind it.
  if (seen_ && *seen_ != stored && is_in_doubt()) begin_doubt(redis);
  seen_ = stored;
  redis_.add(redis);
  const Decision decision = is_running_ ? go_on(redis, stored) : start(redis, stored);
  VS_ASSERT(is_running_ || is_in_doubt());
  return decision;
}

void CommonTime::on_written() noexcept {
  seen_ = wanted_;
  is_refused_ = false;
  is_ours_ = true;
}

// Who is in doubt has nothing to say, and is asked again if it still matters later.
bool CommonTime::on_asked(std::int64_t now_us, Question question) noexcept {
  if (!is_running_ || is_in_doubt() || asked_.size() == asked_max) return false;
  asked_.push_back({question, now_us});
  return true;
}

bool CommonTime::on_told(std::int64_t now_us, std::int64_t within_us, Question question) noexcept {
  if (!is_in_doubt() || within_us >= doubted_us_) return false;
  if (question == changed) return true;
  if (question != asked_about_.remote_us) return false;
  if (!told_us_) told_us_ = now_us;
  return true;
}

// --- Who has no time yet -------------------------------------------------------------------------

CommonTime::Decision CommonTime::start(const TimeSample& sample, const Record& stored) noexcept {
  const std::int64_t now_us = sample.answered_us;
  if (is_ours_ && stored == wanted_) {
    take(stored, now_us);
    return {};
  }
  const Decision asking = doubt(sample, stored, INT64_MAX);
  if (!is_in_doubt() || now_us - *doubt_since_us_ < start_us) return asking;
  const bool is_new = stored.version == 0;
  const std::int64_t born_us = now_us + reading(stored, now_us).offset_us;
  if (!is_refused_) return write(stored.version, stored.offset_us, born_us);
  // Redis is full, or we may not write: what others would find is what it says.
  take(is_new ? Record{0, 0, born_us} : stored, now_us);
  return {};
}

// --- Who tells a time ----------------------------------------------------------------------------

CommonTime::Decision CommonTime::go_on(const TimeSample& sample, const Record& stored) noexcept {
  const std::int64_t now_us = sample.answered_us;
  const bool is_other = stored.version == 0 || stored.born_us != born_us_;
  if (is_other && !is_older(stored, now_us)) return bring_back(sample, stored);
  if (is_other) take(stored, now_us);
  const std::int64_t off_us = apart_us(stored, now_us);
  const std::int64_t within_us = explained_us(now_us);
  if (off_us > within_us) {
    const Decision asking = doubt(sample, stored, off_us);
    const bool is_over = is_in_doubt() && now_us - *doubt_since_us_ >= doubt_us;
    return is_over ? write_ours(stored, now_us) : asking;
  }
  take_if_closer(stored, now_us);
  std::vector<Question> answered = take_answered(sample);
  const Act act = answered.empty() ? Act::none : Act::tell;
  return {.act = act, .within_us = within_us, .questions = std::move(answered)};
}

// Begins or goes on; ends if somebody has told that what Redis holds is right.
CommonTime::Decision CommonTime::doubt(const TimeSample& sample, const Record& stored,
                                       std::int64_t apart_us) noexcept {
  const std::int64_t now_us = sample.answered_us;
  doubted_us_ = apart_us;
  if (!is_in_doubt()) {
    begin_doubt(sample);
  } else if (stored.version > 0 && was_told(sample)) {
    take(stored, now_us);
    return {};
  }
  return {.act = Act::ask, .questions = {asked_about_.remote_us}};
}

void CommonTime::begin_doubt(const TimeSample& sample) noexcept {
  doubt_since_us_ = sample.answered_us;
  asked_about_ = sample;
  told_us_.reset();
  asked_.clear();
}

// A reading that disagrees with the one that was asked about is what is asked about next; so is one
// that is far closer, for the other one would not show a small step.
bool CommonTime::was_told(const TimeSample& sample) noexcept {
  const Estimate before = ClockEstimator::estimate(asked_about_);
  const Estimate now = ClockEstimator::estimate(sample);
  const bool was_set = magnitude(now.offset_us - before.offset_us) > before.error_us + now.error_us;
  const bool was_coarse = before.error_us > close_us && now.error_us < before.error_us / 2;
  if (was_set || was_coarse) {
    asked_about_ = sample;
    told_us_.reset();
  }
  return told_us_ && *told_us_ <= sample.asked_us;
}

std::vector<CommonTime::Question> CommonTime::take_answered(const TimeSample& sample) noexcept {
  std::vector<Question> answered;
  std::erase_if(asked_, [&](const Asked& asked) noexcept {
    if (asked.heard_us > sample.asked_us) return false;
    answered.push_back(asked.question);
    return true;
  });
  return answered;
}

CommonTime::Decision CommonTime::write(std::uint64_t after, std::int64_t offset_us,
                                       std::int64_t born_us) noexcept {
  wanted_ = {after + 1, offset_us, born_us};
  return {.act = Act::write, .record = wanted_};
}

CommonTime::Decision CommonTime::write_ours(const Record& stored, std::int64_t now_us) noexcept {
  VS_ASSERT(is_running_ && seen_ == stored);
  return write(stored.version, at(now_us).offset_us - redis_.at(now_us).offset_us, born_us_);
}

// Redis holds nothing, or a line that is younger than ours.
CommonTime::Decision CommonTime::bring_back(const TimeSample& sample,
                                            const Record& stored) noexcept {
  const std::int64_t now_us = sample.answered_us;
  if (!is_in_doubt()) begin_doubt(sample);
  doubted_us_ = 0;  // nobody can tell us better
  const bool is_close = redis_.at(now_us).error_us <= close_us;
  const bool waits = !is_close && now_us - *doubt_since_us_ < doubt_us;
  return waits ? Decision{} : write_ours(stored, now_us);
}

void CommonTime::take(const Record& stored, std::int64_t now_us) noexcept {
  held_ = reading(stored, now_us);
  held_us_ = now_us;
  born_us_ = stored.born_us;
  is_running_ = true;
  doubt_since_us_.reset();
}

// The first readings of a connection may be coarse. What is known is worth more then, as long as it
// is fresh.
void CommonTime::take_if_closer(const Record& stored, std::int64_t now_us) noexcept {
  const std::int64_t aged_us = held_.error_us + (now_us - held_us_) * slew_ppm / 1'000'000;
  if (reading(stored, now_us).error_us <= aged_us) take(stored, now_us);
  doubt_since_us_.reset();
}

// --- Times ---------------------------------------------------------------------------------------

CommonTime::Estimate CommonTime::at(std::int64_t now_us) const noexcept {
  VS_ASSERT(is_running_);
  const std::int64_t age_us = now_us - held_us_;
  return {held_.offset_us, held_.error_us + age_us * ClockEstimator::drift_ppm / 1'000'000};
}

CommonTime::Estimate CommonTime::reading(const Record& stored, std::int64_t now_us) const noexcept {
  const Estimate redis = redis_.at(now_us);
  return {redis.offset_us + stored.offset_us, redis.error_us};
}

// How far a reading is off what this node tells.
std::int64_t CommonTime::apart_us(const Record& stored, std::int64_t now_us) const noexcept {
  return magnitude(reading(stored, now_us).offset_us - at(now_us).offset_us);
}

// How far it may be off without that anybody's clock was set.
std::int64_t CommonTime::explained_us(std::int64_t now_us) const noexcept {
  const std::int64_t slewed_us = (now_us - held_us_) * slew_ppm / 1'000'000;
  return redis_.at(now_us).error_us + at(now_us).error_us + step_least_us +
         std::min(slewed_us, slew_max_us);
}

bool CommonTime::is_older(const Record& stored, std::int64_t now_us) const noexcept {
  if (stored.version == 0) return false;
  const std::int64_t theirs_us = now_us + reading(stored, now_us).offset_us - stored.born_us;
  const std::int64_t ours_us = now_us + at(now_us).offset_us - born_us_;
  return theirs_us + age_grain_us >= ours_us;
}

}  // namespace videosync
