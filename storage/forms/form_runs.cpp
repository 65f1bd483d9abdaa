#include "storage/forms/form_runs.h"

#include <fmt/core.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "core/base/assert.h"
#include "core/base/text.h"

namespace videosync {

namespace {

// A run that says nothing for so long hangs. Reading a film to its end says nothing until then.
constexpr std::int64_t silence_max_ms = 20'000;
constexpr std::int64_t reading_max_ms = 30 * 60'000;
// What nobody has asked for in so long is not needed.
constexpr std::int64_t unwanted_max_ms = 20'000;
// A run is waited for where it is so near; else another one is quicker.
constexpr std::size_t copies_near = 12;
constexpr std::size_t pictures_near = 2;
// So many segments are worth the way to where they begin, and so long a player may take for one.
constexpr std::size_t kept_segments = 4;
constexpr std::int64_t kept_between_ms = 2'000;
// A process that is killed is gone within milliseconds, unless it waits in the kernel.
constexpr std::int64_t kill_wait_ms = 1'000;
// Of videosync-media; 1 is a fault of the film.
constexpr int status_no_room = 3;
constexpr int status_source = 4;
constexpr int status_unwritable = 5;
// Of whoever was to start it: it cannot be run.
constexpr int status_not_run = 126;
constexpr int status_not_found = 127;

using Blame = ActiveRun::Blame;

bool hangs(const ActiveRun& active, std::int64_t now_ms) noexcept {
  if (active.job.reads_all()) return now_ms - active.started_ms > reading_max_ms;
  return now_ms - active.progress_ms > silence_max_ms;
}

// By which a program ends that goes wrong itself. By the others somebody ends it: who stops the
// service, or the kernel for want of memory.
bool is_own_signal(int signal) noexcept {
  constexpr int own[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGXFSZ, SIGSYS};
  return std::ranges::find(own, signal) != std::end(own);
}

}  // namespace

EndedRun::End end_of(int status) noexcept {
  using End = EndedRun::End;
  if (WIFSIGNALED(status)) return is_own_signal(WTERMSIG(status)) ? End::crashed : End::stopped;
  switch (WEXITSTATUS(status)) {
    case 0:
      return End::done;
    case 1:
      return End::fault;
    case status_no_room:
      return End::no_room;
    case status_source:
      return End::storage;
    case status_unwritable:
      return End::unwritable;
    case status_not_run:
    case status_not_found:
      return End::stopped;
    default:
      return End::crashed;
  }
}

std::string FormJob::folder() const {
  const bool is_plan = kind == Kind::describe || kind == Kind::plan;
  return is_plan ? "plan" : rendition.folder();
}

bool gives_way(const RunClaim& claim, bool is_awaited, std::int64_t now_ms) noexcept {
  if (!claim.is_wanted) return true;
  if (claim.made == 0) return false;
  if (claim.made >= kept_segments) return true;
  return !is_awaited && now_ms - claim.asked_ms >= kept_between_ms;
}

bool makes_soon(const ActiveRun& active, std::size_t segment) noexcept {
  const std::size_t near = active.job.is_picture() ? pictures_near : copies_near;
  return active.next <= segment && segment < active.job.end && segment - active.next <= near;
}

ActiveRun* FormRuns::find(FormJob::Kind kind, const std::string& film) {
  const auto found = std::ranges::find_if(runs_, [&](const ActiveRun& active) {
    return active.job.kind == kind && active.job.film == film;
  });
  return found == runs_.end() ? nullptr : &*found;
}

ActiveRun* FormRuns::find_any(const std::string& film, const Rendition& rendition) {
  const auto found = std::ranges::find_if(runs_, [&](const ActiveRun& active) {
    const FormJob& job = active.job;
    return job.kind == FormJob::Kind::stretch && job.film == film && job.rendition == rendition;
  });
  return found == runs_.end() ? nullptr : &*found;
}

bool FormRuns::works_on(const std::string& film) const {
  return std::ranges::any_of(runs_,
                             [&](const ActiveRun& active) { return active.job.film == film; });
}

ActiveRun* FormRuns::find_maker(const std::string& film, const Rendition& rendition,
                                std::size_t segment) {
  const auto found = std::ranges::find_if(runs_, [&](const ActiveRun& active) {
    const FormJob& job = active.job;
    return job.kind == FormJob::Kind::stretch && job.film == film && job.rendition == rendition &&
           makes_soon(active, segment);
  });
  return found == runs_.end() ? nullptr : &*found;
}

std::size_t FormRuns::count(FormJob::Lane lane) const noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(
      runs_, [&](const ActiveRun& active) { return active.job.lane() == lane; }));
}

