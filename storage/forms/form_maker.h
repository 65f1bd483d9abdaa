// FormMaker: answers asks for the files of films' forms, and has videosync-media make what is not
// there yet: once, however many ask, and some way ahead of who watches.
//
// On a thread of its own, which starts the processes and ends with them. Any thread may ask; the
// answer comes to its FormDesk, after 10 s at the latest. A film that makes the program crash or
// hang twice is marked, with the reason, and not tried again until it changes. Captions beside a
// film are to it a film of their own.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "core/base/error.h"
#include "core/base/unique_fd.h"
#include "storage/files/file_desk.h"
#include "storage/files/file_helpers.h"
#include "storage/forms/form_cache.h"
#include "storage/forms/form_desk.h"
#include "storage/forms/form_names.h"
#include "storage/forms/form_playlists.h"
#include "storage/forms/form_runs.h"
#include "storage/library/film_facts.h"
#include "storage/library/media_library.h"

namespace videosync {

struct FormAsk {
  std::uint64_t number = 0;    // comes back with the answer
  MediaLibrary::Place source;  // the film's file, where a scan saw it,
  FileFacts seen;              // as what,
  std::string library;         // and in which folder
  FilmPlace place;
  FormFile file;
};

class FormMaker {
 public:
  struct Options {
    std::string cache_directory;
    std::uint64_t cache_bytes_max;
    std::uint32_t pictures_max;  // that are made at once
    std::uint32_t cores;
    std::string program;
  };

  // `helpers` outlive it. Errors: io, where no descriptors or no thread are to be had.
  static Result<std::unique_ptr<FormMaker>> create(Options options, FileHelpers& helpers);
  ~FormMaker();
  FormMaker(const FormMaker&) = delete;
  FormMaker& operator=(const FormMaker&) = delete;

  // `desk` lives as long as this.
  void ask(FormDesk& desk, FormAsk ask);
  // Nobody waits for this answer any more: what was made for it gives way to what is waited for.
  void give_up(FormDesk& desk, std::uint64_t number);

 private:
  struct Film {
    MediaLibrary::Place source;  // its file is null exactly while nothing is made of it
    FileFacts seen;
    std::optional<std::uint64_t> opening;  // as which its file is being opened
    std::int64_t used_ms = 0;              // when somebody last wanted something of it
    std::optional<FilmFacts> facts;
    std::optional<FilmPlan> plan;
    bool has_looked = false;                    // into the cache
    bool is_gone = false;                       // the file has become another
    std::map<std::string, std::string> faults;  // by rendition; of "film": of the whole film
    std::map<std::string, int> crashes;         // likewise
  };
  struct Waiting {
    FormDesk* desk;
    std::uint64_t number;
    std::string film;
    FilmPlace place;
    FormFile file;
    std::int64_t asked_ms;
  };
  struct Order {
    FormDesk* desk;
    std::optional<FormAsk> ask;  // nullopt: `given_up` is
    std::uint64_t given_up = 0;
  };

  FormMaker(Options options, FileHelpers& helpers, UniqueFd wake, std::unique_ptr<FileDesk> desk);
  static std::int64_t now_ms() noexcept;
  void run(const std::stop_token& stop);
  void order(Order order);
  void wait();
  void take_orders();
  void take_opened();
  void serve_all();
  void release_files();
  // False: it has to wait.
  bool serve(const Waiting& waiting);
  bool serve_part(const Waiting& waiting, Film& film);
  bool serve_beside(const Waiting& waiting, const Film& film);
  void answer(const Waiting& waiting, FormAnswer answer);
  bool answer_text(const Waiting& waiting, std::string text, std::string_view type);
  bool answer_file(const Waiting& waiting, const std::string& path);
  bool answer_why(const Waiting& waiting, FormAnswer::Kind kind, std::string why);

  Film& film_of(const FormAsk& ask, const std::string& key);
  void look_into_cache(Film& film, const std::string& key);
  bool knows_end(const Film& film) const noexcept { return film.facts->end_ticks() > 0; }
  const FilmPlan* plan_of(const Film& film) const noexcept {
    return film.plan ? &*film.plan : nullptr;
  }
  std::string path_of(const std::string& film, const FormFile& file) const;

  bool is_awaited(const ActiveRun& active) const;
  // What comes of wanting a run: under way, or why not.
  enum class Start : std::uint8_t { running, full, failed };
  Start want(const FormJob& job, bool may_displace);
  Start open(Film& film);
  Start want_segment(const Waiting& waiting, Film& film, bool may_displace);
  void read_ahead(const Waiting& waiting, Film& film);
  std::size_t end_of_stretch(const Film& film, const std::string& key, const Rendition& rendition,
                             std::size_t from) const;
  FormRun::Order order_for(const FormJob& job, const Film& film) const;

  void on_ended(const EndedRun& ended);
  void on_done(const EndedRun& ended, Film& film);
  void on_failed(const EndedRun& ended, Film& film);
  void mark(const std::string& key, Film& film, const std::string& what, std::string why);
  bool has_changed(Film& film, const std::string& key);

  const Options options_;
  FileHelpers& helpers_;
  const UniqueFd wake_;
  std::mutex mutex_;
  std::vector<Order> orders_;  // under mutex_
  // The thread's:
  const std::unique_ptr<FileDesk> desk_;
  FormCache cache_;
  FormRuns runs_;
  std::unordered_map<std::string, Film> films_;  // by key
  std::vector<Waiting> waiting_;
  std::string trouble_;  // of the program or the cache, as it was told last
  std::jthread thread_;  // last: ends before the rest goes
};

}  // namespace videosync
