#include "server/routes/film_route.h"

#include <optional>
#include <string_view>
#include <utility>

#include "core/base/assert.h"
#include "proto/http/http_query.h"
#include "server/films/form_route.h"
#include "server/films/video_catalog.h"
#include "server/http/faults.h"
#include "server/http/file_response.h"
#include "server/http/methods.h"
#include "server/routes/film_gate.h"
#include "server/routes/session_routes.h"
#include "server/worker.h"

namespace videosync {

namespace {

constexpr std::string_view video_path = "/api/video";

void ask_for_video(Worker& worker, Connection& connection, const Uuid& key) noexcept {
  const std::size_t owner = worker.service().worker_of(key);
  SessionDirectory* directory = &worker.service().workers[owner]->directory();
  const ConnectionRef from = worker.ref_of(connection);
  worker.run_on(owner, [directory, key, from]() noexcept { directory->on_video(key, from); });
}

// `key`: of the session that the request names, once that is known.
void serve_video(Worker& worker, Connection& connection, const std::optional<Uuid>& key) {
  const std::string_view query = connection.request().query;
  if (const auto id = query_value(query, "id")) {
    return answer_with_video(worker, connection, worker.library().find(*id));
  }
  if (key) return ask_for_video(worker, connection, *key);
  if (const auto session = query_value(query, "session")) {
    const auto named = Uuid::parse_v4(*session);
    return named ? ask_for_video(worker, connection, *named)
                 : ask_validity(worker, connection, *session);
  }
  answer_with_video(worker, connection, worker.library().default_video());
}

void serve_media(Worker& worker, Connection& connection) {
  auto place = worker.library().find_place(connection.request().path);
  if (!place) return connection.answer_error(nothing_there);
  answer_with_place(worker, connection, std::move(*place));
}

void serve_film(Worker& worker, Connection& connection, const std::optional<Uuid>& key) {
  const std::string_view path = connection.request().path;
  if (path == video_path) return serve_video(worker, connection, key);
  if (path.starts_with(MediaLibrary::url_prefix)) return serve_media(worker, connection);
  route_form(worker, connection, path.substr(forms_prefix.size()));
}

}  // namespace

void answer_with_video(Worker& worker, Connection& connection, const VideoEntry* video) {
  static constexpr HttpFault no_video{404, "video_not_found", "the library has no such video"};
  if (video == nullptr) {
    connection.answer_error(no_video);
  } else if (!video->file) {
    // A playlist's relative URLs hold only where it lies.
    const std::string location = video_url(*video);
    const HttpField extra[] = {{"Location", location}};
    connection.answer(307, "", "", extra);
  } else {
    answer_with_place(worker, connection, worker.library().place_of(video->file));
  }
}

bool is_film_request(const Connection& connection) noexcept {
  const std::string_view path = connection.request().path;
  return path == video_path || path.starts_with(MediaLibrary::url_prefix) ||
         path.starts_with(forms_prefix);
}

void route_film(Worker& worker, Connection& connection) {
  VS_ASSERT(is_film_request(connection));
  if (!is_read(connection.request())) return refuse_method(connection, "GET, HEAD");
  if (refuse_film(worker, connection)) return;
  serve_film(worker, connection, std::nullopt);
}

void go_on_with_film(Worker& worker, Connection& connection,
                     const SessionValidity& validity) noexcept {
  VS_ASSERT(is_film_request(connection));
  if (!validity.key) return connection.answer_error(no_such_session);
  serve_film(worker, connection, validity.key);
}

}  // namespace videosync
