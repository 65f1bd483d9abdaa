// What the name of a film's file, and those of the folders that it lies in, say of the film: title,
// year, episode, quality, edition, or that it is an extra.
//
// As people and programs name them: "The.Matrix.1999.1080p.BluRay.x264-GROUP", "Film (2001)/Film
// (2001) - Director's Cut.mkv", "Show/Season 01/Show S01E02 - Title". Pure functions on bytes,
// which need not be UTF-8.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace videosync {

struct FilmName {
  struct Episode {
    std::string show;  // "" never
    int season = 0;    // 0: specials
    int number = 0;
    std::string title;  // "" where the name has none

    std::string shown_title() const;  // "Show S01E02 Title"
    friend bool operator==(const Episode&, const Episode&) = default;
  };

  std::string title;  // UTF-8, "" never; of an episode with its show: "Show S01E02 Title"
  std::optional<int> year;
  std::optional<Episode> episode;
  std::string quality;  // "2160p", "1080p", ...; "" where the name has none
  std::string edition;  // "Director's Cut"; likewise
  std::string extra;    // "trailer", "featurette", ...; "" where it is a film of its own

  friend bool operator==(const FilmName&, const FilmName&) = default;
};

// `folder`: path below the library, "" its top. `stem`: the file's name without its extension.
FilmName parse_film_name(std::string_view folder, std::string_view stem);

// "Season 01", "Staffel 1", "S02", "Specials" (0): the season's number.
std::optional<int> season_of_folder(std::string_view name);

}  // namespace videosync
