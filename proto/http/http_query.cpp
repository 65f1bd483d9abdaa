#include "proto/http/http_query.h"

#include "core/base/text.h"
#include "core/base/utf8.h"

namespace videosync {

namespace {

// As it is written.
std::optional<std::string_view> find_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(pair.size() < query.size() ? pair.size() + 1 : query.size());
    const std::size_t equals = pair.find('=');
    const auto key = percent_decoded(pair.substr(0, equals), PlusSign::blank);
    if (!key || *key != name) continue;
    return equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  const auto found = find_value(query, name);
  if (!found) return std::nullopt;
  auto value = percent_decoded(*found, PlusSign::blank);
  if (!value || has_control_bytes(*value) || !is_valid_utf8(*value)) return std::nullopt;
  return value;
}

std::string query_bytes(std::string_view query, std::string_view name) {
  const std::string_view found = find_value(query, name).value_or(std::string_view{});
  return percent_decoded(found, PlusSign::blank).value_or(std::string(found));
}

}  // namespace videosync
