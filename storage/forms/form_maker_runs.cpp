// What the FormMaker has made: which run for which ask, and what becomes of it.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "storage/files/file_requests.h"
#include "storage/files/open_files.h"
#include "storage/forms/form_maker.h"
#include "storage/forms/form_words.h"

namespace videosync {

namespace {

// So much film is made ahead of who watches; more is begun when half of that is left.
constexpr double ahead_s = 30;
constexpr int crashes_max = 2;
// What storage did not give in 20 s, or a program that somebody ended, is tried again later than
// what could not be written.
constexpr std::int64_t machine_trouble_ms = 10'000;

double seconds_of(const FormFilm& film, const Rendition& rendition, std::size_t from,
                  std::size_t to) {
  return start_s(*film.facts(), film.plan(), rendition, to) -
         start_s(*film.facts(), film.plan(), rendition, from);
}

}  // namespace

bool FormMaker::is_awaited(const ActiveRun& active) const {
  const FormJob& job = active.job;
  return line_.any_of([&](const FormWaiting& one) {
    if (one.film != job.film) return false;
    if (!job.is_stretch()) return true;
    const bool is_init = one.file.kind == FormFile::Kind::init;
    const bool is_within =
        one.file.kind == FormFile::Kind::segment && makes_soon(active, one.file.segment);
    return one.file.rendition == job.rendition && (is_init || is_within);
  });
}

FormMaker::Start FormMaker::want(const FormJob& job, Claim claim) {
  if (!job.is_stretch() && runs_.find(job.kind, job.film) != nullptr) return Start::running;
  const std::int64_t now = now_ms();
  FormFilm& film = films_[job.film];
  if (runs_.is_stuck(job.film, now)) {
    film.trouble = "the film's storage does not answer";
    film.trouble_until_ms = now + FormFilm::trouble_ms;
  }
  if (now < film.trouble_until_ms || now < cache_trouble_until_ms_) return Start::failed;
  if (runs_.is_judged(job.film)) return Start::full;
  if (film.source.file == nullptr) {
    const Start opened = open(film);
    if (film.source.file == nullptr) return opened;
  }
  return begin(job, film, claim);
}

FormMaker::Start FormMaker::begin(const FormJob& job, FormFilm& film, Claim claim) {
  const std::int64_t now = now_ms();
  if (!runs_.has_room(job) && (claim == Claim::ahead || !make_room(job, now))) return Start::full;
  const bool is_copy = job.is_stretch() && job.rendition.kind == Rendition::Kind::copy;
  if (is_copy && !cache_.touch(job.film + "/plan/plan", now)) {
    film.forget_plan();  // somebody has cleared the cache away
    return Start::full;
  }
  if (const auto made = cache_.make_folder(job.film + "/" + job.folder()); !made) {
    cannot_write(made.error().message);
    return Start::failed;
  }
  const auto started = runs_.start(job, order_for(job, film), claim == Claim::waits, now);
  if (started) {
    ++counts_.runs;
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

// Who keeps a room keeps it for all who ask in one turn: each look at that is one at all who wait.
bool FormMaker::make_room(const FormJob& job, std::int64_t now) {
  bool& is_full = full_lanes_[static_cast<std::size_t>(job.lane())];
  if (is_full) return false;
  const FormRuns::IsAwaited awaited = [this](const ActiveRun& one) { return is_awaited(one); };
  is_full = !runs_.make_room(job, awaited, now);
  if (is_full) return false;
  ++counts_.displaced;
  return true;
}

const std::string& FormMaker::trouble_of(const FormFilm& film) const {
  return now_ms() < film.trouble_until_ms ? film.trouble : trouble_;
}

// A helper opens it, however long the storage takes: what is wanted waits for that like for a run.
FormMaker::Start FormMaker::open(FormFilm& film) {
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

FormMaker::Start FormMaker::want_segment(const FormWaiting& waiting, FormFilm& film, Claim claim) {
  const Rendition& rendition = waiting.file.rendition;
  FormJob job{.kind = FormJob::Kind::stretch, .film = waiting.film, .rendition = rendition};
  if (waiting.file.kind == FormFile::Kind::init) {
    if (runs_.find_any(waiting.film, rendition) != nullptr) return Start::running;
    return want(job, claim);  // no segment at all: the beginning alone
  }
  job.from = waiting.file.segment;
  if (ActiveRun* maker = runs_.find_maker(waiting.film, rendition, job.from)) {
    maker->claim.asked_ms = now_ms();
    if (claim == Claim::waits) maker->claim.is_wanted = true;
    return Start::running;
  }
  job.end = end_of_stretch(film, waiting.film, rendition, job.from);
  return want(job, claim);
}

// Up to what is there already.
std::size_t FormMaker::end_of_stretch(const FormFilm& film, const std::string& key,
                                      const Rendition& rendition, std::size_t from) const {
  const std::size_t count = segments_of(*film.facts(), film.plan(), rendition);
  VS_ASSERT(from < count);
  std::size_t end = from + 1;
  FormFile file{.kind = FormFile::Kind::segment, .rendition = rendition};
  while (end < count && seconds_of(film, rendition, from, end) < ahead_s) {
    file.segment = end;
    if (cache_.has(form_path(key, file))) break;
    ++end;
  }
  return end;
}

void FormMaker::read_ahead(const FormWaiting& waiting, FormFilm& film) {
  const Rendition& rendition = waiting.file.rendition;
  const std::size_t count = segments_of(*film.facts(), film.plan(), rendition);
  FormWaiting next = waiting;
  for (++next.file.segment; next.file.segment < count; ++next.file.segment) {
    const double ready_s = seconds_of(film, rendition, waiting.file.segment + 1, next.file.segment);
    if (ready_s > ahead_s / 2) return;
    if (!cache_.has(form_path(waiting.film, next.file))) break;
  }
  if (next.file.segment < count) want_segment(next, film, Claim::ahead);
}

FormRun::Order FormMaker::order_for(const FormJob& job, const FormFilm& film) const {
  WordsFor with{.folder = cache_.folder() + "/" + job.film};
  if (job.is_stretch()) with.end_ticks = film.facts()->end_ticks();
  with.threads = std::clamp(options_.cores / std::max(1U, options_.pictures_max), 1U, 4U);
  return {.program = options_.program,
          .words = words_for(job, with),
          .folder = with.folder,
          .film = film.source.file->fd(),
          .is_waited_for = job.kind != FormJob::Kind::subtitles};
}

// --- What becomes of runs ------------------------------------------------------------------------

void FormMaker::on_ended(const EndedRun& ended) {
  using End = EndedRun::End;
  const std::string& key = ended.job.film;
  FormFilm& film = films_[key];
  if (film.source.file == nullptr || has_changed(film, key)) return;
  if (ended.end == End::no_room) return on_no_room(ended);
  if (ended.end == End::unwritable) return cannot_write(ended.words);
  if (ended.end != End::done) return on_failed(ended, film);
  const std::string json = ended.lines.empty() ? "" : ended.lines.back();
  const char* fault = film.learn(ended.job, json, cache_, now_ms());
  if (fault == nullptr) return;
  mark(film, FormFilm::part_of(ended.job), fault);
  film.keep_faults(key, cache_, now_ms());
}

// With nothing of ours to give, somebody else has filled the disk.
void FormMaker::on_no_room(const EndedRun& ended) {
  ++counts_.failed_cache;
  const std::uint64_t bytes = cache_.bytes();
  log_warn("forms", "the cache is full before its limit", field("why", ended.words),
           field("bytes", bytes));
  cache_.shrink(now_ms());
  if (cache_.bytes() == bytes) cannot_write(ended.words);
}

void FormMaker::cannot_write(const std::string& why) {
  cache_trouble_until_ms_ = now_ms() + FormFilm::trouble_ms;
  if (std::exchange(trouble_, why) != why) {
    log_error("forms", "nothing can be written to the cache: free room on its disk, or see to it",
              field("why", why));
  }
}

void FormMaker::on_failed(const EndedRun& ended, FormFilm& film) {
  using End = EndedRun::End;
  const std::string part = FormFilm::part_of(ended.job);
  if (ended.end == End::fault) {
    ++counts_.failed_film;
    mark(film, part, ended.words);
    return film.keep_faults(ended.job.film, cache_, now_ms());
  }
  if (ended.end == End::storage) {
    ++counts_.failed_storage;
    return set_trouble(film, "the film's storage does not answer", ended);
  }
  ++counts_.failed_program;
  if (film.count_crash(part) < crashes_max) {
    return log_warn("forms", "videosync-media failed, and is tried once more",
                    field("film", film.source.path), field("part", part),
                    field("why", ended.words));
  }
  if (ended.end == End::stopped) {
    film.forget_crashes(part);
    return set_trouble(film, "the program that prepares films is ended by somebody else", ended);
  }
  mark(film, part, "the program that prepares it fails: " + ended.words);
  if (ended.end == End::crashed) film.keep_faults(ended.job.film, cache_, now_ms());
}

// Of the machine's: it passes.
void FormMaker::set_trouble(FormFilm& film, std::string why, const EndedRun& ended) {
  log_warn("forms", "a film cannot be prepared for now", field("film", film.source.path),
           field("part", FormFilm::part_of(ended.job)), field("trouble", why),
           field("why", ended.words));
  film.trouble = std::move(why);
  film.trouble_until_ms = now_ms() + machine_trouble_ms;
}

void FormMaker::mark(FormFilm& film, const std::string& part, std::string why) {
  log_warn("forms", "a form of a film cannot be made, and is not tried again until it changes",
           field("film", film.source.path), field("part", part), field("why", why));
  film.mark(part, std::move(why));
}

// Whether another film has been written over it: what was made of it is of neither. Of what the
// kernel knows, without asking storage that may hang: it has just been read.
bool FormMaker::has_changed(FormFilm& film, const std::string& key) {
  struct statx status{};
  constexpr int flags = AT_EMPTY_PATH | AT_STATX_DONT_SYNC;
  if (::statx(film.source.file->fd(), "", flags, STATX_SIZE | STATX_MTIME, &status) != 0) {
    return false;
  }
  const FileFacts facts{.size = status.stx_size,
                        .mtime_s = status.stx_mtime.tv_sec,
                        .mtime_nsec = status.stx_mtime.tv_nsec};
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
