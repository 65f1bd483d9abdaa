#include "server/routes/session_routes.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/base/text.h"
#include "proto/wire/messages.h"
#include "server/access/forwarded.h"
#include "server/http/bearer.h"
#include "server/http/faults.h"
#include "server/http/methods.h"
#include "server/routes/code_route.h"
#include "server/routes/session_answers.h"
#include "server/worker.h"

namespace videosync {

namespace {

constexpr HttpFault wrong_type{415, "unsupported_media_type", "send JSON"};
constexpr HttpFault too_many_sessions{429, "rate_limited",
                                      "too many sessions from this address, wait a little"};

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

std::optional<Token> bearer_token(const HttpRequest& request) {
  const std::string_view text = bearer_text(request);
  if (text.empty()) return std::nullopt;
  // A token of another form is somebody's, but nobody's here: refused like a wrong one.
  return parse_token(text).value_or(Token{});
}

// In a part of the store that is there, if that can be had.
Uuid draw_key(Worker& worker) {
  constexpr int draws_max = 64;
  Uuid key = Uuid::random_v4();
  for (int draws = 1; draws < draws_max && worker.directory().is_apart(key); ++draws)
    key = Uuid::random_v4();
  return key;
}

SessionProof bearer_proof(const HttpRequest& request) {
  const std::string_view text = bearer_text(request);
  if (const auto host = parse_token(text)) return *host;
  if (const auto resume = parse_resume_token(text)) return *resume;
  return {};
}

}  // namespace

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
  const Uuid key = draw_key(worker);
  const std::size_t owner = service.worker_of(key);
  const ConnectionRef from = worker.ref_of(connection);
  auto create = std::make_unique<SessionDirectory::CreateOrder>(
      SessionDirectory::CreateOrder{std::move(order->video), order->settings});
  SessionDirectory* directory = &service.workers[owner]->directory();
  worker.run_on(owner, [directory, key, from, create = std::move(create)]() noexcept {
    directory->on_create(key, *create, from);
  });
}

void ask_validity(Worker& worker, Connection& connection, std::string_view name) {
  const Service& shared = worker.service();
  if (shared.has_successor && shared.nodes == nullptr) {  // the store here knows no longer
    return answer_with_session(worker, connection, SessionFault::unavailable);
  }
  if (const auto code = ShortCode::parse(name)) return validate_code(worker, connection, *code);
  const auto key = Uuid::parse_v4(name);
  if (!key) return answer_with_session(worker, connection, SessionValidity{});
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
    Connection* asker = worker.find_connection(handle);
    if (asker == nullptr || !asker->is_awaiting_answer()) return;
    if (!exists) return answer_with_session(worker, *asker, SessionFault::unavailable);
    const auto found = *exists ? std::optional(key) : std::nullopt;
    answer_with_session(worker, *asker, SessionValidity{found});
  });
}

void route_session(Worker& worker, Connection& connection, std::string_view rest) {
  const HttpRequest& request = connection.request();
  const std::size_t slash = rest.find('/');
  const std::string_view name = rest.substr(0, slash);
  if (slash != std::string_view::npos) {
    if (rest.substr(slash) != "/validate") return connection.answer_error(nothing_there);
    if (!is_read(request)) return refuse_method(connection, "GET, HEAD");
    return ask_validity(worker, connection, name);
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

}  // namespace videosync
