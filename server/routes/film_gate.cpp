#include "server/routes/film_gate.h"

#include "proto/http/http_query.h"
#include "server/access/dated_cookie.h"
#include "server/http/faults.h"
#include "server/routes/code_route.h"
#include "server/routes/password_route.h"
#include "server/routes/session_routes.h"
#include "server/worker.h"

namespace videosync {

namespace {

constexpr DatedCookie viewer_cookie{"videosync_viewer", "viewer", 7 * 24 * 3'600};
constexpr HttpFault session_required{
    403, "session_required",
    "films are for who watches: add ?session= with a session's key or code"};
constexpr HttpFault secret_unknown{503, "unavailable", "the session store is away"};

bool has_named_a_session(Worker& worker, Connection& connection) {
  const auto secret = worker.service().secret.get();
  const std::int64_t now_s = worker.wall_us() / 1'000'000;
  return secret && is_shown(viewer_cookie, connection.request(), *secret, now_s);
}

}  // namespace

bool refuse_film(Worker& worker, Connection& connection) {
  const HttpRequest& request = connection.request();
  const Service& service = worker.service();
  if (!service.create_password.is_asked_for()) return false;
  if (service.create_password.allows(request, worker.wall_us() / 1'000'000)) return false;
  if (has_named_a_session(worker, connection)) return false;
  if (const auto session = query_value(request.query, "session")) {
    ask_validity(worker, connection, *session);
    return true;
  }
  if (CreatePassword::told_by(request)) return refuse_without_password(worker, connection);
  if (service.secret.get()) {
    connection.answer_error(session_required);
  } else {
    connection.answer_error(secret_unknown, retry_in_5_s);
  }
  return true;
}

std::optional<std::string> viewing_cookie(Worker& worker, Connection& connection) {
  if (!worker.service().create_password.is_asked_for()) return std::nullopt;
  const auto secret = worker.service().secret.get();
  if (!secret) return std::nullopt;
  const bool is_secure = client_of(worker, connection).is_secure;
  return given(viewer_cookie, *secret, worker.wall_us() / 1'000'000, is_secure);
}

}  // namespace videosync
