// What the notes beside a film (.nfo, as Kodi, Jellyfin and others write them: XML) say of it,
// where its names say less or something else.
//
// Pure functions on bytes; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/names/film_name.h"

namespace videosync {

struct FilmNotes {
  enum class Kind : std::uint8_t { none, film, episode, show };

  Kind kind = Kind::none;     // none: nothing else says anything
  std::string title{};        // "": not said; UTF-8 in one line, like `show`
  std::string show{};         // of an episode
  std::optional<int> year{};  // of a film or a show
  std::optional<int> season{};
  std::optional<int> number{};

  friend bool operator==(const FilmNotes&, const FilmNotes&) = default;
};

// <movie>, <episodedetails> or <tvshow>; of bytes that are cut off, and of what is no XML, as far
// as it makes sense: titles and years come early, before plots and actors. Entities that a document
// defines are not expanded.
FilmNotes parse_film_notes(std::string_view bytes);

// `name` with what these say: notes of a film or an episode beside its file, notes of its show. The
// same again changes nothing more. An extra keeps its name.
FilmName named_by(const FilmNotes& own, const FilmNotes& of_show, FilmName name);

}  // namespace videosync
