// FormMaker: answers asks for the files of films' forms, and has videosync-media make what is not
// there yet: once, however many ask, and some way ahead of who watches.
//
// On a thread of its own, which starts the processes and ends with them. Any thread may ask; the
// answer comes to its FormDesk, after 10 s at the latest. A film that makes the program crash or
// hang twice is marked, with the reason, and not tried again until it changes. Captions beside a
// film are to it a film of their own.
#pragma once

#include <array>
#include <cstdint>
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
#include "storage/forms/form_counts.h"
#include "storage/forms/form_desk.h"
#include "storage/forms/form_film.h"
#include "storage/forms/form_line.h"
#include "storage/forms/form_names.h"
#include "storage/forms/form_playlists.h"
#include "storage/forms/form_runs.h"
#include "storage/library/media_library.h"

namespace videosync {

struct FormAsk {
  std::uint64_t number = 0;    // comes back with the answer
  MediaLibrary::Place source;  // the film's file, where a scan saw it,
  FileFacts seen;              // as what,
  std::string library;         // and in which folder
  FilmPlace place;
  FormFile file;
  bool is_look = false;  // what has to be made first is not made for it
};

class FormMaker {
 public:
  struct Options {
    std::string cache_directory;
    std::uint64_t cache_bytes_max;
    std::uint32_t pictures_max;  // that are made at once
    std::uint32_t cores;
    std::string program;
    bool is_cache_shared = false;  // with a server that this one takes over from
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

  const FormCounts& counts() const noexcept { return counts_; }

 private:
  using Served = FormLine::Served;
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
  void take_ask(Order order);
  void take_given_up(const Order& order);
  void take_opened();
  void take_made();
  void serve_all();
  void release_files();
  void count();

  Served serve(const FormWaiting& waiting);
  Served serve_part(const FormWaiting& waiting, FormFilm& film);
  Served serve_captions(const FormWaiting& waiting, FormFilm& film);
  Served serve_beside(const FormWaiting& waiting, const FormFilm& film);
  Served serve_segment(const FormWaiting& waiting, FormFilm& film);
  Served answer(const FormWaiting& waiting, FormAnswer answer);
  Served answer_text(const FormWaiting& waiting, std::string text, std::string_view type);
  Served answer_why(const FormWaiting& waiting, FormAnswer::Kind kind, std::string why);
  Served answer_unmade(const FormWaiting& waiting);
  bool answer_file(const FormWaiting& waiting);

  FormFilm& film_of(const FormAsk& ask, const std::string& key);
  // What comes of wanting a run: under way, no room for it now, or not to be had: see trouble_of().
  enum class Start : std::uint8_t { running, full, failed };
  // What an ask is told that wanted it so.
  Served served_by(Start start, const FormWaiting& waiting, const FormFilm& film);
  Served wait_for_room(const FormWaiting& waiting);
  // Who wants a run: it may have to be another's room, or what is free.
  enum class Claim : std::uint8_t { waits, ahead };
  bool is_awaited(const ActiveRun& active) const;
  Start want(const FormJob& job, Claim claim);
  Start begin(const FormJob& job, FormFilm& film, Claim claim);
  bool make_room(const FormJob& job, std::int64_t now);
  Start open(FormFilm& film);
  Start want_segment(const FormWaiting& waiting, FormFilm& film, Claim claim);
  void read_ahead(const FormWaiting& waiting, FormFilm& film);
  std::size_t end_of_stretch(const FormFilm& film, const std::string& key,
                             const Rendition& rendition, std::size_t from) const;
  FormRun::Order order_for(const FormJob& job, const FormFilm& film) const;
  const std::string& trouble_of(const FormFilm& film) const;

  void on_ended(const EndedRun& ended);
  void on_no_room(const EndedRun& ended);
  void cannot_write(const std::string& why);
  void on_failed(const EndedRun& ended, FormFilm& film);
  void set_trouble(FormFilm& film, std::string why, const EndedRun& ended);
  void mark(FormFilm& film, const std::string& part, std::string why);
  bool has_changed(FormFilm& film, const std::string& key);

  const Options options_;
  FileHelpers& helpers_;
  const UniqueFd wake_;
  std::mutex mutex_;
  std::vector<Order> orders_;  // under mutex_
  FormCounts counts_;
  // The thread's:
  const std::unique_ptr<FileDesk> desk_;
  FormCache cache_;
  FormRuns runs_;
  std::unordered_map<std::string, FormFilm> films_;  // by key
  FormLine line_;
  std::vector<FormWaiting> ahead_;  // was answered in this turn: what comes next is made, too
  std::vector<std::string> refused_room_;  // in this turn: paths of pictures, the next first
  std::array<bool, FormJob::lanes> full_lanes_{};  // in this turn: where nobody gives way
  std::string trouble_;                      // of the program, as it was told last; of the cache,
  std::int64_t cache_trouble_until_ms_ = 0;  // while nothing can be written
  std::jthread thread_;                      // last: ends before the rest goes
};

}  // namespace videosync
