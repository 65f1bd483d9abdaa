#include "server/http/methods.h"

#include "server/worker.h"

namespace videosync {

bool is_read(const HttpRequest& request) noexcept {
  return request.method == HttpMethod::get || request.method == HttpMethod::head;
}

void refuse_method(Connection& connection, std::string_view allow) {
  constexpr HttpFault wrong_method{405, "method_not_allowed", "see the Allow field"};
  const HttpField extra[] = {{"Allow", allow}};
  connection.answer_error(wrong_method, extra);
}

}  // namespace videosync
