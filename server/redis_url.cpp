#include "server/redis_url.h"

#include <fmt/format.h>

#include <charconv>

namespace videosync {

namespace {

constexpr std::string_view tcp_scheme = "redis://";
constexpr std::string_view unix_scheme = "redis+unix:";
constexpr std::string_view sentinel_scheme = "redis+sentinel://";

bool is_number_within(std::string_view digits, unsigned min, unsigned max) noexcept {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return error == std::errc() && end == digits.data() + digits.size() && value >= min &&
         value <= max;
}

// A name or IPv4 address, or an IPv6 address in brackets, and a port.
bool is_endpoint(std::string_view text) noexcept {
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos || !is_number_within(text.substr(colon + 1), 1, 65'535)) return false;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  const std::string_view forbidden = bracketed ? "/@ []" : "/@ []:";
  return !host.empty() && host.find_first_of(forbidden) == host.npos;
}

Result<> refuse(std::string_view url, std::string_view why) {
  return fail(ErrorCode::invalid_argument, fmt::format("'{}' {}", without_password(url), why));
}

Result<> check_tcp(std::string_view url) {
  std::string_view rest = url.substr(tcp_scheme.size());
  const std::size_t at = rest.rfind('@');
  if (at != rest.npos) {
    if (rest.substr(0, at).find(':') == rest.npos) {
      return refuse(url, "needs user:password before its @ (the user may be empty)");
    }
    rest.remove_prefix(at + 1);
  }
  const std::size_t slash = rest.find('/');
  if (!is_endpoint(rest.substr(0, slash))) return refuse(url, "has no host:port");
  if (slash != rest.npos && !is_number_within(rest.substr(slash + 1), 0, 1'000'000)) {
    return refuse(url, "has no database number behind its last slash");
  }
  return {};
}

Result<> check_sentinel(std::string_view url) {
  std::string_view rest = url.substr(sentinel_scheme.size());
  const std::size_t slash = rest.find('/');
  if (slash == rest.npos || slash + 1 == rest.size()) {
    return refuse(url, "has no name of a master behind its slash");
  }
  rest = rest.substr(0, slash);
  for (;;) {
    const std::size_t comma = rest.find(',');
    if (!is_endpoint(rest.substr(0, comma))) {
      return refuse(url, "has something else than host:port in its list");
    }
    if (comma == rest.npos) return {};
    rest.remove_prefix(comma + 1);
  }
}

}  // namespace

Result<> check_redis_url(std::string_view url) {
  if (url.starts_with(tcp_scheme)) return check_tcp(url);
  if (url.starts_with(sentinel_scheme)) return check_sentinel(url);
  if (url.starts_with(unix_scheme)) {
    if (url.size() > unix_scheme.size()) return {};
    return refuse(url, "has no path");
  }
  return refuse(url,
                "is no Redis URL; allowed: redis://[user:password@]host:port[/db], "
                "redis+unix:PATH, redis+sentinel://host:port,host:port/NAME");
}

std::string without_password(std::string_view url) {
  const std::size_t at = url.rfind('@');
  if (at == url.npos) return std::string(url);
  const std::size_t scheme = url.find("://");
  const std::size_t user = scheme == url.npos || scheme > at ? 0 : scheme + 3;
  const std::size_t colon = url.find(':', user);
  // Without a colon the whole of it may be the secret.
  const std::size_t secret = colon < at ? colon + 1 : user;
  return fmt::format("{}***{}", url.substr(0, secret), url.substr(at));
}

}  // namespace videosync
