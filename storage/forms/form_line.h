// FormLine: who waits for files of forms, in the order in which they are served: the longest first.
//
// It counts since when a file is wanted, by whomever: who is told to ask again does so seconds
// later, on another connection perhaps, and keeps the place that was theirs. One thread's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "storage/forms/form_desk.h"
#include "storage/forms/form_names.h"
#include "storage/forms/form_playlists.h"

namespace videosync {

struct FormWaiting {
  FormDesk* desk = nullptr;
  std::uint64_t number = 0;  // the desk's
  std::string film{};        // its key
  FilmPlace place{};
  FormFile file{};
  bool is_look = false;        // only what is there: nothing is made for it
  std::int64_t asked_ms = 0;   // from when on an answer is due,
  std::int64_t wanted_ms = 0;  // and since when its file is wanted; the line's
  std::string path{};          // of what is wanted, in the cache; the line's
  bool has_answer = false;     // the line's
  bool has_waited = false;     // it was looked at before; the line's
};

// Where a film's file lies in the cache.
std::string form_path(const std::string& film, const FormFile& file);

class FormLine {
 public:
  // Who does not come back for so long has no place any more.
  static constexpr std::int64_t kept_place_ms = 15'000;

  enum class Served : std::uint8_t { not_yet, answered, told_to_ask_again };

  void add(FormWaiting waiting);
  // Nullopt: there is none such.
  std::optional<FormWaiting> remove(const FormDesk* desk, std::uint64_t number);

  // serve(const FormWaiting&) -> Served, for each in turn; it may look with any_of().
  template <class Serve>
  void serve(std::int64_t now_ms, Serve&& serve) {
    for (FormWaiting& one : waiting_) {
      const Served served = serve(static_cast<const FormWaiting&>(one));
      one.has_answer = served != Served::not_yet;
      one.has_waited = true;
      if (served == Served::answered) wanted_.erase(one.path);
    }
    std::erase_if(waiting_, [](const FormWaiting& one) { return one.has_answer; });
    forget(now_ms);
  }

  template <class Predicate>
  bool any_of(Predicate&& predicate) const {
    for (const FormWaiting& one : waiting_)
      if (!one.has_answer && predicate(one)) return true;
    return false;
  }
  std::size_t size() const noexcept { return waiting_.size(); }
  bool is_empty() const noexcept { return waiting_.empty(); }

 private:
  struct Wanted {
    std::int64_t since_ms;
    std::int64_t last_ms;
  };
  void forget(std::int64_t now_ms);

  std::vector<FormWaiting> waiting_;      // by wanted_ms
  std::map<std::string, Wanted> wanted_;  // by path
};

}  // namespace videosync
