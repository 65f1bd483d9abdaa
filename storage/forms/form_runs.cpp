#include "storage/forms/form_runs.h"

#include <fmt/format.h>
#include <string.h>
#include <sys/wait.h>

#include <algorithm>
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
constexpr int status_no_room = 3;  // of videosync-media: it could not write

bool reads_all(const FormJob& job) noexcept {
  return job.kind == FormJob::Kind::plan || job.kind == FormJob::Kind::subtitles;
}

}  // namespace

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

std::size_t FormRuns::pictures() const noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(
      runs_, [](const ActiveRun& active) { return active.job.is_picture(); }));
}

bool FormRuns::has_room(const FormJob& job, const IsAwaited* awaited) {
  const bool is_picture = job.is_picture();
  const std::size_t used = is_picture ? pictures() : runs_.size() - pictures();
  if (used < (is_picture ? limits_.pictures : limits_.others)) return true;
  if (awaited == nullptr) return false;
  // The one that was asked for longest ago.
  auto idle = runs_.end();
  for (auto it = runs_.begin(); it != runs_.end(); ++it) {
    const bool may_go = it->job.is_picture() == is_picture && !(*awaited)(*it) &&
                        it->job.kind == FormJob::Kind::stretch;
    if (may_go && (idle == runs_.end() || it->wanted_ms < idle->wanted_ms)) idle = it;
  }
  if (idle == runs_.end()) return false;
  runs_.erase(idle);
  return true;
}

Result<> FormRuns::start(FormJob job, const FormRun::Order& order, std::int64_t now_ms) {
  VS_ASSERT(has_room(job, nullptr));
  auto run = FormRun::start(order);
  if (!run) return std::unexpected(std::move(run.error()));
  const std::size_t from = job.from;
  runs_.push_back({std::move(job), std::move(*run), from, now_ms, now_ms, now_ms});
  return {};
}

void FormRuns::add_polled(std::vector<pollfd>& polled) const {
  for (const ActiveRun& active : runs_) {
    polled.push_back({active.run.output(), POLLIN, 0});  // poll(2) passes over what is closed
    polled.push_back({active.run.process(), POLLIN, 0});
  }
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
    if (active.job.kind == FormJob::Kind::stretch && segment) active.next = *segment + 1;
  }
}

bool FormRuns::hangs(const ActiveRun& active, std::int64_t now_ms) const noexcept {
  if (reads_all(active.job)) return now_ms - active.started_ms > reading_max_ms;
  return now_ms - active.progress_ms > silence_max_ms;
}

// Nullopt: it goes on.
std::optional<EndedRun> FormRuns::look_at_end(ActiveRun& active, std::int64_t now_ms,
                                              const OnMade& on_made) {
  using End = EndedRun::End;
  if (const auto status = active.run.take_status()) {
    read(active, now_ms, on_made);
    std::string words = active.run.last_words();
    if (WIFSIGNALED(*status)) {
      words = fmt::format("it was ended by signal {} ({})", WTERMSIG(*status),
                          ::strsignal(WTERMSIG(*status)));
      return EndedRun{active.job, End::crashed, std::move(words), {}};
    }
    const int code = WEXITSTATUS(*status);
    const End end = code == 0                ? End::done
                    : code == status_no_room ? End::no_room
                    : code == 1              ? End::fault
                                             : End::crashed;
    return EndedRun{active.job, end, std::move(words), std::move(active.lines)};
  }
  if (!hangs(active, now_ms)) return std::nullopt;
  return EndedRun{active.job, End::hung, "it hangs", {}};
}

std::vector<EndedRun> FormRuns::take_ended(std::int64_t now_ms, const IsAwaited& awaited,
                                           const OnMade& on_made) {
  std::vector<EndedRun> ended;
  for (auto it = runs_.begin(); it != runs_.end();) {
    auto end = look_at_end(*it, now_ms, on_made);
    const bool is_needed = it->job.kind != FormJob::Kind::stretch ||
                           now_ms - it->wanted_ms < unwanted_max_ms || awaited(*it);
    if (!end && is_needed) {
      ++it;
      continue;
    }
    if (end) ended.push_back(std::move(*end));
    it = runs_.erase(it);
  }
  return ended;
}

void FormRuns::stop_film(const std::string& film) {
  runs_.remove_if([&](const ActiveRun& active) { return active.job.film == film; });
}

}  // namespace videosync