bool FormRuns::has_room(const FormJob& job) const noexcept {
  const FormJob::Lane lane = job.lane();
  const std::size_t most = lane == FormJob::Lane::pictures   ? limits_.pictures
                           : lane == FormJob::Lane::readings ? limits_.readings
                                                             : limits_.others;
  return count(lane) < most;
}

bool FormRuns::make_room(const FormJob& job, const IsAwaited& awaited, std::int64_t now_ms) {
  // The one that is wanted least, and of these the one that has had its room longest.
  using Rank = std::tuple<bool, bool, std::int64_t>;
  std::optional<std::pair<Rank, Run>> least;
  for (auto it = runs_.begin(); it != runs_.end(); ++it) {
    const bool is_stretch = it->job.kind == FormJob::Kind::stretch;
    if (!is_stretch || it->job.lane() != job.lane()) continue;
    const bool is_awaited = awaited(*it);
    if (!gives_way(it->claim, is_awaited, now_ms)) continue;
    const Rank rank{it->claim.is_wanted, is_awaited, it->started_ms};
    if (!least || rank < least->first) least.emplace(rank, it);
  }
  if (!least) return false;
  end(least->second, now_ms);
  return true;
}

Result<> FormRuns::start(FormJob job, const FormRun::Order& order, bool is_wanted,
                         std::int64_t now_ms) {
  VS_ASSERT(has_room(job));
  auto run = FormRun::start(spawner_, order);
  if (!run) return std::unexpected(std::move(run.error()));
  const std::size_t from = job.from;
  runs_.push_back({std::move(job), std::move(*run), from, now_ms, now_ms, {is_wanted, 0, now_ms}});
  return {};
}

// Nobody waits here for a process to end: it may be held up in the kernel, by its storage.
FormRuns::Run FormRuns::end(Run run, std::int64_t now_ms) {
  const Run next = std::next(run);
  run->run.kill();
  run->killed_ms = now_ms;
  ending_.splice(ending_.end(), runs_, run);
  return next;
}

void FormRuns::add_polled(std::vector<pollfd>& polled) const {
  for (const ActiveRun& active : runs_) {
    polled.push_back({active.run.output(), POLLIN, 0});  // poll(2) passes over what is closed
    polled.push_back({active.run.process(), POLLIN, 0});
  }
  for (const ActiveRun& active : ending_)
    polled.push_back({active.run.process(), POLLIN, 0});
}

void FormRuns::read_all(std::int64_t now_ms, const OnMade& on_made) {
  for (ActiveRun& active : runs_)
    read(active, now_ms, on_made);
}

void FormRuns::read(ActiveRun& active, std::int64_t now_ms, const OnMade& on_made) {
  for (std::string& line : active.run.take_lines()) {
    active.progress_ms = now_ms;
    const std::size_t blank = line.find(' ');
    const std::string name = line.substr(0, blank);
    const auto bytes = blank == std::string::npos
                           ? std::nullopt
                           : parse_decimal<std::uint64_t>(line.substr(blank + 1));
    if (!bytes) {
      active.lines.push_back(std::move(line));
      continue;
    }
    on_made(active, name, *bytes);
    const auto segment = parse_decimal<std::size_t>(name.substr(0, name.find('.')));
    if (active.job.kind != FormJob::Kind::stretch || !segment) continue;
    active.next = *segment + 1;
    ++active.claim.made;
  }
}

