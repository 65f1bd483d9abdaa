#include "server/routes/websocket_route.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/assert.h"
#include "core/base/random.h"
#include "core/base/text.h"
#include "proto/http/http_query.h"
#include "proto/websocket/websocket_handshake.h"
#include "proto/wire/member_name.h"
#include "server/access/browser_cookie.h"
#include "server/access/forwarded.h"
#include "server/http/faults.h"
#include "server/routes/session_answers.h"
#include "server/session/session_reply.h"
#include "server/worker.h"

namespace videosync {

namespace {

constexpr HttpFault foreign_origin{403, "foreign_origin",
                                   "this page's origin is not allowed (--allow-origin)"};
// In the order of NameFault.
constexpr HttpFault bad_names[] = {
    {400, "bad_name", "a name is UTF-8"},
    {400, "bad_name", "nothing of this name can be seen: give another one, or none"},
    {400, "bad_name", "a name has at most 40 characters"},
};
constexpr HttpFault too_many_connections{503, "too_many_connections",
                                         "too many connections from this address"};
constexpr HttpFault draining{503, "draining", "this server is about to end, try again"};

void refuse_websocket(Worker& worker, Connection& connection, const HttpFault& fault) {
  worker.metrics().count_response(static_cast<unsigned>(fault.status));
  std::string& out = worker.scratch();
  append_websocket_refusal(out, connection.response_context(), fault,
                           connection.request().method == HttpMethod::head);
  connection.begin_answer(out);
  connection.end_answer();
}

// "EPOCH.SEQ"; what is no such thing is nothing held.
HeldState parse_held(std::string_view text) noexcept {
  const std::size_t dot = text.find('.');
  if (dot == text.npos) return {};
  const auto epoch = parse_decimal<std::uint64_t>(text.substr(0, dot));
  const auto seq = parse_decimal<std::uint64_t>(text.substr(dot + 1));
  return epoch && seq ? HeldState{*epoch, *seq} : HeldState{};
}

// Of a question the page says it itself: browsers send no Origin along with a plain GET.
std::optional<std::string> origin_of(const HttpRequest& request, bool is_question) {
  if (request.has_header("Origin")) return std::string(request.header("Origin"));
  return is_question ? query_value(request.query, "origin") : std::nullopt;
}

// Answers where the origin may not connect.
bool refuse_foreign(Worker& worker, Connection& connection, std::string_view host,
                    bool is_question) {
  Service& service = worker.service();
  const auto origin = origin_of(connection.request(), is_question);
  if (service.origins.allows(origin, host)) return false;
  if (!is_question) worker.metrics().count(Counter::origins_refused);
  service.upgrade_advice.tell_foreign_origin(*origin, host);
  connection.answer_error(foreign_origin);
  return true;
}

// Answers where the address has its fill; the connection counts for it otherwise.
bool refuse_crowd(Worker& worker, Connection& connection, const IpAddress& address) {
  if (connection.is_charged() || address.is_unspecified()) return false;
  const AddressGroup group = address.group();
  if (worker.service().per_address.try_add(group)) {
    connection.charge(group);
    return false;
  }
  worker.metrics().count(Counter::refused_per_address);
  connection.answer_error(too_many_connections, retry_in_5_s);
  return true;
}

// It is given a cookie with the upgrade, if it comes to that.
BrowserId greet_browser(Worker& worker, Connection& connection, bool is_secure) {
  const auto secret = worker.service().secret.get();
  connection.set_upgrade_cookie({});
  if (!secret) return {};
  BrowserId browser = browser_of(connection.request(), *secret);
  while (!browser)
    fill_random({reinterpret_cast<std::uint8_t*>(&browser.value), sizeof browser.value});
  connection.set_upgrade_cookie(browser_cookie(browser, *secret, is_secure));
  return browser;
}

// Null, and the answer given, where the name will not do.
std::unique_ptr<SessionMachine::JoinRequest> read_join(Connection& connection) {
  const HttpRequest& request = connection.request();
  auto join = std::make_unique<SessionMachine::JoinRequest>();
  if (const std::string name = query_bytes(request.query, "name"); !name.empty()) {
    auto cleaned = clean_member_name(name);
    if (!cleaned) {
      connection.answer_error(bad_names[static_cast<std::size_t>(cleaned.error())]);
      return nullptr;
    }
    join->name = std::move(*cleaned);
  }
  if (const auto text = query_value(request.query, "resume")) {
    join->resume = parse_resume_token(*text);
  }
  if (const auto text = query_value(request.query, "held")) join->held = parse_held(*text);
  if (const auto text = query_value(request.query, "chat")) {
    join->chat_held = parse_chat_id(*text).value_or(0);
  }
  if (const auto text = query_value(request.query, "host")) {
    join->host_token = parse_token(*text);
  }
  return join;
}

}  // namespace

bool is_join_question(const Connection& connection) noexcept {
  return connection.request().path == "/ws";
}

void route_websocket(Worker& worker, Connection& connection) {
  const HttpRequest& request = connection.request();
  Service& service = worker.service();
  const auto handshake = check_websocket_handshake(request);
  const bool is_question = !handshake && handshake.error().status == 426;
  if (!handshake && !is_question) return refuse_websocket(worker, connection, handshake.error());
  const ClientView client =
      resolve_client(worker.config().trusted_proxies, connection.socket_address(), request);
  if (is_question && request.header("Sec-WebSocket-Version") == "13") {
    service.upgrade_advice.tell_missing_upgrade(client.host);
  }
  if (refuse_foreign(worker, connection, client.host, is_question)) return;
  if (service.is_draining) return connection.answer_error(draining, retry_in_5_s);
  const auto session = query_value(request.query, "session");
  const auto key = session ? Uuid::parse_v4(*session) : std::nullopt;
  if (!key) return connection.answer_error(no_such_session);
  auto join = read_join(connection);
  if (!join || refuse_crowd(worker, connection, client.address)) return;
  const ConnectionRef from = worker.ref_of(connection);
  const std::size_t owner = service.worker_of(*key);
  SessionDirectory* directory = &service.workers[owner]->directory();
  join->browser = greet_browser(worker, connection, client.is_secure);
  if (is_question) {
    return worker.run_on(owner, [directory, key = *key, from, browser = join->browser]() noexcept {
      directory->on_info(key, from, browser);
    });
  }
  worker.run_on(owner, [directory, key = *key, from, join = std::move(join)]() noexcept {
    directory->on_join(key, *join, from);
  });
}

void answer_join_question(Worker& worker, Connection& connection,
                          const SessionInfo& info) noexcept {
  VS_ASSERT(is_join_question(connection));
  const HttpRequest& request = connection.request();
  const bool resumes = query_value(request.query, "resume").has_value();
  const std::string held = query_value(request.query, "held").value_or("");
  if (resumes && parse_held(held) > HeldState{info.state.epoch, info.state.seq}) {
    return answer_with_session(worker, connection, SessionFault::unavailable);
  }
  const bool has_right = resumes || query_value(request.query, "host").has_value();
  if (info.is_removed && !has_right) {
    return answer_with_session(worker, connection, SessionFault::removed);
  }
  if (info.settings.door == Door::locked && !has_right) {
    return answer_with_session(worker, connection, SessionFault::locked);
  }
  if (info.members >= worker.config().members_max) {
    return answer_with_session(worker, connection, SessionFault::full);
  }
  const auto handshake = check_websocket_handshake(request);
  VS_ASSERT(!handshake);
  refuse_websocket(worker, connection, handshake.error());
}

}  // namespace videosync
