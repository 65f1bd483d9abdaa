#include "server/routes/password_route.h"

#include <string>

#include "server/access/create_password.h"
#include "server/routes/code_route.h"
#include "server/worker.h"

namespace videosync {

namespace {

constexpr HttpFault password_missing{401, "password_required",
                                     "this server asks for a password here"};
constexpr HttpFault password_wrong{401, "wrong_password", "that is not this server's password"};
constexpr HttpFault too_many_passwords{429, "rate_limited",
                                       "too many wrong passwords from this address, wait a little"};
// No scheme that makes a browser ask by itself.
constexpr HttpField password_challenge[] = {{"WWW-Authenticate", "Password"}};

std::int64_t now_s(Worker& worker) noexcept {
  return worker.wall_us() / 1'000'000;
}

// Answers where the address has had its fill; the password counts as wrong otherwise.
bool refuse_password_guess(Worker& worker, Connection& connection, const ClientView& client) {
  if (client.address.is_unspecified()) return false;
  const auto verdict =
      worker.service().password_limiter.take(client.address.group(), worker.monotonic_us());
  if (verdict.allowed) return false;
  const std::string seconds = std::to_string(verdict.retry_after_s);
  const HttpField extra[] = {{"Retry-After", seconds}};
  connection.answer_error(too_many_passwords, extra);
  return true;
}

// Answers where the request says a wrong password, or none.
bool refuse_unless_told(Worker& worker, Connection& connection, const ClientView& client) {
  Service& service = worker.service();
  const auto told = CreatePassword::told_by(connection.request());
  if (!told) {
    connection.answer_error(password_missing, password_challenge);
    return true;
  }
  if (refuse_password_guess(worker, connection, client)) return true;
  if (!service.create_password.is(*told)) {
    worker.metrics().count(Counter::passwords_wrong);
    connection.answer_error(password_wrong, password_challenge);
    return true;
  }
  if (!client.address.is_unspecified()) service.password_limiter.give_back(client.address.group());
  return false;
}

}  // namespace

void route_password(Worker& worker, Connection& connection) {
  static constexpr HttpField fresh[] = {{"Cache-Control", "no-store"}};
  const CreatePassword& password = worker.service().create_password;
  if (!password.is_asked_for()) return connection.answer(204, "", "", fresh);
  const ClientView client = client_of(worker, connection);
  if (refuse_unless_told(worker, connection, client)) return;
  const std::string cookie = password.cookie(now_s(worker), client.is_secure);
  const HttpField extra[] = {{"Cache-Control", "no-store"}, {"Set-Cookie", cookie}};
  connection.answer(204, "", "", extra);
}

bool refuse_without_password(Worker& worker, Connection& connection) {
  const CreatePassword& password = worker.service().create_password;
  if (password.allows(connection.request(), now_s(worker))) return false;
  return refuse_unless_told(worker, connection, client_of(worker, connection));
}

}  // namespace videosync
