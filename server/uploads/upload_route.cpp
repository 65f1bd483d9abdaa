#include "server/uploads/upload_route.h"

#include <optional>
#include <string>
#include <utility>

#include "core/base/text.h"
#include "proto/wire/token.h"
#include "server/http/bearer.h"
#include "server/http/faults.h"
#include "server/session/session_reply.h"
#include "server/uploads/tus.h"
#include "server/uploads/upload_answers.h"
#include "server/uploads/upload_asks.h"
#include "server/worker.h"

namespace videosync {

namespace {

constexpr HttpFault off{403, "uploads_off", "this server takes no films (--uploads)"};
constexpr HttpFault not_shared{403, "uploads_not_shared",
                               "not all nodes of this service have the same folder for --uploads"};
constexpr HttpFault no_token{401, "unauthorized",
                             "send Authorization: Bearer with the session's host token"};
constexpr HttpFault not_host{403, "not_host", "the token is not this session's host token"};
constexpr HttpFault wrong_method{405, "method_not_allowed", "see the Allow field"};

// "/SESSION/ID" behind uploads_path.
struct UploadPlace {
  Uuid session;
  UploadId id;
};

std::optional<UploadPlace> place_of(std::string_view rest) noexcept {
  if (!rest.starts_with('/')) return std::nullopt;
  rest.remove_prefix(1);
  const std::size_t slash = rest.find('/');
  const auto session = Uuid::parse_v4(rest.substr(0, slash));
  if (!session || slash == rest.npos) return std::nullopt;
  const auto id = parse_token(rest.substr(slash + 1));
  if (!id) return std::nullopt;
  return UploadPlace{*session, *id};
}

std::string_view rest_of(const Connection& connection) noexcept {
  return connection.request().path.substr(uploads_path.size());
}

// Which session is asked for, of a request that would do if its host sent it.
std::expected<Uuid, HttpFault> judge(const Connection& connection) {
  const HttpRequest& request = connection.request();
  const std::string_view rest = rest_of(connection);
  if (rest.empty()) {
    const auto creation = read_creation(request);
    if (!creation) return std::unexpected(creation.error());
    return creation->session;
  }
  const auto place = place_of(rest);
  if (!place) return std::unexpected(nothing_there);
  if (request.method == HttpMethod::patch) {
    const auto offset = read_offset(request);
    if (!offset) return std::unexpected(offset.error());
  }
  return place->session;
}

bool is_method_right(const HttpRequest& request, bool is_collection) noexcept {
  if (is_collection) return request.method == HttpMethod::post;
  return request.method == HttpMethod::head || request.method == HttpMethod::patch ||
         request.method == HttpMethod::del;
}

// A question and no attempt: where there are none the answer lacks the words of tus, and is no
// error on a page's console.
void answer_options(Worker& worker, Connection& connection) {
  if (worker.uploads() == nullptr) return connection.answer(204, "", "");
  const std::string bytes_max = std::to_string(worker.config().upload_bytes_max);
  const HttpField extra[] = {{"Tus-Resumable", tus_version},
                             {"Tus-Version", tus_version},
                             {"Tus-Extension", tus_extensions},
                             {"Tus-Max-Size", bytes_max},
                             {"Allow", "POST, HEAD, PATCH, DELETE, OPTIONS"}};
  connection.answer(204, "", "", extra);
}

}  // namespace

bool is_upload_body(const HttpRequest& request) noexcept {
  return request.method == HttpMethod::patch && request.path.starts_with(uploads_path);
}

bool is_upload_request(const Connection& connection) noexcept {
  const std::string_view path = connection.request().path;
  return path.starts_with(uploads_path) &&
         (path.size() == uploads_path.size() || path[uploads_path.size()] == '/');
}

void route_upload(Worker& worker, Connection& connection) {
  const HttpRequest& request = connection.request();
  if (request.method == HttpMethod::options) return answer_options(worker, connection);
  if (worker.uploads() == nullptr) return refuse_upload(connection, off);
  const bool is_collection = rest_of(connection).empty();
  if (!is_method_right(request, is_collection)) {
    const HttpField allow[] = {{"Allow", is_collection ? "POST, OPTIONS" : "HEAD, PATCH, DELETE"}};
    return connection.answer_error(wrong_method, allow);
  }
  if (is_collection && !worker.uploads()->is_shared_by_all()) {
    return refuse_upload(connection, not_shared);
  }
  if (const auto fault = judge_tus_version(request)) return refuse_upload(connection, *fault);
  const auto session = judge(connection);
  if (!session) return refuse_upload(connection, session.error());
  const std::string_view bearer = bearer_text(request);
  if (bearer.empty()) return refuse_upload(connection, no_token);
  const Token token = parse_token(bearer).value_or(Token{});
  const std::size_t owner = worker.service().worker_of(*session);
  SessionDirectory* directory = &worker.service().workers[owner]->directory();
  const ConnectionRef from = worker.ref_of(connection);
  worker.run_on(owner, [directory, key = *session, from, token]() noexcept {
    directory->on_info(key, from, token);
  });
}

void on_uploader_known(Worker& worker, Connection& connection, const SessionInfo& info) {
  if (!info.is_host) return refuse_upload(connection, not_host);
  const HttpRequest& request = connection.request();
  UploadAsk ask{.session = info.key, .id = {}};
  if (const auto place = place_of(rest_of(connection))) {
    ask.id = place->id;
    ask.kind = request.method == HttpMethod::del    ? UploadAsk::Kind::remove
               : request.method == HttpMethod::head ? UploadAsk::Kind::look
                                                    : UploadAsk::Kind::open;
    if (ask.kind == UploadAsk::Kind::open) ask.bytes = *read_offset(request);
  } else {
    UploadCreation creation = *read_creation(request);
    ask.kind = UploadAsk::Kind::create;
    ask.text = std::move(creation.name);
    ask.bytes = creation.length;
  }
  worker.uploads()->ask(connection, std::move(ask));
}

}  // namespace videosync
