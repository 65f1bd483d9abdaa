// FormRuns: the runs of videosync-media that are under way, and who may have one.
//
// Making pictures is bounded by itself, because each takes a processor for long; all else together.
// A run that nobody waits for gives way to one that somebody does. One thread's.
#pragma once

#include <poll.h>

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
  Kind kind = Kind::describe;
  std::string film{};     // its key
  Rendition rendition{};  // of a stretch
  std::size_t from = 0;
  std::size_t end = 0;  // behind its last segment
  std::string lang{};   // of what is converted

  // Init segments alone cost nothing.
  bool is_picture() const noexcept {
    return kind == Kind::stretch && rendition.kind == Rendition::Kind::picture && end > from;
  }
};

struct ActiveRun {
  FormJob job;
  FormRun run;
  std::size_t next = 0;  // the segment that it makes now
  std::int64_t started_ms = 0;
  std::int64_t progress_ms = 0;  // when it last said something
  std::int64_t wanted_ms = 0;    // when somebody last asked for what it makes
  std::vector<std::string> lines{};
};

// Whether waiting for it is the quickest way to that segment.
bool makes_soon(const ActiveRun& active, std::size_t segment) noexcept;

struct EndedRun {
  FormJob job;
  enum class End : std::uint8_t { done, fault, no_room, crashed, hung } end;
  std::string words;  // what was wrong
  std::vector<std::string> lines;
};

class FormRuns {
 public:
  struct Limits {
    std::size_t pictures;
    std::size_t others;
  };
  using IsAwaited = std::function<bool(const ActiveRun&)>;

  explicit FormRuns(Limits limits) noexcept : limits_(limits) {}

  // Null: none. For a segment: one that makes it soon.
  ActiveRun* find(FormJob::Kind kind, const std::string& film);
  ActiveRun* find_any(const std::string& film, const Rendition& rendition);
  ActiveRun* find_maker(const std::string& film, const Rendition& rendition, std::size_t segment);

  // Whether there is room for such a job; makes some where a run is not `awaited` (null: does not).
  bool has_room(const FormJob& job, const IsAwaited* awaited);
  // REQUIRES room. Errors: io, the program cannot be run.
  Result<> start(FormJob job, const FormRun::Order& order, std::int64_t now_ms);

  void add_polled(std::vector<pollfd>& polled) const;
  // What they have said: `on_made` for each file that is finished ("12.m4s", its bytes).
  using OnMade = std::function<void(const ActiveRun&, const std::string& name, std::uint64_t)>;
  void read_all(std::int64_t now_ms, const OnMade& on_made);
  // Those that have ended, hang, or are not needed any more (these say nothing).
  std::vector<EndedRun> take_ended(std::int64_t now_ms, const IsAwaited& awaited,
                                   const OnMade& on_made);
  bool works_on(const std::string& film) const;
  void stop_film(const std::string& film);
  void clear() noexcept { runs_.clear(); }
  std::size_t pictures() const noexcept;
  std::size_t size() const noexcept { return runs_.size(); }

 private:
  bool hangs(const ActiveRun& active, std::int64_t now_ms) const noexcept;
  std::optional<EndedRun> look_at_end(ActiveRun& active, std::int64_t now_ms,
                                      const OnMade& on_made);
  static void read(ActiveRun& active, std::int64_t now_ms, const OnMade& on_made);

  const Limits limits_;
  std::list<ActiveRun> runs_;
};

}  // namespace videosync
