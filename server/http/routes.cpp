#include "server/http/routes.h"

#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/base/text.h"
#include "proto/http/http_query.h"
#include "proto/wire/messages.h"
#include "server/access/code_route.h"
#include "server/access/forwarded.h"
#include "server/films/form_route.h"
#include "server/films/video_catalog.h"
#include "server/films/videos_answer.h"
#include "server/http/bearer.h"
#include "server/http/faults.h"
#include "server/http/file_response.h"
#include "server/http/websocket_route.h"
#include "server/metrics/form_metrics.h"
#include "server/metrics/node_metrics.h"
#include "server/nodes/nodes.h"
#include "server/uploads/upload_route.h"
#include "server/worker.h"

namespace videosync {

namespace {

constexpr HttpFault wrong_method{405, "method_not_allowed", "see the Allow field"};
constexpr HttpFault unknown_method{501, "not_implemented", "this method is not known here"};
constexpr HttpFault wrong_type{415, "unsupported_media_type", "send JSON"};
constexpr HttpFault too_many_sessions{429, "rate_limited",
                                      "too many sessions from this address, wait a little"};

bool is_read(const HttpRequest& request) {
  return request.method == HttpMethod::get || request.method == HttpMethod::head;
}

void refuse_method(Connection& connection, std::string_view allow) {
  const HttpField extra[] = {{"Allow", allow}};
  connection.answer_error(wrong_method, extra);
}

// --- /api/sessions -------------------------------------------------------------------------------

bool is_json_enough(const HttpRequest& request) {
  if (!request.header("Content-Encoding").empty()) return false;
  const std::string_view field = request.header("Content-Type");
  const std::string_view type = trim(field.substr(0, field.find(';')), http_blanks);
  // What fetch() and curl say of a string when nobody told them better counts, too.
  for (const std::string_view known :
       {"", "application/json", "text/plain", "application/x-www-form-urlencoded"}) {
    if (equals_ignoring_case(type, known)) return true;
  }
  return false;
}

void create_session(Worker& worker, Connection& connection) {
  const HttpRequest& request = connection.request();
  Service& service = worker.service();
  if (!request.body.empty() && !is_json_enough(request)) return connection.answer_error(wrong_type);
  const ClientView client = client_of(worker, connection);
  if (!client.address.is_unspecified()) {
    const auto verdict =
        service.session_limiter.take(client.address.group(), worker.monotonic_us());
    if (!verdict.allowed) {
      const std::string seconds = std::to_string(verdict.retry_after_s);
      const HttpField extra[] = {{"Retry-After", seconds}};
      worker.metrics().count(Counter::sessions_rate_limited);
      return connection.answer_error(too_many_sessions, extra);
    }
  }
  std::string padded(request.body);
  padded.resize(request.body.size() + json_padding);
  auto order =
      decode_create_session({padded.data(), request.body.size()}, worker.message_decoder());
  if (!order) {
    const HttpFault fault{400, refusal_name(order.error().code), order.error().message};
    return connection.answer_error(fault);
  }
  const Uuid key = Uuid::random_v4();
  const std::size_t owner = service.worker_of(key);
  const ConnectionRef from = worker.ref_of(connection);
  auto create = std::make_unique<SessionDirectory::CreateOrder>(
      SessionDirectory::CreateOrder{std::move(order->video), order->settings});
  SessionDirectory* directory = &service.workers[owner]->directory();
  worker.run_on(owner, [directory, key, from, create = std::move(create)]() noexcept {
    directory->on_create(key, *create, from);
  });
}

void validate_session(Worker& worker, Connection& connection, std::string_view name) {
  static constexpr HttpField extra[] = {{"Cache-Control", "no-store"}};
  if (const auto code = ShortCode::parse(name)) return validate_code(worker, connection, *code);
  const auto key = Uuid::parse_v4(name);
  if (!key) return connection.answer_json(200, R"({"valid":false})", extra);
  if (worker.service().nodes != nullptr) {
    // A node may have the session in memory while the store that they share is away.
    const std::size_t owner = worker.service().worker_of(*key);
    SessionDirectory* directory = &worker.service().workers[owner]->directory();
    const ConnectionRef from = worker.ref_of(connection);
    return worker.run_on(
        owner, [directory, key = *key, from]() noexcept { directory->on_validate(key, from); });
  }
  const SlotHandle handle = worker.ref_of(connection).slot;
  worker.store().exists(*key, [&worker, handle, key = *key](Result<bool> exists) noexcept {
    static constexpr HttpFault store_away{503, "unavailable", "the session store is away"};
    static constexpr HttpField retry[] = {{"Retry-After", "5"}};
    Connection* asker = worker.find_connection(handle);
    if (asker == nullptr || !asker->is_awaiting_answer()) return;
    if (!exists) return asker->answer_error(store_away, retry);
    std::string body;
    encode_session_validity(body, *exists ? std::optional(key) : std::nullopt);
    asker->answer_json(200, body, extra);
  });
}

std::optional<Token> bearer_token(const HttpRequest& request) {
  const std::string_view text = bearer_text(request);
  if (text.empty()) return std::nullopt;
  // A token of another form is somebody's, but nobody's here: refused like a wrong one.
  return parse_token(text).value_or(Token{});
}

SessionProof bearer_proof(const HttpRequest& request) {
  const std::string_view text = bearer_text(request);
  if (const auto host = parse_token(text)) return *host;
  if (const auto resume = parse_resume_token(text)) return *resume;
  return {};
}

void route_session(Worker& worker, Connection& connection, std::string_view rest) {
  const HttpRequest& request = connection.request();
  const std::size_t slash = rest.find('/');
  const std::string_view name = rest.substr(0, slash);
  if (slash != std::string_view::npos) {
    if (rest.substr(slash) != "/validate") return connection.answer_error(nothing_there);
    if (!is_read(request)) return refuse_method(connection, "GET, HEAD");
    return validate_session(worker, connection, name);
  }
  const bool is_delete = request.method == HttpMethod::del;
  if (!is_read(request) && !is_delete) return refuse_method(connection, "GET, HEAD, DELETE");
  const auto key = Uuid::parse_v4(name);
  if (!key) return connection.answer_error(no_such_session);
  const std::size_t owner = worker.service().worker_of(*key);
  SessionDirectory* directory = &worker.service().workers[owner]->directory();
  const ConnectionRef from = worker.ref_of(connection);
  if (is_delete) {
    worker.run_on(owner, [directory, key = *key, token = bearer_token(request), from]() noexcept {
      directory->on_delete(key, token, from);
    });
  } else {
    worker.run_on(owner, [directory, key = *key, from, proof = bearer_proof(request)]() noexcept {
      directory->on_info(key, from, proof);
    });
  }
}

// --- Videos --------------------------------------------------------------------------------------

void route_video(Worker& worker, Connection& connection) {
  const HttpRequest& request = connection.request();
  if (!is_read(request)) return refuse_method(connection, "GET, HEAD");
  if (const auto id = query_value(request.query, "id")) {
    return answer_with_video(worker, connection, worker.library().find(*id));
  }
  const auto session = query_value(request.query, "session");
  if (!session) return answer_with_video(worker, connection, worker.library().default_video());
  const auto key = Uuid::parse_v4(*session);
  if (!key) return connection.answer_error(no_such_session);
  const std::size_t owner = worker.service().worker_of(*key);
  SessionDirectory* directory = &worker.service().workers[owner]->directory();
  const ConnectionRef from = worker.ref_of(connection);
  worker.run_on(owner,
                [directory, key = *key, from]() noexcept { directory->on_video(key, from); });
}

void route_media(Worker& worker, Connection& connection) {
  const HttpRequest& request = connection.request();
  if (!is_read(request)) return refuse_method(connection, "GET, HEAD");
  auto place = worker.library().find_place(request.path);
  if (!place) return connection.answer_error(nothing_there);
  answer_with_place(worker, connection, std::move(*place));
}

// --- Pages ---------------------------------------------------------------------------------------

void route_page(Worker& worker, Connection& connection) {
  const HttpRequest& request = connection.request();
  const PageView page =
      worker.service().pages->find(request.path, request.header("Accept-Encoding"));
  if (page.body == nullptr) return connection.answer_error(nothing_there);
  if (!is_read(request)) return refuse_method(connection, "GET, HEAD");
  answer_with_page(worker, connection, page);
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
  if (path == "/api/video") return route_video(worker, connection);
  if (path == "/api/videos") {
    if (!is_read(request)) return refuse_method(connection, "GET, HEAD");
    return answer_with_videos(worker, connection);
  }
  if (path == "/api/sessions") {
    if (request.method != HttpMethod::post) return refuse_method(connection, "POST");
    return create_session(worker, connection);
  }
  if (path.starts_with(sessions_prefix)) {
    return route_session(worker, connection, path.substr(sessions_prefix.size()));
  }
  if (path.starts_with(code_links_prefix)) {
    if (!is_read(request)) return refuse_method(connection, "GET, HEAD");
    return route_code(worker, connection, path.substr(code_links_prefix.size()));
  }
  if (path.starts_with(MediaLibrary::url_prefix)) return route_media(worker, connection);
  if (path.starts_with(forms_prefix)) {
    if (!is_read(request)) return refuse_method(connection, "GET, HEAD");
    return route_form(worker, connection, path.substr(forms_prefix.size()));
  }
  route_page(worker, connection);
}

void route_admin_request(Worker& worker, Connection& connection) {
  constexpr std::string_view text = "text/plain; charset=utf-8";
  const HttpRequest& request = connection.request();
  if (!is_read(request)) return refuse_method(connection, "GET, HEAD");
  if (request.path == "/healthz") return connection.answer(200, text, "ok\n");
  if (request.path == "/readyz") {
    const Service& service = worker.service();
    if (service.is_draining) return connection.answer(503, text, "draining\n");
    if (service.nodes != nullptr && !service.nodes->problem().empty()) {
      return connection.answer(503, text, service.nodes->problem() + "\n");
    }
    return connection.answer(200, text, "ready\n");
  }
  if (request.path == "/metrics") {
    worker.report_counters();
    const Service& service = worker.service();
    return connection.answer(200, "text/plain; version=0.0.4; charset=utf-8",
                             service.metrics.render(service.nodes != nullptr) +
                                 render_node_metrics(service) + render_form_metrics(service));
  }
  connection.answer_error(nothing_there);
}

}  // namespace videosync
