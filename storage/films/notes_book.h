// NotesBook: what the notes beside films (film_notes.h) say, read one by one by the file helpers.
// For a background thread, which owns it.
//
// What was read is kept by (place, size, modification time), so a rescan reads new files only, and
// is given to the next process by its owner.
//
// Usage: publish the scanned library with what recall() adds at once; then read_next() and recall()
// by turns until read_next() finds nothing to do.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <utility>

#include "storage/files/break_off.h"
#include "storage/films/film_notes.h"
#include "storage/library/media_library.h"

namespace videosync {

class FileDesk;

class NotesBook {
 public:
  using Known = std::map<FileVersion, FilmNotes>;  // Kind::none: it says nothing

  // `desk` outlives it.
  explicit NotesBook(FileDesk& desk) noexcept : desk_(desk) {}

  // The library with the names that its notes say, in their order; the given one where that changes
  // nothing.
  std::shared_ptr<const MediaLibrary> recall(
      const std::shared_ptr<const MediaLibrary>& library) const;

  // Reads one file that was not read yet. False: there is none, or `stop` was requested, or the
  // storage gave no answer in the desk's patience. What cannot be read says nothing, until the next
  // library.
  bool read_next(const std::shared_ptr<const MediaLibrary>& library, const BreakOff& stop);

  const Known& known() const noexcept { return known_; }
  // Of an earlier process, before the first reading.
  void remember(Known known) { known_ = std::move(known); }

 private:
  FilmNotes notes_of(const LibraryFile& file) const;
  void forget_others(const MediaLibrary& library);

  FileDesk& desk_;
  Known known_;
  std::weak_ptr<const MediaLibrary> read_of_;  // the library of the last reading
  std::size_t next_ = 0;                       // the first file that may be unread: two a video
};

}  // namespace videosync
