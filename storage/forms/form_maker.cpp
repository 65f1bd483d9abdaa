#include "storage/forms/form_maker.h"

#include <fmt/core.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <set>
#include <utility>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/base/thread.h"
#include "storage/files/open_files.h"
#include "storage/names/content_type.h"

namespace videosync {

namespace {

constexpr std::int64_t answer_within_ms = 10'000;
// With as many pictures being made as may be, those whose turn is next wait; the others are told
// soon. Not at once: a player that seeks asks for the next one before the connection of its last is
// closed, and so may each of a session.
constexpr std::int64_t room_within_ms = 2'000;
constexpr int look_every_ms = 500;
constexpr std::int64_t open_for_ms = 30'000;
constexpr std::size_t waiting_max = 4'096;
constexpr std::size_t films_max = 4'096;
constexpr std::size_t readings_max = 2;
constexpr std::string_view json_type = "application/json";

MediaFileRef file_of(FileHelpers& helpers, UniqueFd descriptor, std::string name) {
  struct stat status{};
  if (::fstat(descriptor.get(), &status) != 0) return nullptr;
  FileReply opened;
  opened.facts = facts_of(status);
  opened.descriptor = descriptor.release();
  return std::make_shared<const MediaFile>(helpers, opened, std::move(name));
}

}  // namespace

Result<std::unique_ptr<FormMaker>> FormMaker::create(Options options, FileHelpers& helpers) {
  VS_ASSERT(!options.cache_directory.empty());
  UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) return fail_errno("an eventfd for forms of films (raise `ulimit -n`)", errno);
  auto desk = FileDesk::create(helpers, FileHelpers::Lane::serving);
  if (!desk) return std::unexpected(std::move(desk.error()));
  std::unique_ptr<FormMaker> maker(
      new FormMaker(std::move(options), helpers, std::move(wake), std::move(*desk)));
  auto thread =
      start_thread("forms", [self = maker.get()](const std::stop_token& stop) { self->run(stop); });
  if (!thread) return std::unexpected(std::move(thread.error()));
  maker->thread_ = std::move(*thread);
  return maker;
}

FormMaker::FormMaker(Options options, FileHelpers& helpers, UniqueFd wake,
                     std::unique_ptr<FileDesk> desk)
    : options_(std::move(options)),
      helpers_(helpers),
      wake_(std::move(wake)),
      desk_(std::move(desk)),
      cache_(options_.cache_directory + "/forms", options_.cache_bytes_max),
      runs_(helpers.spawner(),
            {.pictures = options_.pictures_max,
             .readings = readings_max,
             .others = 2 * options_.cores + 2},
            [this](const FormJob& job, const std::string& suffix) {
              cache_.drop_half_made(job.film + "/" + job.folder(), suffix);
            }) {}

FormMaker::~FormMaker() {
  thread_.request_stop();
  const std::uint64_t one = 1;
  VS_ASSERT(::write(wake_.get(), &one, sizeof one) == sizeof one);
  if (thread_.joinable()) thread_.join();
}

void FormMaker::ask(FormDesk& desk, FormAsk ask) {
  order({&desk, std::move(ask)});
}

void FormMaker::give_up(FormDesk& desk, std::uint64_t number) {
  order({&desk, std::nullopt, number});
}

// Where the thread hangs, with the disk of the cache, nothing is heaped up.
void FormMaker::order(Order order) {
  {
    const std::lock_guard lock(mutex_);
    if (order.ask && orders_.size() >= waiting_max) {
      order.desk->put({.number = order.ask->number, .kind = FormAnswer::Kind::busy});
      return;
    }
    orders_.push_back(std::move(order));
  }
  const std::uint64_t one = 1;
  VS_ASSERT(::write(wake_.get(), &one, sizeof one) == sizeof one);
}

// --- The thread ----------------------------------------------------------------------------------

