// What names of files and folders a library has use for.
//
// Pure functions and tables, any thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/text.h"
#include "storage/names/content_type.h"

namespace videosync {

inline constexpr std::string_view master_playlist_name = "master.m3u8";
inline constexpr std::string_view captions_folder_name = "captions";

// Of the first five a browser may play files as they are; the others are made into another form.
inline constexpr std::array<std::string_view, 19> video_kinds{
    "mp4",  "m4v", "webm", "mkv", "mov", "avi", "ts",  "m2ts", "mts", "mpg",
    "mpeg", "vob", "wmv",  "asf", "flv", "3gp", "ogv", "ogm",  "divx"};
// The first one browsers know; of a text in several kinds the first is taken.
inline constexpr std::array<std::string_view, 4> caption_kinds{"vtt", "ass", "ssa", "srt"};
inline constexpr std::array<std::string_view, 1> notes_kinds{"nfo"};
inline constexpr std::array<std::string_view, 4> poster_kinds{"jpg", "jpeg", "png",
                                                              "webp"};  // best first

// The place of a name's extension among `kinds`; their number where it is none of them.
template <std::size_t size>
constexpr std::size_t kind_of(std::string_view name,
                              const std::array<std::string_view, size>& kinds) noexcept {
  const std::string_view extension = extension_of(name);
  std::size_t i = 0;
  while (i < size && !equals_ignoring_case(extension, kinds[i]))
    ++i;
  return i;
}

template <std::size_t size>
constexpr bool is_kind(std::string_view name,
                       const std::array<std::string_view, size>& kinds) noexcept {
  return kind_of(name, kinds) < size;
}

constexpr std::string_view stem_of(std::string_view name) noexcept {
  return name.substr(0, name.rfind('.'));
}

constexpr bool is_library_name(std::string_view name) noexcept {
  return is_kind(name, video_kinds) || is_kind(name, caption_kinds) ||
         is_kind(name, poster_kinds) || is_kind(name, notes_kinds);
}

// In a folder with a master playlist.
constexpr bool is_of_hls_folder(std::string_view name) noexcept {
  return name == master_playlist_name || name == "poster.jpg" || name == "thumbnails.vtt";
}

constexpr bool is_disc_folder(std::string_view name) noexcept {
  return equals_ignoring_case(name, "VIDEO_TS") || equals_ignoring_case(name, "BDMV");
}

}  // namespace videosync
