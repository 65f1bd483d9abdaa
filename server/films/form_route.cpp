#include "server/films/form_route.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "server/films/video_catalog.h"
#include "server/http/faults.h"
#include "server/worker.h"
#include "storage/forms/form_maker.h"
#include "storage/forms/form_names.h"

namespace videosync {

namespace {

constexpr HttpFault no_forms{404, "not_found", "this server makes no forms of films (--cache)"};
constexpr HttpFault another{404, "film_replaced", "the film is another one now"};

}  // namespace

namespace {

void route_captions(Worker& worker, Connection& connection, const VideoEntry& video,
                    std::string_view name) {
  const MediaLibrary& library = worker.library();
  const auto found = std::ranges::find_if(
      video.captions, [&](const Caption& one) { return captions_file_name(one) == name; });
  if (found == video.captions.end()) return connection.answer_error(another);
  worker.ask_form(connection, {0,
                               library.place_of(found->file),
                               found->file.facts,
                               library.roots()[found->file.library].real_path,
                               {},
                               captions_beside(found->lang)});
}

}  // namespace

void route_form(Worker& worker, Connection& connection, std::string_view rest) {
  const std::size_t slash = rest.find('/');
  const MediaLibrary& library = worker.library();
  if (!library.has_forms()) return connection.answer_error(no_forms);
  const VideoEntry* video = library.find(rest.substr(0, slash));
  if (slash == rest.npos || video == nullptr) return connection.answer_error(nothing_there);
  rest.remove_prefix(slash + 1);
  if (rest.starts_with(captions_prefix)) {
    return route_captions(worker, connection, *video, rest.substr(captions_prefix.size()));
  }
  if (!video->file) return connection.answer_error(nothing_there);
  FilmPlace place = form_place(library, *video);
  if (const std::size_t next = rest.find('/'); next != rest.npos) {
    const std::string version_end = fmt::format("/{}/", rest.substr(0, next));
    if (!place.forms_url.ends_with(version_end)) return connection.answer_error(another);
    rest.remove_prefix(next + 1);
  } else if (rest != "film.json") {
    return connection.answer_error(nothing_there);
  }
  const auto file = parse_form_file(rest);
  if (!file) return connection.answer_error(nothing_there);
  const bool is_look = connection.request().method == HttpMethod::head;
  worker.ask_form(connection, {0, library.place_of(video->file), video->file.facts,
                               library.roots()[video->file.library].real_path, std::move(place),
                               *file, is_look});
}

}  // namespace videosync