std::int64_t FormMaker::now_ms() noexcept {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

void FormMaker::run(const std::stop_token& stop) {
  if (const auto opened = cache_.open(options_.is_cache_shared); !opened) {
    log_warn("forms", "films are served as they are alone", field("why", opened.error().message));
    trouble_ = opened.error().message;
  }
  while (!stop.stop_requested()) {
    wait();
    take_orders();
    take_opened();
    take_made();
    serve_all();
    release_files();
    count();
  }
  runs_.clear();
}

void FormMaker::take_made() {
  const std::int64_t now = now_ms();
  std::set<std::string> worked_on;
  const FormRuns::OnMade on_made = [&](const ActiveRun& active, const std::string& name,
                                       std::uint64_t bytes) {
    worked_on.insert(active.job.film);
    if (active.job.is_stretch() && name.ends_with(".m4s")) ++counts_.segments;
    cache_.add(fmt::format("{}/{}/{}", active.job.film, active.job.folder(), name), bytes, now);
  };
  runs_.read_all(now, on_made);
  const auto ended = runs_.take_ended(
      now, [this](const ActiveRun& active) { return is_awaited(active); }, on_made);
  for (const std::string& key : worked_on) {
    FormFilm& film = films_[key];
    if (film.source.file != nullptr) has_changed(film, key);
  }
  for (const EndedRun& one : ended)
    on_ended(one);
}

void FormMaker::count() {
  const std::size_t pictures = runs_.count(FormJob::Lane::pictures);
  counts_.pictures = pictures;
  counts_.other_runs = runs_.size() - pictures;
  counts_.waiting = line_.size();
  counts_.cache_bytes = cache_.bytes();
}

void FormMaker::wait() {
  std::vector<pollfd> polled{{wake_.get(), POLLIN, 0}, {desk_->descriptor(), POLLIN, 0}};
  runs_.add_polled(polled);
  const bool is_idle = runs_.is_empty() && line_.is_empty();
  const bool has_open = std::ranges::any_of(
      films_, [](const auto& one) { return one.second.source.file != nullptr; });
  const auto idle_ms = has_open ? static_cast<int>(open_for_ms) : -1;
  ::poll(polled.data(), polled.size(), is_idle ? idle_ms : look_every_ms);
  std::uint64_t count = 0;
  while (::read(wake_.get(), &count, sizeof count) > 0) {
  }
}

void FormMaker::take_orders() {
  std::vector<Order> orders;
  {
    const std::lock_guard lock(mutex_);
    orders.swap(orders_);
  }
  for (Order& order : orders) {
    if (order.ask) {
      take_ask(std::move(order));
    } else {
      take_given_up(order);
    }
  }
}

void FormMaker::take_ask(Order order) {
  FormAsk& ask = *order.ask;
  const std::string key =
      film_key(ask.library, ask.source.path, ask.seen.size, mtime_ns_of(ask.seen));
  FormWaiting waiting{.desk = order.desk,
                      .number = ask.number,
                      .film = key,
                      .place = std::move(ask.place),
                      .file = ask.file,
                      .is_look = ask.is_look,
                      .asked_ms = now_ms()};
  if (line_.size() >= waiting_max) {
    answer(waiting, {.kind = FormAnswer::Kind::busy});
    return;
  }
  film_of(ask, key);
  line_.add(std::move(waiting));
}

// What was made for them alone gives way at once.
void FormMaker::take_given_up(const Order& order) {
  const auto left = line_.remove(order.desk, order.given_up);
  if (!left || left->file.kind != FormFile::Kind::segment) return;
  ActiveRun* maker = runs_.find_maker(left->film, left->file.rendition, left->file.segment);
  if (maker != nullptr && !is_awaited(*maker)) maker->claim.is_wanted = false;
}

// What was opened is the film that was asked for, or there is none any more.
void FormMaker::take_opened() {
  while (auto opened = desk_->take_opened()) {
    const auto found = std::ranges::find_if(
        films_, [&](const auto& one) { return one.second.opening == opened->number; });
    if (found == films_.end()) continue;
    FormFilm& film = found->second;
    film.opening.reset();
    if (opened->file && is_version(**opened->file, film.seen)) {
      film.source.file = film.source.files->keep(*film.source.folder, std::move(*opened->file));
      film.used_ms = now_ms();
    } else if (opened->file || opened->file.error().code == ErrorCode::not_found) {
      film.is_gone = true;
    } else {
      film.trouble = opened->file.error().message;
      film.trouble_until_ms = now_ms() + FormFilm::trouble_ms;
      ++counts_.failed_storage;
      log_warn("forms", "a film cannot be opened", field("film", film.source.path),
               field("why", film.trouble));
    }
  }
}

// An answer may be what another one waits for: there are few of them, so all are looked at. What is
// made ahead takes what room is left.
void FormMaker::serve_all() {
  refused_room_.clear();
  full_lanes_.fill(false);
  ahead_.clear();
  line_.serve(now_ms(), [this](const FormWaiting& one) {
    const Served served = serve(one);
    const bool is_due = now_ms() - one.asked_ms >= answer_within_ms;
    if (served != Served::not_yet || !is_due) return served;
    return answer(one, {.kind = FormAnswer::Kind::busy});
  });
  for (const FormWaiting& one : ahead_)
    read_ahead(one, films_[one.film]);
}

// A film that nobody has wanted anything of for a while is not kept open.
void FormMaker::release_files() {
  const std::int64_t now = now_ms();
  for (auto& [key, film] : films_) {
    if (film.source.file == nullptr || now - film.used_ms < open_for_ms) continue;
    if (!runs_.works_on(key)) film.source.file = nullptr;
  }
}

FormMaker::Served FormMaker::answer(const FormWaiting& waiting, FormAnswer answer) {
  const bool is_busy = answer.kind == FormAnswer::Kind::busy;
  if (is_busy) ++counts_.told_busy;
  const bool may_come_again = is_busy || answer.kind == FormAnswer::Kind::failing;
  answer.number = waiting.number;
  waiting.desk->put(std::move(answer));
  return may_come_again ? Served::told_to_ask_again : Served::answered;
}

FormMaker::Served FormMaker::answer_text(const FormWaiting& waiting, std::string text,
                                         std::string_view type) {
  return answer(waiting, {.kind = FormAnswer::Kind::text, .text = std::move(text), .type = type});
}

FormMaker::Served FormMaker::answer_why(const FormWaiting& waiting, FormAnswer::Kind kind,
                                        std::string why) {
  return answer(waiting, {.kind = kind, .text = std::move(why)});
}

FormMaker::Served FormMaker::answer_unmade(const FormWaiting& waiting) {
  const std::string_view type = content_type_of(waiting.file.name());
  return answer(waiting, {.kind = FormAnswer::Kind::unmade, .type = type});
}

// False: it is not there.
bool FormMaker::answer_file(const FormWaiting& waiting) {
  UniqueFd descriptor = cache_.open_file(waiting.path, now_ms());
  if (!descriptor) {
    // It is there, and cannot be had: to make it anew would not help.
    if (cache_.has(waiting.path)) cannot_write("a file of it cannot be opened");
    return false;
  }
  MediaFileRef file = file_of(helpers_, std::move(descriptor), waiting.file.name());
  if (file == nullptr) return false;
  ++(waiting.has_waited ? counts_.files_made : counts_.files_kept);
  answer(waiting, {.kind = FormAnswer::Kind::file, .file = std::move(file)});
  return true;
}

// --- What is asked -------------------------------------------------------------------------------

FormFilm& FormMaker::film_of(const FormAsk& ask, const std::string& key) {
  if (films_.size() >= films_max && !films_.contains(key)) {
    std::erase_if(films_, [this](const auto& one) {
      return !line_.any_of([&](const FormWaiting& waiting) { return waiting.film == one.first; });
    });
  }
  FormFilm& film = films_[key];
  // Of the newest scan: a library that was away is another folder by now, and who had gone may be
  // back.
  if (film.source.folder != ask.source.folder) {
    MediaFileRef file = std::move(film.source.file);
    film.source = ask.source;
    film.source.file = std::move(file);
    film.seen = ask.seen;
  }
  film.is_gone = false;
  film.used_ms = now_ms();
  film.look_into(cache_, key, film.used_ms);
  return film;
}

FormMaker::Served FormMaker::serve(const FormWaiting& waiting) {
  FormFilm& film = films_[waiting.film];
  if (film.is_gone) return answer_why(waiting, FormAnswer::Kind::not_found, "");
  if (waiting.file.kind == FormFile::Kind::beside) return serve_beside(waiting, film);
  if (const std::string* fault = film.fault()) {
    return answer_why(waiting, FormAnswer::Kind::unplayable, *fault);
  }
  if (film.facts()) return serve_part(waiting, film);
  if (waiting.is_look) return answer_unmade(waiting);
  const FormJob job{.kind = FormJob::Kind::describe, .film = waiting.film};
  return served_by(want(job, Claim::waits), waiting, film);
}

FormMaker::Served FormMaker::served_by(Start start, const FormWaiting& waiting,
                                       const FormFilm& film) {
  if (start != Start::failed) return Served::not_yet;
  return answer_why(waiting, FormAnswer::Kind::failing, trouble_of(film));
}

FormMaker::Served FormMaker::serve_part(const FormWaiting& waiting, FormFilm& film) {
  using Kind = FormFile::Kind;
  const FormFile& file = waiting.file;
  const FilmFacts& facts = *film.facts();
  if (file.kind == Kind::facts) {
    std::string json = "{";
    append_film(json, facts, waiting.place);
    if (const auto& duration_ms = facts.duration_ms) {
      json += fmt::format(",\"duration\":{}", static_cast<double>(*duration_ms) / 1'000);
    }
    return answer_text(waiting, json + "}", json_type);
  }
  // What is wrong with one rendition is none of the others' business.
  const std::string* fault = nullptr;
  if (file.kind != Kind::transcode) fault = film.fault_of(file.rendition.folder());
  if (fault != nullptr) return answer_why(waiting, FormAnswer::Kind::unplayable, *fault);
  if (file.kind == Kind::captions) return serve_captions(waiting, film);
  const bool is_copy = file.kind == Kind::copy || (file.kind != Kind::transcode &&
                                                   file.rendition.kind == Rendition::Kind::copy);
  if (!facts.picture || (is_copy && !facts.picture->is_copyable)) {
    return answer_why(waiting, FormAnswer::Kind::not_found, "");
  }
  if ((is_copy && film.plan() == nullptr) || !film.knows_end()) {
    if (waiting.is_look) return answer_unmade(waiting);
    const FormJob job{.kind = FormJob::Kind::plan, .film = waiting.film};
    return served_by(want(job, Claim::waits), waiting, film);
  }
  if (file.kind == Kind::copy) return answer_text(waiting, copy_master(facts), playlist_type);
  if (file.kind == Kind::transcode) {
    return answer_text(waiting, transcode_master(facts, options_.cores), playlist_type);
  }
  const std::size_t count = segments_of(facts, film.plan(), file.rendition);
  if (count == 0 || file.segment >= count) {
    return answer_why(waiting, FormAnswer::Kind::not_found, "");
  }
  if (file.kind != Kind::playlist) return serve_segment(waiting, film);
  return answer_text(waiting, media_playlist(facts, film.plan(), file.rendition), playlist_type);
}

FormMaker::Served FormMaker::serve_beside(const FormWaiting& waiting, const FormFilm& film) {
  const Rendition& rendition = waiting.file.rendition;
  if (const std::string* fault = film.fault_of(rendition.folder())) {
    return answer_why(waiting, FormAnswer::Kind::unplayable, *fault);
  }
  if (answer_file(waiting)) return Served::answered;
  if (waiting.is_look) return answer_unmade(waiting);
  const FormJob job{.kind = FormJob::Kind::convert,
                    .film = waiting.film,
                    .rendition = rendition,
                    .lang = waiting.file.lang};
  return served_by(want(job, Claim::waits), waiting, film);
}

FormMaker::Served FormMaker::serve_captions(const FormWaiting& waiting, FormFilm& film) {
  if (answer_file(waiting)) return Served::answered;
  const SubtitleTrack* track = film.facts()->find_subtitles(waiting.file.track);
  if (track == nullptr || !track->is_text) {
    return answer_why(waiting, FormAnswer::Kind::not_found, "");
  }
  if (waiting.is_look) return answer_unmade(waiting);
  const FormJob job{
      .kind = FormJob::Kind::subtitles, .film = waiting.film, .rendition = waiting.file.rendition};
  return served_by(want(job, Claim::waits), waiting, film);
}

FormMaker::Served FormMaker::serve_segment(const FormWaiting& waiting, FormFilm& film) {
  const bool is_segment = waiting.file.kind == FormFile::Kind::segment;
  if (answer_file(waiting)) {
    if (is_segment && !waiting.is_look) ahead_.push_back(waiting);
    return Served::answered;
  }
  if (waiting.is_look) return answer_unmade(waiting);
  const Start started = want_segment(waiting, film, Claim::waits);
  const bool is_picture = is_segment && waiting.file.rendition.kind == Rendition::Kind::picture;
  if (started == Start::full && is_picture) return wait_for_room(waiting);
  return served_by(started, waiting, film);
}

// There are as many turns to come as there is room.
FormMaker::Served FormMaker::wait_for_room(const FormWaiting& waiting) {
  const auto found = std::ranges::find(refused_room_, waiting.path);
  const auto before = static_cast<std::size_t>(found - refused_room_.begin());
  if (found == refused_room_.end()) refused_room_.push_back(waiting.path);
  const bool is_next = before < options_.pictures_max;
  if (is_next || now_ms() - waiting.asked_ms < room_within_ms) return Served::not_yet;
  return answer(waiting, {.kind = FormAnswer::Kind::busy});
}

}  // namespace videosync
