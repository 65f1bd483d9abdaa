// CommonTime: how the nodes of one Redis come to one server time, and keep it when Redis' clock is
// set. Pure: readings and the local monotonic time come in, what is to be done goes out.
//
// Server time is Redis' clock plus an offset that lies beside it in Redis, so whoever reads both
// has the time of all. Redis' clock runs a little fast or slow, and everybody follows it. It may
// also jump: an operator, NTP, a failover to another machine, a Redis that lost the offset. A node
// that tells a time knows better then: it goes on by its own clock and changes the offset, by
// compare-and-set, so that server time goes on where it was. Who is right is found out so:
//
// - A node is sure while its readings agree with the time that it tells. It takes each one.
// - A node that starts, or whose reading disagrees, is in doubt. It takes no reading, goes on by
//   its own clock and asks. A sure node that hears this reads at once and, if the reading agrees,
//   tells so. Then it was the asker's own clock (a machine that was stopped), and the asker takes
//   what it reads; unless the one who told is so far away that it could not see what the asker
//   sees. If nobody has told for doubt_us, it was Redis' clock: the first one changes the offset,
//   and the others find that it agrees.
// - The clock may be set between the reading of who tells and that of the asker, which is then not
//   what was found right. So a question names the reading that it comes from, and an answer that
//   question: who tells has read between that reading and the asker's next, and if these two agree
//   the clock was the same in all three. If they do not, the next one is asked about.
// - A node that starts has nothing to compare with, so it waits longer: start_us is what nodes need
//   that have lost Redis and come back, the time of their doubt included.
//
// Who starts and finds nobody begins a line: a time that is told without a break, named by the
// server time of its birth. Where two lines meet in one Redis (nodes that were cut off for long),
// the one that is older, by its own count, goes on. Nobody is in doubt about that.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "storage/redis/clock_estimator.h"

namespace videosync {

class CommonTime {
 public:
  static constexpr std::int64_t doubt_us = 300'000;
  // Attempts to connect are up to 750 ms apart (RedisLink::Options).
  static constexpr std::int64_t start_us = 1'250'000;

  // What Redis holds.
  struct Record {
    std::uint64_t version = 0;   // 0: there is none; each change makes a higher one
    std::int64_t offset_us = 0;  // server time minus Redis' clock
    std::int64_t born_us = 0;    // the line's name

    friend bool operator==(const Record&, const Record&) noexcept = default;
  };
  enum class Act : std::uint8_t {
    none,
    ask,    // say to all nodes: does anybody know the time?
    tell,   // say to all nodes: what Redis holds is right, as far as this one can see
    write,  // make `record` of what was read, if it is still there, and tell `changed`
  };
  // Its name: Redis' time in the reading that it comes from.
  using Question = std::int64_t;
  static constexpr Question changed = 0;  // nobody's: told where there is something else to read
  struct Decision {
    Act act = Act::none;
    std::int64_t within_us = 0;         // of tell: nothing smaller would have been noticed
    std::vector<Question> questions{};  // of ask: one; of tell: each is answered
    Record record{};                    // of write
  };
  using Estimate = ClockEstimator::Estimate;  // of server time, minus our monotonic clock

  // On a new connection: it may lead to another clock.
  void on_connected() noexcept;
  // Redis' clock and, read with it, what Redis holds.
  Decision on_reading(const TimeSample& redis, const Record& stored) noexcept;
  // How a write has ended. Nothing is said of one that came too late: the next reading shows it.
  void on_written() noexcept;
  void on_write_refused() noexcept { is_refused_ = true; }
  // A node asks, or tells that what Redis holds is right to within_us; it may be this one that is
  // heard. Returns whether to read now.
  bool on_asked(std::int64_t now_us, Question question) noexcept;
  bool on_told(std::int64_t now_us, std::int64_t within_us, Question question) noexcept;

  // This node tells a time. Never false again.
  bool is_running() const noexcept { return is_running_; }
  bool is_in_doubt() const noexcept { return doubt_since_us_.has_value(); }
  // REQUIRES: is_running().
  Estimate at(std::int64_t now_us) const noexcept;

 private:
  // A reading that is this much off, beyond what both sides' errors explain, is no drift: NTP slews
  // a clock by at most 500 ppm, and so may ours be.
  static constexpr std::int64_t step_least_us = 1'000;
  static constexpr std::int64_t slew_ppm = 1'000;
  static constexpr std::int64_t slew_max_us = 2'000;
  // A change is made by a reading that is as close as this, or by the best within doubt_us.
  static constexpr std::int64_t close_us = 1'000;
  static constexpr std::size_t asked_max = 64;  // whoever else asks does so again
  // Ages closer than this are the same: then what is written stays.
  static constexpr std::int64_t age_grain_us = 1'000'000;

  struct Asked {
    Question question;
    std::int64_t heard_us;
  };

  Decision start(const TimeSample& sample, const Record& stored) noexcept;
  Decision go_on(const TimeSample& sample, const Record& stored) noexcept;
  Decision doubt(const TimeSample& sample, const Record& stored, std::int64_t apart_us) noexcept;
  Decision write(std::uint64_t after, std::int64_t offset_us, std::int64_t born_us) noexcept;
  Decision write_ours(const Record& stored, std::int64_t now_us) noexcept;
  Decision bring_back(const TimeSample& sample, const Record& stored) noexcept;
  void take(const Record& stored, std::int64_t now_us) noexcept;
  void take_if_closer(const Record& stored, std::int64_t now_us) noexcept;
  Estimate reading(const Record& stored, std::int64_t now_us) const noexcept;
  std::int64_t apart_us(const Record& stored, std::int64_t now_us) const noexcept;
  std::int64_t explained_us(std::int64_t now_us) const noexcept;
  bool is_older(const Record& stored, std::int64_t now_us) const noexcept;
  void begin_doubt(const TimeSample& sample) noexcept;
  bool was_told(const TimeSample& sample) noexcept;
  std::vector<Question> take_answered(const TimeSample& sample) noexcept;

  ClockEstimator redis_;  // Redis' clock, of this connection
  std::optional<Record> seen_;
  Record wanted_;  // of the latest write
  bool is_refused_ = false;
  bool is_ours_ = false;  // it has been written, on this connection

  bool is_running_ = false;
  Estimate held_{};  // what this node tells, as of held_us_
  std::int64_t held_us_ = 0;
  std::int64_t born_us_ = 0;

  std::optional<std::int64_t> doubt_since_us_;
  std::int64_t doubted_us_ = 0;  // how far the latest reading was off; INT64_MAX: nobody knows
  TimeSample asked_about_{};     // in doubt: the reading that its question comes from
  std::optional<std::int64_t> told_us_;  // when that was answered
  std::vector<Asked> asked_;             // by others, not answered yet; empty while in doubt
};

}  // namespace videosync
