#include "server/http/form_route.h"

#include <fmt/format.h>

#include <utility>

#include "server/http/video_catalog.h"
#include "server/worker.h"
#include "storage/forms/form_maker.h"
#include "storage/forms/form_names.h"

namespace videosync {

namespace {

constexpr HttpFault not_found{404, "not_found", "there is nothing at this address"};
constexpr HttpFault another{404, "film_replaced", "the film is another one now"};

std::string version_text(const FileFacts& facts) {
  return fmt::format("{:x}-{:x}", facts.size, static_cast<std::uint64_t>(mtime_ns_of(facts)));
}

}  // namespace

void route_form(Worker& worker, Connection& connection, std::string_view rest) {
  const std::size_t slash = rest.find('/');
  const VideoEntry* video = worker.library().find(rest.substr(0, slash));
  if (slash == rest.npos || video == nullptr || !video->file) {
    return connection.answer_error(not_found);
  }
  rest.remove_prefix(slash + 1);
  const std::string version = version_text(video->file.facts);
  if (const std::size_t next = rest.find('/'); next != rest.npos) {
    if (rest.substr(0, next) != version) return connection.answer_error(another);
    rest.remove_prefix(next + 1);
  } else if (rest != "film.json") {
    return connection.answer_error(not_found);
  }
  const auto file = parse_form_file(rest);
  if (!file) return connection.answer_error(not_found);
  FilmPlace place{video_url(*video), std::string(video->content_type()),
                  fmt::format("{}{}/{}/", forms_prefix, video->id, version)};
  const MediaLibrary& library = worker.library();
  worker.ask_form(connection,
                  {0, library.place_of(video->file), video->file.facts,
                   library.roots()[video->file.library].real_path, std::move(place), *file});
}

}  // namespace videosync
