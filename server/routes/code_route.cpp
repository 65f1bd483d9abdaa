#include "server/routes/code_route.h"

#include <optional>
#include <string>

#include "core/base/assert.h"
#include "proto/http/http_query.h"
#include "proto/http/http_request.h"
#include "server/http/faults.h"
#include "server/http/file_response.h"
#include "server/worker.h"

namespace videosync {

namespace {

constexpr HttpFault too_many_codes{429, "rate_limited",
                                   "too many unknown codes from this address, wait a little"};

// The code that the request names, where it names one.
std::optional<ShortCode> asked_code(const HttpRequest& request) {
  std::string_view path = request.path;
  if (path.starts_with(code_links_prefix)) {
    return ShortCode::parse(path.substr(code_links_prefix.size()));
  }
  if (!path.starts_with(sessions_prefix)) {
    const auto session = query_value(request.query, "session");
    return session ? ShortCode::parse(*session) : std::nullopt;
  }
  path.remove_prefix(sessions_prefix.size());
  return ShortCode::parse(path.substr(0, path.find('/')));
}

// The start page says in words what is wrong with a link.
void answer_with_start(Worker& worker, Connection& connection, int status,
                       std::span<const HttpField> extra = {}) {
  const HttpRequest& request = connection.request();
  const PageView page = worker.service().pages->find("/", request.header("Accept-Encoding"));
  if (page.body == nullptr) return connection.answer_error(no_such_session, extra);
  answer_with_refusal_page(worker, connection, page, status, extra);
}

// Answers where the address has had its fill; the code counts as unknown otherwise.
bool refuse_guess(Worker& worker, Connection& connection) {
  const ClientView client = client_of(worker, connection);
  if (client.address.is_unspecified()) return false;
  const auto verdict =
      worker.service().code_limiter.take(client.address.group(), worker.monotonic_us());
  if (verdict.allowed) return false;
  worker.metrics().count(Counter::codes_rate_limited);
  const std::string seconds = std::to_string(verdict.retry_after_s);
  const HttpField extra[] = {{"Retry-After", seconds}};
  if (is_code_link(connection)) {
    answer_with_start(worker, connection, too_many_codes.status, extra);
  } else {
    connection.answer_error(too_many_codes, extra);
  }
  return true;
}

}  // namespace

ClientView client_of(Worker& worker, Connection& connection) {
  return resolve_client(worker.config().trusted_proxies, connection.socket_address(),
                        connection.request());
}

bool is_code_link(const Connection& connection) noexcept {
  return connection.request().path.starts_with(code_links_prefix);
}

void validate_code(Worker& worker, Connection& connection, ShortCode code) {
  VS_ASSERT(code);
  if (refuse_guess(worker, connection)) return;
  SessionDirectory* directory = &worker.directory();
  const ConnectionRef from = worker.ref_of(connection);
  worker.run_on(worker.index(),
                [directory, code, from]() noexcept { directory->on_validate_code(code, from); });
}

void route_code(Worker& worker, Connection& connection, std::string_view text) {
  if (const auto code = ShortCode::parse(text)) return validate_code(worker, connection, *code);
  answer_with_start(worker, connection, no_such_session.status);
}

void settle_code(Worker& worker, Connection& connection, bool is_unknown) noexcept {
  if (is_unknown || !asked_code(connection.request())) return;
  const ClientView client = client_of(worker, connection);
  if (!client.address.is_unspecified())
    worker.service().code_limiter.give_back(client.address.group());
}

void answer_code_link(Worker& worker, Connection& connection,
                      const SessionValidity& validity) noexcept {
  VS_ASSERT(is_code_link(connection));
  if (!validity.key) return answer_with_start(worker, connection, no_such_session.status);
  const std::string location = "/player.html?session=" + validity.key->to_string();
  const HttpField extra[] = {{"Cache-Control", "no-store"}, {"Location", location}};
  connection.answer(302, "", "", extra);
}

}  // namespace videosync
