// FilmIds: which film an id means, so that an id never comes to mean another film.
//
// A film has two ids. The full one follows from its path alone, is the same on every node and
// always means it: "film--0a1b2c3d4e". The plain one is the slug of its name, "film": short, but
// others may come to have it. It belongs to the film that had it first: of those that are met
// together the one whose file came first (ctime). A film that is alone with its plain id is listed
// under that, and goes on to be when others come; those are listed under their full ids. A slug has
// no double dash, so no plain id is ever a full one.
//
// ctime was chosen of what a file tells: it is when the file came to be here, while mtime goes with
// it from place to place. What is remembered from scan to scan, and by recall() of an
// earlier process, goes before it. One thread owns it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace videosync {

class FilmIds {
 public:
  // So long the plain id of a film that has gone is nobody's: sessions live so long, and it may be
  // back.
  static constexpr std::int64_t absent_s_max = 86'400;

  struct Film {
    std::string path;  // of its file, below all libraries; no two have the same
    std::string also;  // another path of it, of no other film: where it was before; "" without
    std::string plain;
    std::int64_t ctime_ns = 0;
    bool is_hidden = false;  // its plain id, which could be guessed, never means it
  };
  struct Ids {
    std::string listed;  // one of the others
    std::string full;
    std::string also;        // the full id of Film::also; "" without
    bool has_plain = false;  // its plain id means this film
  };
  struct Holder {
    std::string path;
    bool is_listed = false;           // under the plain id, while the film is there
    std::int64_t absent_since_s = 0;  // 0: it is there
  };

  // One for each film, in their order. All ids are different, whatever the films.
  std::vector<Ids> assign(std::span<const Film> films, std::int64_t now_s);

  // By plain id; what one process leaves to the next.
  const std::map<std::string, Holder>& holders() const noexcept { return holders_; }
  void recall(std::map<std::string, Holder> holders) { holders_.merge(holders); }

 private:
  using Group = std::vector<std::size_t>;  // places of films with one plain id, the oldest first

  void settle_holder(Holder& holder, const Group& group, std::span<const Film> films,
                     std::int64_t now_s);

  std::map<std::string, Holder> holders_;
};

// The slug of the name without its extension; of a name without any ASCII letter or digit "video-"
// and a hash of all of it. At most 64 characters.
std::string plain_id_of(std::string_view name, std::string_view stem);
std::string full_id_of(std::string_view plain, std::string_view path);

}  // namespace videosync
