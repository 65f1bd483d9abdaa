#include "proto/http/http_cookie.h"

#include "core/base/text.h"

namespace videosync {

// One field is what browsers send; over HTTP/2 it may be several, which a proxy may pass on so.
std::string_view cookie_value(const HttpRequest& request, std::string_view name) noexcept {
  for (const HttpField& field : request.fields) {
    if (!equals_ignoring_case(field.name, "cookie")) continue;
    std::string_view list = field.value;
    while (!list.empty()) {
      const std::string_view pair = take_list_element(list, ';');
      const bool is_it =
          pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=';
      if (is_it) return pair.substr(name.size() + 1);
    }
  }
  return {};
}

}  // namespace videosync
