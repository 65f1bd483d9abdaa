#include "server/config/listen_address.h"

#include <fmt/core.h>
#include <sys/un.h>

#include "core/base/text.h"

namespace videosync {

namespace {

constexpr std::string_view unix_prefix = "unix:";
constexpr std::size_t unix_path_bytes_max = sizeof(sockaddr_un{}.sun_path) - 1;

std::unexpected<Error> refuse(std::string_view text, std::string_view why) {
  return fail(ErrorCode::invalid_argument, fmt::format("'{}' {}", text, why));
}

Result<ListenAddress> parse_unix(std::string_view text) {
  const std::string_view path = text.substr(unix_prefix.size());
  if (path.empty()) return refuse(text, "has no path behind 'unix:'");
  if (path.size() > unix_path_bytes_max) {
    return refuse(text, fmt::format("is too long: the path of a Unix socket has at most {} bytes",
                                    unix_path_bytes_max));
  }
  ListenAddress result;
  result.unix_path = path;
  return result;
}

}  // namespace

Result<ListenAddress> ListenAddress::parse(std::string_view text) {
  if (text.starts_with(unix_prefix)) return parse_unix(text);
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos) return refuse(text, "has no port; write HOST:PORT");
  const std::string_view host = text.substr(0, colon);
  const auto port = parse_decimal<std::uint16_t>(text.substr(colon + 1));
  if (!port) return refuse(text, "has no port from 0 to 65535 at its end");

  ListenAddress result;
  result.port = *port;
  if (host.empty()) return result;
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  const bool wants_brackets = host.find(':') != host.npos;
  if (wants_brackets && !bracketed) {
    return refuse(text, "needs brackets around its IPv6 address, as in [::1]:8080");
  }
  const auto address = host == "localhost"
                           ? IpAddress::parse("127.0.0.1")
                           : IpAddress::parse(bracketed ? host.substr(1, host.size() - 2) : host);
  if (!address) {
    return refuse(text, "has no IP address before its port (of names, only localhost is known)");
  }
  result.address = *address;
  return result;
}

std::string ListenAddress::to_string() const {
  if (is_unix()) return fmt::format("{}{}", unix_prefix, unix_path);
  return fmt::format(fmt::runtime(address.is_v4() ? "{}:{}" : "[{}]:{}"), address.to_string(),
                     port);
}

}  // namespace videosync
