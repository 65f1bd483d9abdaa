// The playlists of a film's forms (HLS, RFC 8216), whole at once, and its forms as JSON.
//
// Pure; any thread. URIs are relative to the playlist's place (form_names.h).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "storage/forms/form_names.h"
#include "storage/library/film_facts.h"

namespace videosync {

inline constexpr std::string_view playlist_type = "application/vnd.apple.mpegurl";

// How often a rendition is cut. 0: the film has no such rendition, or its end is not known.
std::size_t segments_of(const FilmFacts& facts, const FilmPlan* plan, const Rendition& rendition);

// Where a segment begins, in film time; that behind the last one: where they end, about.
// REQUIRES segments_of() > 0.
double start_s(const FilmFacts& facts, const FilmPlan* plan, const Rendition& rendition,
               std::size_t segment);

// Heights that a film's picture is made in on this machine, the one to begin with first.
std::vector<int> ladder_of(const PictureTrack& picture, unsigned cores);

std::string copy_master(const FilmFacts& facts);
std::string transcode_master(const FilmFacts& facts, unsigned cores);
// REQUIRES segments_of() > 0.
std::string media_playlist(const FilmFacts& facts, const FilmPlan* plan,
                           const Rendition& rendition);

// Captions that lie beside a film.
struct PlacedCaptions {
  std::string codec;  // as of those inside: "subrip", "ass", "webvtt"
  std::string lang;
  std::string label;
  std::string kind;  // "": plain ones
  std::string url;
};

// A film as its URLs begin: of its file, and of its forms ("/forms/cat/1a-2b/").
struct FilmPlace {
  std::string file_url;
  std::string file_type;
  std::string forms_url;  // "": it has its file alone
  std::vector<PlacedCaptions> captions{};
};
// "tracks":{...},"startMs":...,"endsEarly":...,"forms":[...], cheapest first: to stand in an object
// with others.
void append_film(std::string& json, const FilmFacts& facts, const FilmPlace& place);

}  // namespace videosync
