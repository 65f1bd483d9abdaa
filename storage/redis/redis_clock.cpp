#include "storage/redis/redis_clock.h"

#include <array>
#include <cstdlib>
#include <string>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/reactor/reactor.h"
#include "storage/redis/redis_scripts.h"
#include "storage/redis/store_clock.h"

namespace videosync {

namespace {

// What nodes say on the channel: "ask QUESTION", and "told WITHIN QUESTION" in microseconds.
constexpr std::string_view ask_word = "ask ";
constexpr std::string_view told_word = "told ";
constexpr std::string_view changed_words = "told 0 0";

// This node's own clock was off, or it was cut off from others that have an older time.
void report_move(std::int64_t before_us, std::int64_t after_us) noexcept {
  constexpr std::int64_t worth_a_word_us = 20'000;
  const bool is_first = before_us == INT64_MAX;
  if (is_first || std::abs(after_us - before_us) < worth_a_word_us) return;
  log_warn("store", "the other nodes have another time; this one is slewing to it",
           field("by_ms", static_cast<double>(after_us - before_us) / 1e3));
}

// What cannot be of ours counts as nothing.
CommonTime::Record record_of(const RedisReply& reply) noexcept {
  constexpr std::uint64_t version_max = std::uint64_t{1} << 62;
  constexpr std::int64_t time_max_us = 100'000'000'000'000'000;  // 3,000 years
  const auto is_time = [](std::int64_t us) { return -time_max_us < us && us < time_max_us; };
  if (reply.size() != 3) return {};
  const auto version = parse_decimal<std::uint64_t>(reply[0].text());
  const auto offset_us = parse_decimal<std::int64_t>(reply[1].text());
  const auto born_us = parse_decimal<std::int64_t>(reply[2].text());
  const bool is_whole = version && offset_us && born_us;
  const bool is_ours =
      is_whole && *version < version_max && is_time(*offset_us) && is_time(*born_us);
  return is_ours ? CommonTime::Record{*version, *offset_us, *born_us} : CommonTime::Record{};
}

}  // namespace

RedisClock::RedisClock(Reactor& reactor, RedisServers& servers, StoreClock& clock,
                       RedisClockOwner& owner)
    : reactor_(reactor),
      servers_(servers),
      clock_(clock),
      owner_(owner),
      timer_([](void* self) noexcept { static_cast<RedisClock*>(self)->on_timer(); }, this) {
  servers_.follow(std::string(name), Channel::Reach::all, [](Result<>) noexcept {});
}

std::int64_t RedisClock::now_us() const noexcept {
  return reactor_.clock().monotonic_us();
}

void RedisClock::on_server_ready() noexcept {
  is_connected_ = true;
  is_refused_ = false;
  quick_reads_ = 0;
  time_.on_connected();
  read();
  set_timer();
}

void RedisClock::on_server_lost() noexcept {
  is_connected_ = false;
  is_ready_ = false;
  reactor_.timers().cancel(timer_);
}

void RedisClock::on_message(std::string_view payload) noexcept {
  if (!is_connected_) return;
  bool reads = false;
  if (payload.starts_with(ask_word)) {
    const auto question = parse_decimal<std::int64_t>(payload.substr(ask_word.size()));
    reads = question && time_.on_asked(now_us(), *question);
  } else if (payload.starts_with(told_word)) {
    payload.remove_prefix(told_word.size());
    const std::size_t space = payload.find(' ');
    if (space == payload.npos) return;
    const auto within_us = parse_decimal<std::int64_t>(payload.substr(0, space));
    const auto question = parse_decimal<std::int64_t>(payload.substr(space + 1));
    reads = within_us && question && time_.on_told(now_us(), *within_us, *question);
  }
  if (reads) read();
}

// --- Reading -------------------------------------------------------------------------------------

void RedisClock::set_timer() noexcept {
  const bool is_quick = quick_reads_ < quick_count || (time_.is_in_doubt() && !is_refused_);
  reactor_.timers().schedule(timer_,
                             reactor_.now_ms() + (is_quick ? quick_interval_ms : interval_ms));
}

void RedisClock::on_timer() noexcept {
  if (quick_reads_ < quick_count) ++quick_reads_;
  if (!is_reading_) read();
  set_timer();
}

void RedisClock::read() noexcept {
  reads_again_ = is_reading_;
  if (is_reading_) return;
  is_reading_ = true;
  sample_.asked_us = now_us();
  if (servers_.is_cluster()) {
    const std::array<std::string_view, 4> script{"EVAL", redis_scripts::read_time, "1", name};
    servers_.command(name, script,
                     [this](Result<RedisReply> reply) noexcept { on_both(std::move(reply)); });
    return;
  }
  servers_.command(name, std::array<std::string_view, 1>{"TIME"},
                   [this](Result<RedisReply> reply) noexcept { on_time(reply); });
  servers_.command(name,
                   std::array<std::string_view, 5>{"HMGET", name, "version", "offset", "born"},
                   [this](Result<RedisReply> reply) noexcept { on_record(reply); });
}

void RedisClock::on_both(Result<RedisReply> reply) noexcept {
  if (reply && reply->size() != 2) reply = fail(ErrorCode::unavailable, "Redis tells no time");
  on_time(reply ? Result<RedisReply>((*reply)[0]) : reply);
  on_record(reply ? Result<RedisReply>((*reply)[1]) : reply);
}

void RedisClock::on_time(const Result<RedisReply>& reply) noexcept {
  VS_ASSERT(is_reading_);
  sample_.answered_us = now_us();
  read_ = {};
  if (!reply) {
    read_ = std::unexpected(reply.error());
    return;
  }
  const bool is_pair = reply->size() == 2;
  const auto seconds = parse_decimal<std::int64_t>(is_pair ? (*reply)[0].text() : "");
  const auto micros = parse_decimal<std::int64_t>(is_pair ? (*reply)[1].text() : "");
  if (seconds && micros) {
    sample_.remote_us = *seconds * 1'000'000 + *micros;
  } else {
    read_ = fail(ErrorCode::unavailable, "Redis does not tell its time");
  }
}

void RedisClock::on_record(const Result<RedisReply>& reply) noexcept {
  VS_ASSERT(is_reading_);
  if (read_ && !reply) read_ = std::unexpected(reply.error());
  if (is_connected_ && read_) {
    version_ = reply->size() == 3 ? (*reply)[0].text() : std::string_view();
    return on_reading(record_of(*reply));
  }
  if (is_connected_ && !is_ready_) owner_.on_clock_failed(read_.error());
  reads_again_ = false;
  end_reading();
}

void RedisClock::on_reading(const CommonTime::Record& stored) noexcept {
  const std::int64_t before_us = time_.is_running() ? time_.at(now_us()).offset_us : INT64_MAX;
  const CommonTime::Decision decision = time_.on_reading(sample_, stored);
  if (time_.is_running() && !time_.is_in_doubt()) {
    is_refused_ = false;
    clock_.follow(time_.at(now_us()));
    has_time_ = true;
    report_move(before_us, time_.at(now_us()).offset_us);
  }
  if (!time_.is_running()) {
    owner_.on_clock_failed({ErrorCode::unavailable, "the nodes' time is not known yet", 0});
  } else if (!is_ready_) {
    is_ready_ = true;
    owner_.on_clock_ready();
  }
  if (decision.act == CommonTime::Act::write) return write(stored, decision.record);
  const std::string word = decision.act == CommonTime::Act::tell
                               ? std::string(told_word) + std::to_string(decision.within_us) + " "
                               : std::string(ask_word);
  for (const CommonTime::Question question : decision.questions)
    say(word + std::to_string(question));
  end_reading();
}

void RedisClock::end_reading() noexcept {
  is_reading_ = false;
  if (!is_connected_) return;
  set_timer();
  if (reads_again_) read();
}

// --- Saying and writing --------------------------------------------------------------------------

void RedisClock::say(std::string_view word) noexcept {
  servers_.publish(std::string(name), Channel::Reach::all, word,
                   [](Result<RedisReply>) noexcept {});
}

void RedisClock::write(const CommonTime::Record& stored, const CommonTime::Record& next) noexcept {
  VS_ASSERT(is_reading_ && next.version > stored.version);
  const std::string version = std::to_string(next.version);
  const std::string offset = std::to_string(next.offset_us);
  const std::string born = std::to_string(next.born_us);
  servers_.command(
      name,
      std::array<std::string_view, 9>{"EVAL", redis_scripts::set_time, "1", name, version_, version,
                                      offset, born, changed_words},
      [this, stored, next](Result<RedisReply> reply) noexcept { on_written(reply, stored, next); });
}

void RedisClock::report_write(const CommonTime::Record& stored,
                              const CommonTime::Record& next) const noexcept {
  if (!time_.is_running()) return;
  if (stored.version == 0) {
    log_info("store", "the nodes' time was not in Redis: it is written back");
    return;
  }
  const std::int64_t by_us = stored.offset_us - next.offset_us;
  log_warn("store",
           stored.born_us == next.born_us
               ? "Redis' clock was set; server time goes on as before"
               : "nodes that started meanwhile had another time; the older one goes on",
           field("by_ms", static_cast<double>(by_us) / 1e3));
}

void RedisClock::on_written(const Result<RedisReply>& reply, const CommonTime::Record& stored,
                            const CommonTime::Record& next) noexcept {
  VS_ASSERT(is_reading_);
  is_refused_ = !reply;
  if (!reply) {
    time_.on_write_refused();
  } else if (reply->integer() == 1) {
    report_write(stored, next);
    time_.on_written();
  }
  reads_again_ = !is_refused_;
  end_reading();
}

}  // namespace videosync
