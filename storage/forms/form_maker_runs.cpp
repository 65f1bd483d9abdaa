// What the FormMaker has made: which run for which ask, and what becomes of it.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "storage/files/file_requests.h"
#include "storage/files/open_files.h"
#include "storage/forms/form_maker.h"

namespace videosync {

namespace {

// So much film is made ahead of who watches; more is begun when half of that is left.
constexpr double ahead_s = 30;
constexpr int crashes_max = 2;
constexpr std::string_view whole_film = "film";

double seconds_of(const FilmFacts& facts, const FilmPlan* plan, const Rendition& rendition,
                  std::size_t from, std::size_t to) {
  if (rendition.kind == Rendition::Kind::copy) {
    const std::int64_t end = to < plan->starts.size() ? plan->starts[to] : plan->end;
    return static_cast<double>(end - plan->starts[from]) / ticks_per_second;
  }
  const auto count = static_cast<double>(to - from);
  if (rendition.kind == Rendition::Kind::picture) {
    return count * static_cast<double>(facts.picture_segment_ticks) / ticks_per_second;
  }
  if (rendition.kind == Rendition::Kind::pictures) {
    const auto span_ms = static_cast<double>(facts.find_subtitles(rendition.track)->span_ms);
    return count * span_ms / 1'000;
  }
  const SoundTrack& track = *facts.find_sound(rendition.track);
  return count * static_cast<double>(track.segment_samples) / track.rate;
}

// What a fault is a fault of.
std::string part_of(const FormJob& job) {
  switch (job.kind) {
    case FormJob::Kind::describe:
      return std::string(whole_film);
    case FormJob::Kind::plan:
      return "copy";
    case FormJob::Kind::stretch:
    case FormJob::Kind::subtitles:
    case FormJob::Kind::convert:
      return job.rendition.folder();
  }
  return {};
}

}  // namespace

bool FormMaker::is_awaited(const ActiveRun& active) const {
  const FormJob& job = active.job;
  return std::ranges::any_of(waiting_, [&](const Waiting& one) {
    if (one.film != job.film) return false;
    if (job.kind != FormJob::Kind::stretch) return true;
    const bool is_init = one.file.kind == FormFile::Kind::init;
    const bool is_within =
        one.file.kind == FormFile::Kind::segment && makes_soon(active, one.file.segment);
    return one.file.rendition == job.rendition && (is_init || is_within);
  });
}

FormMaker::Start FormMaker::want(const FormJob& job, bool may_displace) {
  const std::int64_t now = now_ms();
  if (job.kind != FormJob::Kind::stretch && runs_.find(job.kind, job.film) != nullptr) {
    return Start::running;
  }
  Film& film = films_[job.film];
  if (film.source.file == nullptr) return open(film);
  const FormRuns::IsAwaited awaited = [this](const ActiveRun& one) { return is_awaited(one); };
  if (!runs_.has_room(job, may_displace ? &awaited : nullptr)) return Start::full;
  const std::string folder = job.kind == FormJob::Kind::describe || job.kind == FormJob::Kind::plan
                                 ? "plan"
                                 : job.rendition.folder();
  auto started = cache_.make_folder(job.film + "/" + folder);
  if (started) started = runs_.start(job, order_for(job, film), now);
  if (started) {
    trouble_.clear();
    return Start::running;
  }
  if (trouble_ != started.error().message) {
    trouble_ = started.error().message;
    log_error("forms", "films cannot be prepared (is videosync-media beside the server?)",
              field("why", trouble_));
  }
  return Start::failed;
}

// A helper opens it, however long the storage takes: what is wanted waits for that like for a run.
FormMaker::Start FormMaker::open(Film& film) {
  if (film.opening) return Start::running;
  film.source.file = film.source.files->find(*film.source.folder, film.source.path, &film.seen);
  if (film.source.file != nullptr) return Start::running;
  const auto number = desk_->ask_to_open(film.source.folder, film.source.path);
  if (!number) {
    film.is_gone = number.error().code == ErrorCode::not_found;
    return Start::full;
  }
  film.opening = *number;
  return Start::running;
}

FormMaker::Start FormMaker::want_segment(const Waiting& waiting, Film& film, bool may_displace) {
  const Rendition& rendition = waiting.file.rendition;
  FormJob job{.kind = FormJob::Kind::stretch, .film = waiting.film, .rendition = rendition};
  if (waiting.file.kind == FormFile::Kind::init) {
    if (runs_.find_any(waiting.film, rendition) != nullptr) return Start::running;
    return want(job, may_displace);  // no segment at all: the beginning alone
  }
  job.from = waiting.file.segment;
  if (ActiveRun* maker = runs_.find_maker(waiting.film, rendition, job.from)) {
    maker->wanted_ms = now_ms();
    return Start::running;
  }
  job.end = end_of_stretch(film, waiting.film, rendition, job.from);
  return want(job, may_displace);
}

// Up to what is there already.
std::size_t FormMaker::end_of_stretch(const Film& film, const std::string& key,
                                      const Rendition& rendition, std::size_t from) const {
  const std::size_t count = segments_of(*film.facts, plan_of(film), rendition);
  VS_ASSERT(from < count);
  std::size_t end = from + 1;
  FormFile file{.kind = FormFile::Kind::segment, .rendition = rendition};
  while (end < count && seconds_of(*film.facts, plan_of(film), rendition, from, end) < ahead_s) {
    file.segment = end;
    if (cache_.has(path_of(key, file))) break;
    ++end;
  }
  return end;
}

void FormMaker::read_ahead(const Waiting& waiting, Film& film) {
  const Rendition& rendition = waiting.file.rendition;
  const std::size_t count = segments_of(*film.facts, plan_of(film), rendition);
  Waiting next = waiting;
  for (++next.file.segment; next.file.segment < count; ++next.file.segment) {
    const double ready_s = seconds_of(*film.facts, plan_of(film), rendition,
                                      waiting.file.segment + 1, next.file.segment);
    if (ready_s > ahead_s / 2) return;
    if (!cache_.has(path_of(waiting.film, next.file))) break;
  }
  if (next.file.segment < count) want_segment(next, film, false);
}

FormRun::Order FormMaker::order_for(const FormJob& job, const Film& film) const {
  FormRun::Order order{.program = options_.program, .words = {}, .film = film.source.file->fd()};
  const std::string folder = cache_.folder() + "/" + job.film;
  const std::string plan = folder + "/plan/plan";
  auto& words = order.words;
  const auto add_stretch = [&] {
    words.insert(words.end(),
                 {"--out", folder + "/" + job.rendition.folder(), "--from",
                  std::to_string(job.from), "--count", std::to_string(job.end - job.from)});
  };
  switch (job.kind) {
    case FormJob::Kind::describe:
      words = {"describe", "--plan", plan};
      return order;
    case FormJob::Kind::plan:
      words = {"plan", "--plan", plan};
      return order;
    case FormJob::Kind::subtitles:
      order.is_waited_for = false;
      words = {"subtitles", "--out", folder + "/" + job.rendition.folder()};
      return order;
    case FormJob::Kind::convert:
      words = {"convert", "--out", folder + "/" + job.rendition.folder(), "--lang", job.lang};
      return order;
    case FormJob::Kind::stretch:
      break;
  }
  const std::string end = std::to_string(film.facts->end_ticks());
  if (job.rendition.kind == Rendition::Kind::copy) {
    words = {"video", "--plan", plan};
  } else if (job.rendition.kind == Rendition::Kind::pictures) {
    words = {"pictures", "--track", std::to_string(job.rendition.track)};
  } else if (job.rendition.kind == Rendition::Kind::sound) {
    words = {"sound",
             "--track",
             std::to_string(job.rendition.track),
             "--channels",
             std::to_string(job.rendition.channels),
             "--end-ticks",
             end};
  } else {
    const std::uint32_t threads =
        std::clamp(options_.cores / std::max(1U, options_.pictures_max), 1U, 4U);
    words = {"picture",
             "--height",
             std::to_string(job.rendition.height),
             "--threads",
             std::to_string(threads),
             "--end-ticks",
             end};
  }
  add_stretch();
  return order;
}

// --- What becomes of runs ------------------------------------------------------------------------

void FormMaker::on_ended(const EndedRun& ended) {
  Film& film = films_[ended.job.film];
  if (film.source.file == nullptr || has_changed(film, ended.job.film)) return;
  switch (ended.end) {
    case EndedRun::End::done:
      return on_done(ended, film);
    case EndedRun::End::no_room:
      log_warn("forms", "the cache is full before its limit", field("why", ended.words),
               field("bytes", cache_.bytes()));
      return cache_.shrink(now_ms());
    case EndedRun::End::fault:
    case EndedRun::End::crashed:
    case EndedRun::End::hung:
      return on_failed(ended, film);
  }
}

void FormMaker::on_done(const EndedRun& ended, Film& film) {
  const std::string& key = ended.job.film;
  const std::string json = ended.lines.empty() ? "" : ended.lines.back();
  film.crashes.erase(part_of(ended.job));
  if (ended.job.kind == FormJob::Kind::describe) {
    film.facts = parse_film_facts(json);
    if (!film.facts)
      return mark(key, film, std::string(whole_film), "what it says is not understood");
    cache_.write(key + "/plan/facts.json", json, now_ms());
  }
  if (ended.job.kind == FormJob::Kind::plan) {
    if (!film.facts || !add_read_facts(json, *film.facts)) {
      return mark(key, film, "copy", "its end cannot be found");
    }
    cache_.write(key + "/plan/read.json", json, now_ms());
  }
  if (!film.plan) film.plan = parse_film_plan(cache_.read(key + "/plan/plan", now_ms()));
  if (ended.job.kind == FormJob::Kind::plan && !film.plan) {
    mark(key, film, "copy", "where it may be cut cannot be found");
  }
}

void FormMaker::on_failed(const EndedRun& ended, Film& film) {
  const std::string part = part_of(ended.job);
  if (ended.end == EndedRun::End::fault) {
    mark(ended.job.film, film, part, ended.words);
  } else if (++film.crashes[part] >= crashes_max) {
    mark(ended.job.film, film, part, "the program that prepares it fails: " + ended.words);
  } else {
    log_warn("forms", "videosync-media failed, and is tried once more",
             field("film", film.source.path), field("part", part), field("why", ended.words));
  }
}

void FormMaker::mark(const std::string& key, Film& film, const std::string& what, std::string why) {
  log_warn("forms", "a form of a film cannot be made, and is not tried again until it changes",
           field("film", film.source.path), field("part", what), field("why", why));
  film.faults[what] = why;
  // Without an end no form has a playlist.
  if (what == "copy" && film.facts && !knows_end(film)) film.faults[std::string(whole_film)] = why;
  std::string text;
  for (const auto& [part, reason] : film.faults)
    text += fmt::format("{}\t{}\n", part, reason);
  cache_.write(key + "/plan/faults", text, now_ms());
}

// Whether another film has been written over it: what was made of it is of neither.
bool FormMaker::has_changed(Film& film, const std::string& key) {
  struct stat status{};
  if (::fstat(film.source.file->fd(), &status) != 0) return false;
  const FileFacts facts = facts_of(status);
  const bool is_same = facts.size == film.seen.size && mtime_ns_of(facts) == mtime_ns_of(film.seen);
  if (is_same) return false;
  log_info("forms", "a film has changed while it was prepared", field("film", film.source.path));
  film.is_gone = true;
  film.source.file = nullptr;
  runs_.stop_film(key);
  cache_.forget(key);
  return true;
}

}  // namespace videosync
