#include "proto/http/http_target.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/base/utf8.h"
#include "proto/http/http_authority.h"

namespace videosync {

namespace {

using Outcome = std::expected<HttpTarget, std::string_view>;

Outcome refuse(std::string_view why) noexcept {
  return std::unexpected(why);
}

// `text`: path and query as they came.
Outcome read_path(std::string_view text, std::string_view host, char* decoded) noexcept {
  const std::size_t question = text.find('?');
  const std::string_view raw = text.substr(0, question);
  HttpTarget read{.path = raw.empty() ? std::string_view("/") : raw, .query = {}, .host = host};
  if (question != std::string_view::npos) read.query = text.substr(question + 1);
  if (raw.find('%') == std::string_view::npos) return read;
  const auto length = percent_decode(raw, PlusSign::as_it_is, decoded);
  if (!length) return refuse("the path has a malformed escape");
  read.path = std::string_view(decoded, *length);
  if (has_control_bytes(read.path)) return refuse("the path has a control byte");
  if (!is_valid_utf8(read.path)) return refuse("the path is not UTF-8");
  if (std::ranges::count(raw, '/') != std::ranges::count(read.path, '/')) {
    return refuse("the path has an encoded slash");
  }
  return read;
}

Outcome read_absolute_form(std::string_view target, char* decoded) noexcept {
  const std::size_t mark = target.find("://");
  const std::string_view scheme = target.substr(0, mark);
  if (mark == std::string_view::npos ||
      !(equals_ignoring_case(scheme, "http") || equals_ignoring_case(scheme, "https"))) {
    return refuse("the request target is neither a path nor an http URL");
  }
  const std::string_view rest = target.substr(mark + 3);
  const std::size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
  const std::string_view host = rest.substr(0, authority_end);
  if (!is_authority(host)) return refuse("the request target names no valid host");
  return read_path(rest.substr(authority_end), host, decoded);
}

}  // namespace

std::expected<HttpTarget, std::string_view> read_target(HttpMethod method, std::string_view target,
                                                        char* decoded) noexcept {
  const bool is_clean =
      std::ranges::all_of(target, [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
  if (target.empty() || !is_clean) {
    return refuse("the request target has a byte that is not allowed there");
  }
  if (target.front() == '/') return read_path(target, {}, decoded);
  if (target != "*") return read_absolute_form(target, decoded);
  if (method != HttpMethod::options) return refuse("'*' is for OPTIONS alone");
  return HttpTarget{.path = target, .query = {}, .host = {}};
}

}  // namespace videosync
