#include "server/routes/routes.h"

#include <fmt/core.h>

#include <string>
#include <string_view>

#include "server/films/videos_answer.h"
#include "server/http/faults.h"
#include "server/http/file_response.h"
#include "server/http/methods.h"
#include "server/metrics/form_metrics.h"
#include "server/metrics/node_metrics.h"
#include "server/nodes/nodes.h"
#include "server/routes/code_route.h"
#include "server/routes/debug_route.h"
#include "server/routes/film_route.h"
#include "server/routes/password_route.h"
#include "server/routes/session_routes.h"
#include "server/routes/websocket_route.h"
#include "server/uploads/upload_route.h"
#include "server/worker.h"

namespace videosync {

namespace {

constexpr HttpFault unknown_method{501, "not_implemented", "this method is not known here"};

void route_page(Worker& worker, Connection& connection) {
  const HttpRequest& request = connection.request();
  const PageView page =
      worker.service().pages->find(request.path, request.header("Accept-Encoding"));
  if (page.body == nullptr) return connection.answer_error(nothing_there);
  if (!is_read(request)) return refuse_method(connection, "GET, HEAD");
  answer_with_page(worker, connection, page);
}

constexpr std::string_view plain_text = "text/plain; charset=utf-8";

std::string render_pulse(Worker& worker) {
  const Pulse::Silence silence = worker.service().pulse.longest(worker.monotonic_us());
  constexpr std::string_view name = "videosync_loop_silence_seconds";
  return fmt::format(
      "# HELP {0} Since the worker came round whose loop has not done so for longest.\n"
      "# TYPE {0} gauge\n{0} {1:.3f}\n",
      name, static_cast<double>(silence.us) / us_per_second);
}

// Whether every worker's loop comes round: this one's does.
void route_health(Worker& worker, Connection& connection) {
  const Pulse::Silence silence = worker.service().pulse.longest(worker.monotonic_us());
  if (!silence.is_still()) return connection.answer(200, plain_text, "ok\n");
  connection.answer(503, plain_text,
                    fmt::format("the loop of worker {} has stood still for {} s\n", silence.worker,
                                silence.us / us_per_second));
}

}  // namespace

void route_request(Worker& worker, Connection& connection) {
  const HttpRequest& request = connection.request();
  const std::string_view path = request.path;
  if (request.method == HttpMethod::other) return connection.answer_error(unknown_method);
  if (is_upload_request(connection) && !connection.is_admin()) {
    return route_upload(worker, connection);
  }
  if (request.method == HttpMethod::options) {
    static constexpr HttpField allow[] = {{"Allow", "GET, HEAD, POST, DELETE, OPTIONS"}};
    return connection.answer(204, "", "", allow);
  }
  if (connection.is_admin()) return route_admin_request(worker, connection);
  if (path == "/ws") return route_websocket(worker, connection);
  if (is_film_request(connection)) return route_film(worker, connection);
  if (path == "/api/videos") {
    if (!is_read(request)) return refuse_method(connection, "GET, HEAD");
    if (refuse_without_password(worker, connection)) return;
    return answer_with_videos(worker, connection);
  }
  if (path == "/api/sessions") {
    if (request.method != HttpMethod::post) return refuse_method(connection, "POST");
    if (refuse_without_password(worker, connection)) return;
    return create_session(worker, connection);
  }
  if (path == "/api/password") {
    if (request.method != HttpMethod::post) return refuse_method(connection, "POST");
    return route_password(worker, connection);
  }
  if (path.starts_with(sessions_prefix)) {
    return route_session(worker, connection, path.substr(sessions_prefix.size()));
  }
  if (path.starts_with(code_links_prefix)) {
    if (!is_read(request)) return refuse_method(connection, "GET, HEAD");
    return route_code(worker, connection, path.substr(code_links_prefix.size()));
  }
  route_page(worker, connection);
}

void route_admin_request(Worker& worker, Connection& connection) {
  const HttpRequest& request = connection.request();
  if (!is_read(request)) return refuse_method(connection, "GET, HEAD");
  if (request.path == "/healthz") return route_health(worker, connection);
  if (request.path == "/readyz") {
    const Service& service = worker.service();
    if (service.is_draining) return connection.answer(503, plain_text, "draining\n");
    if (service.nodes != nullptr && !service.nodes->problem().empty()) {
      return connection.answer(503, plain_text, service.nodes->problem() + "\n");
    }
    // It serves all other sessions, so a balancer is to go on sending it people.
    if (service.nodes != nullptr && !service.nodes->parts_problem().empty()) {
      return connection.answer(200, plain_text, "ready\n" + service.nodes->parts_problem() + "\n");
    }
    return connection.answer(200, plain_text, "ready\n");
  }
  if (request.path == "/debug/sessions") return route_debug_sessions(worker, connection);
  if (request.path == "/metrics") {
    worker.report_counters();
    const Service& service = worker.service();
    return connection.answer(200, "text/plain; version=0.0.4; charset=utf-8",
                             service.metrics.render(service.nodes != nullptr) +
                                 render_pulse(worker) + render_node_metrics(service) +
                                 render_form_metrics(service));
  }
  connection.answer_error(nothing_there);
}

}  // namespace videosync
