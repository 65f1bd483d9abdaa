#include "storage/forms/form_maker.h"

#include <fmt/format.h>
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

namespace videosync {

namespace {

constexpr std::int64_t answer_within_ms = 10'000;
// With as many pictures being made as may be: a player that seeks asks for the next one before the
// connection of its last is closed, and so may each of a session.
constexpr std::int64_t room_within_ms = 2'000;
constexpr int look_every_ms = 500;
constexpr std::int64_t open_for_ms = 30'000;
constexpr std::size_t waiting_max = 4'096;
constexpr std::size_t films_max = 4'096;
constexpr std::string_view playlist_type = "application/vnd.apple.mpegurl";
constexpr std::string_view json_type = "application/json";
constexpr std::string_view whole_film = "film";

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
      start_thread([self = maker.get()](const std::stop_token& stop) { self->run(stop); });
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
      runs_({.pictures = options_.pictures_max, .others = 2 * options_.cores + 2}) {}

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

void FormMaker::order(Order order) {
  {
    const std::lock_guard lock(mutex_);
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
  if (const auto opened = cache_.open(); !opened) {
    log_warn("forms", "films are served as they are alone", field("why", opened.error().message));
    trouble_ = opened.error().message;
  }
  while (!stop.stop_requested()) {
    wait();
    const std::int64_t now = now_ms();
    take_orders();
    take_opened();
    std::set<std::string> worked_on;
    const FormRuns::OnMade on_made = [&](const ActiveRun& active, const std::string& name,
                                         std::uint64_t bytes) {
      const bool is_plan =
          active.job.kind == FormJob::Kind::describe || active.job.kind == FormJob::Kind::plan;
      const std::string folder = is_plan ? "plan" : active.job.rendition.folder();
      worked_on.insert(active.job.film);
      cache_.add(fmt::format("{}/{}/{}", active.job.film, folder, name), bytes, now);
    };
    runs_.read_all(now, on_made);
    const auto ended = runs_.take_ended(
        now, [this](const ActiveRun& active) { return is_awaited(active); }, on_made);
    for (const std::string& key : worked_on) {
      Film& film = films_[key];
      if (film.source.file != nullptr) has_changed(film, key);
    }
    for (const EndedRun& one : ended)
      on_ended(one);
    serve_all();
    release_files();
  }
  runs_.clear();
}

void FormMaker::wait() {
  std::vector<pollfd> polled{{wake_.get(), POLLIN, 0}, {desk_->descriptor(), POLLIN, 0}};
  runs_.add_polled(polled);
  const bool is_idle = runs_.size() == 0 && waiting_.empty();
  ::poll(polled.data(), polled.size(), is_idle ? -1 : look_every_ms);
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
    if (!order.ask) {
      std::erase_if(waiting_, [&](const Waiting& one) {
        return one.desk == order.desk && one.number == order.given_up;
      });
      continue;
    }
    FormAsk& ask = *order.ask;
    const std::string key =
        film_key(ask.library, ask.source.path, ask.seen.size, mtime_ns_of(ask.seen));
    Waiting waiting{order.desk,           ask.number,          key,
                    std::move(ask.place), std::move(ask.file), now_ms()};
    if (waiting_.size() >= waiting_max) {
      answer(waiting, {.kind = FormAnswer::Kind::busy});
      continue;
    }
    film_of(ask, key);
    waiting_.push_back(std::move(waiting));
  }
}

// What was opened is the film that was asked for, or there is none any more.
void FormMaker::take_opened() {
  while (auto opened = desk_->take_opened()) {
    const auto found = std::ranges::find_if(
        films_, [&](const auto& one) { return one.second.opening == opened->number; });
    if (found == films_.end()) continue;
    Film& film = found->second;
    film.opening.reset();
    if (opened->file && is_version(**opened->file, film.seen)) {
      film.source.file = film.source.files->keep(*film.source.folder, std::move(*opened->file));
      film.used_ms = now_ms();
    } else if (opened->file || opened->file.error().code == ErrorCode::not_found) {
      film.is_gone = true;
    } else {
      trouble_ = opened->file.error().message;
      log_warn("forms", "a film cannot be opened", field("film", film.source.path),
               field("why", trouble_));
    }
  }
}

// An answer may be what another one waits for: there are few of them, so all are looked at.
void FormMaker::serve_all() {
  std::vector<Waiting> still;
  std::vector<Waiting> all = std::exchange(waiting_, {});
  waiting_ = all;  // what is_awaited() looks at
  for (Waiting& one : all) {
    if (serve(one)) {
      std::erase_if(waiting_, [&](const Waiting& other) {
        return other.desk == one.desk && other.number == one.number;
      });
      continue;
    }
    if (now_ms() - one.asked_ms >= answer_within_ms) {
      answer(one, {.kind = FormAnswer::Kind::busy});
    } else {
      still.push_back(std::move(one));
    }
  }
  waiting_ = std::move(still);
}

// A film that nobody has wanted anything of for a while is not kept open.
void FormMaker::release_files() {
  const std::int64_t now = now_ms();
  for (auto& [key, film] : films_) {
    if (film.source.file == nullptr || now - film.used_ms < open_for_ms) continue;
    if (!runs_.works_on(key)) film.source.file = nullptr;
  }
}

void FormMaker::answer(const Waiting& waiting, FormAnswer answer) {
  answer.number = waiting.number;
  waiting.desk->put(std::move(answer));
}

bool FormMaker::answer_text(const Waiting& waiting, std::string text, std::string_view type) {
  answer(waiting, {.kind = FormAnswer::Kind::text, .text = std::move(text), .type = type});
  return true;
}

bool FormMaker::answer_why(const Waiting& waiting, FormAnswer::Kind kind, std::string why) {
  answer(waiting, {.kind = kind, .text = std::move(why)});
  return true;
}

bool FormMaker::answer_file(const Waiting& waiting, const std::string& path) {
  UniqueFd descriptor = cache_.open_file(path, now_ms());
  if (!descriptor) return false;
  MediaFileRef file = file_of(helpers_, std::move(descriptor), path.substr(path.rfind('/') + 1));
  if (file == nullptr) return false;
  answer(waiting, {.kind = FormAnswer::Kind::file, .file = std::move(file)});
  return true;
}

// --- What is asked -------------------------------------------------------------------------------

FormMaker::Film& FormMaker::film_of(const FormAsk& ask, const std::string& key) {
  if (films_.size() >= films_max && !films_.contains(key)) {
    std::erase_if(films_, [this](const auto& one) {
      return std::ranges::none_of(waiting_, [&](const Waiting& w) { return w.film == one.first; });
    });
  }
  Film& film = films_[key];
  if (film.source.folder == nullptr) {
    film.source = ask.source;
    film.seen = ask.seen;
  }
  film.used_ms = now_ms();
  if (!film.has_looked) look_into_cache(film, key);
  return film;
}

void FormMaker::look_into_cache(Film& film, const std::string& key) {
  film.has_looked = true;
  const std::int64_t now = now_ms();
  std::string_view faults;
  const std::string kept = cache_.read(key + "/plan/faults", now);
  for (faults = kept; !faults.empty();) {
    const std::string_view line = faults.substr(0, faults.find('\n'));
    faults.remove_prefix(std::min(faults.size(), line.size() + 1));
    const std::size_t tab = line.find('\t');
    if (tab != line.npos) film.faults.emplace(line.substr(0, tab), line.substr(tab + 1));
  }
  film.facts = parse_film_facts(cache_.read(key + "/plan/facts.json", now));
  if (!film.facts) return;
  if (const std::string read = cache_.read(key + "/plan/read.json", now); !read.empty()) {
    add_read_facts(read, *film.facts);
  }
  film.plan = parse_film_plan(cache_.read(key + "/plan/plan", now));
}

bool FormMaker::serve(const Waiting& waiting) {
  Film& film = films_[waiting.film];
  if (film.is_gone) {
    return answer_why(waiting, FormAnswer::Kind::not_found, "");
  }
  if (waiting.file.kind == FormFile::Kind::beside) return serve_beside(waiting, film);
  if (const auto fault = film.faults.find(std::string(whole_film)); fault != film.faults.end()) {
    return answer_why(waiting, FormAnswer::Kind::unplayable, fault->second);
  }
  if (film.facts) return serve_part(waiting, film);
  const Start started = want({.kind = FormJob::Kind::describe, .film = waiting.film}, true);
  if (started != Start::failed) return false;
  return answer_why(waiting, FormAnswer::Kind::failing, trouble_);
}

bool FormMaker::serve_beside(const Waiting& waiting, const Film& film) {
  const Rendition& rendition = waiting.file.rendition;
  if (const auto fault = film.faults.find(rendition.folder()); fault != film.faults.end()) {
    return answer_why(waiting, FormAnswer::Kind::unplayable, fault->second);
  }
  if (answer_file(waiting, path_of(waiting.film, waiting.file))) return true;
  const FormJob job{.kind = FormJob::Kind::convert,
                    .film = waiting.film,
                    .rendition = rendition,
                    .lang = waiting.file.lang};
  if (want(job, true) != Start::failed) return false;
  return answer_why(waiting, FormAnswer::Kind::failing, trouble_);
}

bool FormMaker::serve_part(const Waiting& waiting, Film& film) {
  using Kind = FormFile::Kind;
  const FormFile& file = waiting.file;
  if (file.kind == Kind::facts) {
    std::string json = "{";
    append_film(json, *film.facts, waiting.place);
    if (const auto& duration_ms = film.facts->duration_ms) {
      json += fmt::format(",\"duration\":{}", static_cast<double>(*duration_ms) / 1'000);
    }
    return answer_text(waiting, json + "}", json_type);
  }
  const std::string folder = file.rendition.folder();
  if (const auto fault = film.faults.find(folder); fault != film.faults.end()) {
    return answer_why(waiting, FormAnswer::Kind::unplayable, fault->second);
  }
  if (file.kind == Kind::captions) {
    if (answer_file(waiting, path_of(waiting.film, file))) return true;
    const SubtitleTrack* track = film.facts->find_subtitles(file.track);
    if (track == nullptr || !track->is_text)
      return answer_why(waiting, FormAnswer::Kind::not_found, "");
    want({.kind = FormJob::Kind::subtitles, .film = waiting.film, .rendition = file.rendition},
         true);
    return false;
  }
  const bool is_copy = file.kind == Kind::copy || (file.kind != Kind::transcode &&
                                                   file.rendition.kind == Rendition::Kind::copy);
  if (!film.facts->picture || (is_copy && !film.facts->picture->is_copyable)) {
    return answer_why(waiting, FormAnswer::Kind::not_found, "");
  }
  if ((is_copy && !film.plan) || !knows_end(film)) {
    const Start started = want({.kind = FormJob::Kind::plan, .film = waiting.film}, true);
    if (started != Start::failed) return false;
    return answer_why(waiting, FormAnswer::Kind::failing, trouble_);
  }
  if (file.kind == Kind::copy) return answer_text(waiting, copy_master(*film.facts), playlist_type);
  if (file.kind == Kind::transcode) {
    return answer_text(waiting, transcode_master(*film.facts, options_.cores), playlist_type);
  }
  const std::size_t count = segments_of(*film.facts, plan_of(film), file.rendition);
  if (count == 0 || file.segment >= count) {
    return answer_why(waiting, FormAnswer::Kind::not_found, "");
  }
  if (file.kind == Kind::playlist) {
    return answer_text(waiting, media_playlist(*film.facts, plan_of(film), file.rendition),
                       playlist_type);
  }
  if (answer_file(waiting, path_of(waiting.film, file))) {
    if (file.kind == Kind::segment) read_ahead(waiting, film);
    return true;
  }
  switch (want_segment(waiting, film, true)) {
    case Start::running:
      return false;
    case Start::full:
      if (file.rendition.kind != Rendition::Kind::picture) return false;
      if (now_ms() - waiting.asked_ms < room_within_ms) return false;
      return answer_why(waiting, FormAnswer::Kind::busy, "");
    case Start::failed:
      return answer_why(waiting, FormAnswer::Kind::failing, trouble_);
  }
  return false;
}

std::string FormMaker::path_of(const std::string& film, const FormFile& file) const {
  return fmt::format("{}/{}/{}", film, file.rendition.folder(), file.name());
}

}  // namespace videosync
