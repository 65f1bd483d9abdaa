#include "proto/http/http_query.h"

#include "core/base/text.h"
#include "core/base/utf8.h"

namespace videosync {
std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(pair.size() < query.size() ? pair.size() + 1 : query.size());
    const std::size_t equals = pair.find('=');
    const auto key = percent_decoded(pair.substr(0, equals), PlusSign::blank);
    if (!key || *key != name) continue;
    if (equals == std::string_view::npos) return std::string();
    auto value = percent_decoded(pair.substr(equals + 1), PlusSign::blank);
    if (!value || has_control_bytes(*value) || !is_valid_utf8(*value)) return std::nullopt;
    return value;
  }
  return std::nullopt;
}

}  // namespace videosync
