// FormRuns: the runs of videosync-media that are under way, and who may have one.
//
// Making pictures is bounded by itself, because each takes a processor for long; so is reading
// whole films, because it takes a disk; all else together. One thread's.
//
// A run keeps its room, first, until something has come of it; then, while somebody waits for what
// it makes, for a stretch that is worth the way to where it begins. Then it gives way to whoever
// else waits: where there is room for fewer than want it, each gets some film in its turn. What
// nobody waits for any more, as after a seek, gives way at once.
#pragma once

#include <poll.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "storage/forms/form_names.h"
#include "storage/forms/form_run.h"

namespace videosync {

struct FormJob {
  enum class Kind : std::uint8_t { describe, plan, stretch, subtitles, convert };
  enum class Lane : std::uint8_t { pictures, readings, others };
  static constexpr std::size_t lanes = 3;
  Kind kind = Kind::describe;
  std::string film{};     // its key
  Rendition rendition{};  // of a stretch
  std::size_t from = 0;
  std::size_t end = 0;  // behind its last segment
  std::string lang{};   // of what is converted

  bool is_stretch() const noexcept { return kind == Kind::stretch; }
  // Init segments alone cost nothing.
  bool is_picture() const noexcept {
    return kind == Kind::stretch && rendition.kind == Rendition::Kind::picture && end > from;
  }
  bool reads_all() const noexcept { return kind == Kind::plan || kind == Kind::subtitles; }
  Lane lane() const noexcept {
    return is_picture() ? Lane::pictures : reads_all() ? Lane::readings : Lane::others;
  }
  std::string folder() const;  // where it writes, below the film's
};

// By what a run keeps its room, or loses it to who waits for one.
struct RunClaim {
  bool is_wanted = false;     // somebody asked for what it makes, and has not left since
  std::size_t made = 0;       // segments
  std::int64_t asked_ms = 0;  // when somebody last asked
};
// `is_awaited`: somebody waits for it now. Between a player's asks a segment goes over its network.
bool gives_way(const RunClaim& claim, bool is_awaited, std::int64_t now_ms) noexcept;

struct ActiveRun {
  FormJob job;
  FormRun run;
  std::size_t next = 0;  // the segment that it makes now
  std::int64_t started_ms = 0;
  std::int64_t progress_ms = 0;  // when it last said something
  RunClaim claim{};
  std::vector<std::string> lines{};
  // Of one that is ending: since when, and what is still to be told of it.
  enum class Blame : std::uint8_t { none, hangs, storage_hangs };
  std::int64_t killed_ms = 0;
  Blame blame = Blame::none;
};

// Whether waiting for it is the quickest way to that segment.
bool makes_soon(const ActiveRun& active, std::size_t segment) noexcept;

struct EndedRun {
  FormJob job;
  // Of the film's own: fault, crashed, hung. Of the others, which say nothing of it: no_room, the
  // disk is full; unwritable, the cache takes nothing; storage, what it reads from does not answer
  // or fails; stopped, somebody else has ended the program, or it cannot run here.
  enum class End : std::uint8_t {
    done,
    fault,
    crashed,
    hung,
    no_room,
    unwritable,
    storage,
    stopped
  } end;
  std::string words;  // what was wrong
  std::vector<std::string> lines;
};

// What waitpid's status says of a run.
EndedRun::End end_of(int status) noexcept;

class FormRuns {
 public:
  struct Limits {
    std::size_t pictures;
    std::size_t readings;
    std::size_t others;
  };
  using IsAwaited = std::function<bool(const ActiveRun&)>;
  // A run's process was killed and may have left files half made, whose names end so:
  // "12.m4s.PID.tmp".
  using OnLeft = std::function<void(const FormJob&, const std::string& suffix)>;

  // `spawner` outlives it.
  FormRuns(Spawner& spawner, Limits limits, OnLeft on_left) noexcept
      : spawner_(spawner), limits_(limits), on_left_(std::move(on_left)) {}

  // Null: none. For a segment: one that makes it soon.
  ActiveRun* find(FormJob::Kind kind, const std::string& film);
  ActiveRun* find_any(const std::string& film, const Rendition& rendition);
  ActiveRun* find_maker(const std::string& film, const Rendition& rendition, std::size_t segment);

  bool has_room(const FormJob& job) const noexcept;
  // Ends one that gives way to such a job. False: none does.
  bool make_room(const FormJob& job, const IsAwaited& awaited, std::int64_t now_ms);
  // REQUIRES room. `is_wanted`: somebody waits for it. Errors: io, the program cannot be run.
  Result<> start(FormJob job, const FormRun::Order& order, bool is_wanted, std::int64_t now_ms);

  void add_polled(std::vector<pollfd>& polled) const;
  // What they have said: `on_made` for each file that is finished ("12.m4s", its bytes).
  using OnMade = std::function<void(const ActiveRun&, const std::string& name, std::uint64_t)>;
  void read_all(std::int64_t now_ms, const OnMade& on_made);
  // Those that have ended, hang, or are not needed any more (these say nothing).
  std::vector<EndedRun> take_ended(std::int64_t now_ms, const IsAwaited& awaited,
                                   const OnMade& on_made);
  bool works_on(const std::string& film) const;
  // One of this film hangs, and what is to blame for that shows within a second.
  bool is_judged(const std::string& film) const;
  // A process of this film was killed and does not end: its storage hangs.
  bool is_stuck(const std::string& film, std::int64_t now_ms) const;
  void stop_film(const std::string& film);
  void clear() noexcept;
  std::size_t count(FormJob::Lane lane) const noexcept;
  std::size_t size() const noexcept { return runs_.size(); }
  bool is_empty() const noexcept { return runs_.empty() && ending_.empty(); }

 private:
  using Run = std::list<ActiveRun>::iterator;
  Run end(Run run, std::int64_t now_ms);  // returns the next one
  std::optional<EndedRun> look_at_end(ActiveRun& active, const OnMade& on_made);
  std::vector<EndedRun> take_killed(std::int64_t now_ms, const OnMade& on_made);
  static void read(ActiveRun& active, std::int64_t now_ms, const OnMade& on_made);
  void tidy(const ActiveRun& active, pid_t pid) const;

  Spawner& spawner_;
  const Limits limits_;
  const OnLeft on_left_;
  std::list<ActiveRun> runs_;
  std::list<ActiveRun> ending_;  // killed; they take no room
};

}  // namespace videosync
