#include "storage/library/film_order.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "core/base/text.h"
#include "storage/names/text_fold.h"
#include "storage/names/video_name.h"

namespace videosync {

namespace {

constexpr int best_lines = 1080;

// What a video is sorted by.
struct Rank {
  std::size_t place = 0;  // among the videos
  std::string title;      // folded, of a film or a show
  int season = 0;
  int number = 0;
  int quality = 0;
};

// The plain version first, then what most screens show whole, then less, then more.
int quality_rank(const std::string& quality) {
  if (quality.empty()) return 0;
  const auto digits = std::string_view(quality).substr(0, quality.size() - 1);
  const int lines = parse_decimal<int>(digits).value_or(0);
  return lines <= best_lines ? 1 + best_lines - lines : lines;
}

Rank rank_of(const VideoEntry& video, std::size_t place) {
  const FilmName& film = video.film;
  const auto& episode = film.episode;
  return {place, fold_title(episode ? episode->show : film.title), episode ? episode->season : 0,
          episode ? episode->number : 0, quality_rank(film.quality)};
}

// Whether both are of one film, if not the same version of it.
bool is_of_one_film(const VideoEntry& a, const VideoEntry& b) {
  return a.folder() == b.folder() && a.film.year == b.film.year && a.film.extra.empty() &&
         b.film.extra.empty() && a.film.episode == b.film.episode &&
         fold_text(a.film.title) == fold_text(b.film.title);
}

bool is_before(const Rank& a, const VideoEntry& x, const Rank& b, const VideoEntry& y) {
  const bool is_extra = !x.film.extra.empty();
  if (is_extra != !y.film.extra.empty()) return !is_extra;
  if (a.title != b.title) return natural_less(a.title, b.title);
  const auto rest = [](const Rank& rank, const VideoEntry& video) {
    return std::tuple(rank.season, rank.number, video.film.year, video.folder(), rank.quality,
                      std::string_view(video.film.edition), std::string_view(video.place));
  };
  return rest(a, x) < rest(b, y);
}

void join_versions(std::vector<VideoEntry>& videos) {
  for (std::size_t first = 0; first < videos.size();) {
    std::size_t end = first + 1;
    const auto is_another_version = [&](const VideoEntry& video) {
      if (!is_of_one_film(videos[first], video)) return false;
      const auto others = std::span(videos).subspan(first, end - first);
      return std::ranges::none_of(others, [&](const VideoEntry& other) {
        return other.film.quality == video.film.quality && other.film.edition == video.film.edition;
      });
    };
    while (end < videos.size() && is_another_version(videos[end]))
      videos[end++].versions = 0;
    videos[first].versions = end - first;
    first = end;
  }
}

}  // namespace

void put_in_order(std::vector<VideoEntry>& videos) {
  std::vector<Rank> ranks;
  ranks.reserve(videos.size());
  for (std::size_t i = 0; i < videos.size(); ++i)
    ranks.push_back(rank_of(videos[i], i));
  std::ranges::sort(ranks, [&](const Rank& a, const Rank& b) {
    return is_before(a, videos[a.place], b, videos[b.place]);
  });
  std::vector<VideoEntry> sorted;
  sorted.reserve(videos.size());
  for (const Rank& rank : ranks)
    sorted.push_back(std::move(videos[rank.place]));
  videos = std::move(sorted);
  join_versions(videos);
}

}  // namespace videosync
