// What comes after an episode: the next one of its show. Pure.
#pragma once

#include "storage/library/media_library.h"

namespace videosync {

// REQUIRES one of the library's videos. Null: it is no episode, or the last one. Of an episode in
// several versions the first of the list.
const VideoEntry* find_next_episode(const MediaLibrary& library, const VideoEntry& video) noexcept;

}  // namespace videosync
