#include "storage/library/film_ids.h"

#include <fmt/core.h>

#include <algorithm>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "core/base/assert.h"
#include "storage/names/video_name.h"

namespace videosync {

std::string plain_id_of(std::string_view name, std::string_view stem) {
  std::string slug = slug_of(stem);
  return slug.empty() ? "video-" + name_hash(name) : slug;
}

std::string full_id_of(std::string_view plain, std::string_view path) {
  return fmt::format("{}--{}", plain, path_hash(path));
}

void FilmIds::settle_holder(Holder& holder, const Group& group, std::span<const Film> films,
                            std::int64_t now_s) {
  const auto find = [&](std::string Film::* path) {
    return std::ranges::find_if(
        group, [&](std::size_t place) { return films[place].*path == holder.path; });
  };
  VS_ASSERT(group.empty() || !films[group.front()].path.empty());
  if (!holder.path.empty()) {
    auto found = find(&Film::path);
    if (found == group.end()) found = find(&Film::also);
    if (found != group.end()) {
      holder.path = films[*found].path;
      holder.absent_since_s = 0;
      return;
    }
    if (holder.absent_since_s == 0) holder.absent_since_s = now_s;
  }
  const bool is_kept = !holder.path.empty() && now_s - holder.absent_since_s < absent_s_max;
  if (!is_kept && !group.empty()) holder = {films[group.front()].path, group.size() == 1, 0};
}

std::vector<FilmIds::Ids> FilmIds::assign(std::span<const Film> films, std::int64_t now_s) {
  std::map<std::string_view, Group> sharers;
  for (std::size_t i = 0; i < films.size(); ++i)
    if (!films[i].is_hidden) sharers[films[i].plain].push_back(i);
  for (auto& [plain, group] : sharers) {
    std::ranges::sort(group, {}, [&](std::size_t place) {
      return std::tie(films[place].ctime_ns, films[place].path);
    });
    settle_holder(holders_[std::string(plain)], group, films, now_s);
  }
  for (auto& [plain, holder] : holders_) {
    if (!sharers.contains(plain)) settle_holder(holder, {}, films, now_s);
  }
  std::erase_if(holders_, [&](const auto& item) {
    const Holder& holder = item.second;
    return holder.absent_since_s != 0 && now_s - holder.absent_since_s >= absent_s_max;
  });

  std::vector<Ids> assigned(films.size());
  std::unordered_set<std::string> taken;
  const auto take_full = [&](const Film& film, std::string path) {
    std::string id = full_id_of(film.plain, path);
    for (; !taken.insert(id).second; id = full_id_of(film.plain, path))
      path += '+';
    return id;
  };
  for (std::size_t i = 0; i < films.size(); ++i) {
    if (!films[i].is_hidden) continue;
    assigned[i].full = take_full(films[i], films[i].path);
    assigned[i].listed = assigned[i].full;
  }
  for (const auto& [plain, group] : sharers) {
    const Holder& holder = holders_.at(std::string(plain));
    for (const std::size_t place : group) {
      const Film& film = films[place];
      Ids& ids = assigned[place];
      ids.full = take_full(film, film.path);
      if (!film.also.empty()) ids.also = take_full(film, film.also);
      ids.has_plain = film.path == holder.path;
      ids.listed = ids.has_plain && holder.is_listed ? film.plain : ids.full;
    }
  }
  return assigned;
}

}  // namespace videosync