// Nullopt: it goes on.
std::optional<EndedRun> FormRuns::look_at_end(ActiveRun& active, const OnMade& on_made) {
  using End = EndedRun::End;
  const auto status = active.run.take_status();
  if (!status) return std::nullopt;
  read(active, active.progress_ms, on_made);
  const End end = end_of(*status);
  std::string words = active.run.last_words();
  if (WIFSIGNALED(*status)) {
    words = fmt::format("it was ended by signal {} ({})", WTERMSIG(*status),
                        ::strsignal(WTERMSIG(*status)));
  }
  const bool was_to_make = active.job.is_stretch() && active.job.end > active.job.from;
  if (end == End::done && was_to_make && active.claim.made == 0) {
    return EndedRun{active.job, End::crashed, "it made nothing", {}};
  }
  return EndedRun{active.job, end, std::move(words), std::move(active.lines)};
}

std::vector<EndedRun> FormRuns::take_ended(std::int64_t now_ms, const IsAwaited& awaited,
                                           const OnMade& on_made) {
  std::vector<EndedRun> ended = take_killed(now_ms, on_made);
  for (auto it = runs_.begin(); it != runs_.end();) {
    const pid_t pid = it->run.pid();
    if (auto one = look_at_end(*it, on_made)) {
      if (one->end != EndedRun::End::done) tidy(*it, pid);
      ended.push_back(std::move(*one));
      it = runs_.erase(it);
      continue;
    }
    if (hangs(*it, now_ms)) {
      it->blame = it->run.waits_in_kernel() ? Blame::storage_hangs : Blame::hangs;
    }
    const bool is_needed = it->job.kind != FormJob::Kind::stretch ||
                           now_ms - it->claim.asked_ms < unwanted_max_ms || awaited(*it);
    it = it->blame != Blame::none || !is_needed ? end(it, now_ms) : std::next(it);
  }
  return ended;
}

// What was finished in its last moment counts; the rest of what it did is cleared away.
std::vector<EndedRun> FormRuns::take_killed(std::int64_t now_ms, const OnMade& on_made) {
  using End = EndedRun::End;
  std::vector<EndedRun> ended;
  for (auto it = ending_.begin(); it != ending_.end();) {
    const pid_t pid = it->run.pid();
    const bool is_gone = look_at_end(*it, on_made).has_value();
    const bool is_late = !is_gone && now_ms - it->killed_ms >= kill_wait_ms;
    if (it->blame != Blame::none && (is_gone || is_late)) {
      const bool is_storage = is_late || it->blame == Blame::storage_hangs;
      ended.push_back(is_storage
                          ? EndedRun{it->job, End::storage, "its storage does not answer", {}}
                          : EndedRun{it->job, End::hung, "it hangs", {}});
      it->blame = Blame::none;
    }
    if (is_gone) tidy(*it, pid);
    it = is_gone ? ending_.erase(it) : std::next(it);
  }
  return ended;
}

void FormRuns::tidy(const ActiveRun& active, pid_t pid) const {
  on_left_(active.job, fmt::format(".{}.tmp", pid));
}

bool FormRuns::is_judged(const std::string& film) const {
  return std::ranges::any_of(ending_, [&](const ActiveRun& active) {
    return active.job.film == film && active.blame != Blame::none;
  });
}

bool FormRuns::is_stuck(const std::string& film, std::int64_t now_ms) const {
  return std::ranges::any_of(ending_, [&](const ActiveRun& active) {
    return active.job.film == film && now_ms - active.killed_ms >= kill_wait_ms;
  });
}

// These are waited for: what is forgotten next must not come back.
void FormRuns::stop_film(const std::string& film) {
  std::vector<std::pair<FormJob, pid_t>> ended;
  const auto end_if = [&](const ActiveRun& active) {
    const bool is_of = active.job.film == film;
    if (is_of) ended.emplace_back(active.job, active.run.pid());
    return is_of;
  };
  runs_.remove_if(end_if);
  ending_.remove_if(end_if);
  for (const auto& [job, pid] : ended)
    on_left_(job, fmt::format(".{}.tmp", pid));
}

// All at once, so that they end beside each other.
void FormRuns::clear() noexcept {
  for (const ActiveRun& active : runs_)
    active.run.kill();
  runs_.clear();
  ending_.clear();
}

}  // namespace videosync
