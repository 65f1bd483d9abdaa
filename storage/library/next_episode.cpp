#include "storage/library/next_episode.h"

#include <span>

#include "core/base/assert.h"

namespace videosync {

// Episodes of a show lie one behind the other, in their order.
const VideoEntry* find_next_episode(const MediaLibrary& library, const VideoEntry& video) noexcept {
  const std::span<const VideoEntry> videos = library.videos();
  VS_ASSERT(&video >= videos.data() && &video < videos.data() + videos.size());
  const auto& here = video.film.episode;
  if (!here || !video.film.extra.empty()) return nullptr;
  for (const VideoEntry* next = &video + 1; next != videos.data() + videos.size(); ++next) {
    if (library.is_private(*next) && next->folder() != video.folder()) continue;
    const auto& there = next->film.episode;
    if (!there || there->show != here->show) return nullptr;
    const bool is_same = there->season == here->season && there->number == here->number;
    if (!is_same && next->film.extra.empty()) return next;
  }
  return nullptr;
}

}  // namespace videosync
