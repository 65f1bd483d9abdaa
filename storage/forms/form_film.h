// FormFilm: a film of which forms are made: its file, and what is known of it, which the cache
// keeps. The FormMaker's.
//
// A fault is of a part: of a rendition, by its folder, or of the whole film. It holds, so that
// nothing is tried for ever; a film that changes is another one. What a run said of the film, or
// fell over, holds over restarts; that one took too long may have been the machine's doing.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "storage/files/file_requests.h"
#include "storage/forms/form_cache.h"
#include "storage/forms/form_playlists.h"
#include "storage/forms/form_runs.h"
#include "storage/library/film_facts.h"
#include "storage/library/media_library.h"

namespace videosync {

class FormFilm {
 public:
  MediaLibrary::Place source{};            // its file is null exactly while nothing is made of it
  FileFacts seen{};                        // as what a scan saw it
  std::optional<std::uint64_t> opening{};  // as which its file is being opened
  std::int64_t used_ms = 0;                // when somebody last wanted something of it
  bool is_gone = false;                    // the file has become another
  // Of the machine or the storage, not the film's own: it passes. What they refused is not asked of
  // them again for trouble_ms.
  static constexpr std::int64_t trouble_ms = 2'000;
  std::string trouble{};
  std::int64_t trouble_until_ms = 0;

  // What an earlier process has learned; once.
  void look_into(FormCache& cache, const std::string& key, std::int64_t now_ms);

  const std::optional<FilmFacts>& facts() const noexcept { return facts_; }
  const FilmPlan* plan() const noexcept { return plan_ ? &*plan_ : nullptr; }
  bool knows_end() const noexcept { return facts_ && facts_->end_ticks() > 0; }
  // Why this part cannot be made. Null: it can, as far as is known.
  const std::string* fault_of(const std::string& part) const;
  const std::string* fault() const;  // of the whole film

  // What a run of this job has said at its end. Not nullptr: what is wrong with that, a literal.
  const char* learn(const FormJob& job, const std::string& json, FormCache& cache,
                    std::int64_t now_ms);
  void forget_plan() { plan_.reset(); }
  void mark(const std::string& part, std::string why);
  // As far as it is to be known after a restart.
  void keep_faults(const std::string& key, FormCache& cache, std::int64_t now_ms) const;
  // Of a part whose runs come to a bad end: how many times by now, one after the other.
  int count_crash(const std::string& part) { return ++crashes_[part]; }
  void forget_crashes(const std::string& part) { crashes_.erase(part); }

  static std::string part_of(const FormJob& job);

 private:
  std::optional<FilmFacts> facts_;
  std::optional<FilmPlan> plan_;
  bool has_looked_ = false;
  std::map<std::string, std::string> faults_;  // by part
  std::map<std::string, int> crashes_;         // likewise
};

}  // namespace videosync
