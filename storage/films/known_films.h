// KnownFilms: what one process leaves to the next about the films of its libraries: what was
// learned of each file, and which film each id means. A text file in the cache folder.
//
// Reading and writing wait for that folder, which is local: for a background thread. A file that is
// damaged, cut short or of another version of the program is read as far as it makes sense; it may
// be deleted at any time.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "core/base/error.h"
#include "storage/films/media_probe.h"
#include "storage/films/notes_book.h"
#include "storage/library/film_ids.h"

namespace videosync {

struct KnownFilms {
  MediaProbe::Known films;
  std::map<std::string, FilmIds::Holder> holders;
  NotesBook::Known notes;

  static KnownFilms read(const std::string& path);
  // In one step: a reader sees the old or the new. Errors: io.
  static Result<> write(const std::string& path, const MediaProbe::Known& films,
                        const std::map<std::string, FilmIds::Holder>& holders,
                        const NotesBook::Known& notes);
};

}  // namespace videosync
