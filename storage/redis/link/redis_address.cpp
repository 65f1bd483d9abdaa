#include "storage/redis/link/redis_address.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>

#include "core/base/text.h"

namespace videosync {

namespace {

constexpr std::size_t endpoints_max = 16;

std::optional<unsigned> parse_number(std::string_view digits, unsigned min, unsigned max) noexcept {
  const auto value = parse_decimal<unsigned>(digits);
  return value && *value >= min && *value <= max ? value : std::nullopt;
}

// A name or IPv4 address, or an IPv6 address in brackets, and a port.
std::optional<RedisAddress> parse_endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  const auto port = parse_number(text.substr(colon + 1), 1, 65'535);
  std::string_view host = text.substr(0, colon);
  const bool is_bracketed = host.starts_with('[') && host.ends_with(']');
  if (is_bracketed) host = host.substr(1, host.size() - 2);
  const std::string_view forbidden = is_bracketed ? "/@ []" : "/@ []:";
  if (!port || host.empty() || host.find_first_of(forbidden) != host.npos) return std::nullopt;
  RedisAddress address;
  address.host = host;
  address.port = static_cast<std::uint16_t>(*port);
  return address;
}

std::unexpected<Error> refuse(std::string_view url, std::string_view why) {
  return fail(ErrorCode::invalid_argument, fmt::format("'{}' {}", without_password(url), why));
}

// Takes "user:password@" off the front of `rest`. A password may hold an @ of its own.
Result<> take_credentials(std::string_view url, std::string_view& rest, RedisAddress& address) {
  const std::size_t at = rest.rfind('@');
  if (at == rest.npos) return {};
  const std::string_view credentials = rest.substr(0, at);
  const std::size_t colon = credentials.find(':');
  if (colon == credentials.npos) {
    return refuse(url, "needs user:password before its @ (the user may be empty)");
  }
  const auto user = percent_decoded(credentials.substr(0, colon), PlusSign::as_it_is);
  const auto password = percent_decoded(credentials.substr(colon + 1), PlusSign::as_it_is);
  if (!user || !password) return refuse(url, "has a % without two hexadecimal digits");
  address.user = *user;
  address.password = *password;
  rest.remove_prefix(at + 1);
  return {};
}

Result<> take_database(std::string_view url, std::string_view digits, RedisAddress& address) {
  const auto database = parse_number(digits, 0, 1'000'000);
  if (!database) return refuse(url, "has no database number behind its last slash");
  address.database = *database;
  return {};
}

// `rest` is the URL behind its scheme.
Result<RedisLocation> parse_tcp(std::string_view url, std::string_view rest) {
  RedisAddress credentials;
  if (auto taken = take_credentials(url, rest, credentials); !taken) {
    return std::unexpected(taken.error());
  }
  const std::size_t slash = rest.find('/');
  auto server = parse_endpoint(rest.substr(0, slash));
  if (!server) return refuse(url, "has no host:port");
  server->user = credentials.user;
  server->password = credentials.password;
  if (slash != rest.npos) {
    if (auto taken = take_database(url, rest.substr(slash + 1), *server); !taken) {
      return std::unexpected(taken.error());
    }
  }
  return RedisLocation{std::move(*server), {}, {}, {}};
}

Result<std::vector<RedisAddress>> parse_endpoints(std::string_view url, std::string_view list) {
  std::vector<RedisAddress> endpoints;
  for (;;) {
    const std::size_t comma = list.find(',');
    auto endpoint = parse_endpoint(list.substr(0, comma));
    if (!endpoint) return refuse(url, "has something else than host:port in its list");
    if (endpoints.size() == endpoints_max) return refuse(url, "has too long a list");
    endpoints.push_back(std::move(*endpoint));
    if (comma == list.npos) return endpoints;
    list.remove_prefix(comma + 1);
  }
}

Result<RedisLocation> parse_sentinel(std::string_view url, std::string_view rest) {
  RedisLocation location;
  if (auto taken = take_credentials(url, rest, location.server); !taken) {
    return std::unexpected(taken.error());
  }
  const std::size_t slash = rest.find('/');
  std::string_view name = slash == rest.npos ? std::string_view{} : rest.substr(slash + 1);
  if (const std::size_t second = name.find('/'); second != name.npos) {
    if (auto taken = take_database(url, name.substr(second + 1), location.server); !taken) {
      return std::unexpected(taken.error());
    }
    name = name.substr(0, second);
  }
  if (name.empty()) return refuse(url, "has no name of a master behind its slash");
  location.master_name = name;
  auto sentinels = parse_endpoints(url, rest.substr(0, slash));
  if (!sentinels) return std::unexpected(std::move(sentinels.error()));
  location.sentinels = std::move(*sentinels);
  return location;
}

Result<RedisLocation> parse_cluster(std::string_view url, std::string_view rest) {
  RedisLocation location;
  if (auto taken = take_credentials(url, rest, location.server); !taken) {
    return std::unexpected(taken.error());
  }
  const std::size_t slash = rest.find('/');
  if (slash != rest.npos && rest.substr(slash) != "/") {
    return refuse(url,
                  "has something behind its list: a Redis Cluster has one database and no name");
  }
  auto seeds = parse_endpoints(url, rest.substr(0, slash));
  if (!seeds) return std::unexpected(std::move(seeds.error()));
  for (RedisAddress& seed : *seeds) {
    seed.user = location.server.user;
    seed.password = location.server.password;
  }
  location.cluster_seeds = std::move(*seeds);
  return location;
}

Result<RedisLocation> parse_unix(std::string_view url, std::string_view path) {
  RedisLocation location;
  location.server.unix_path = path;
  if (location.server.unix_path.empty()) return refuse(url, "has no path");
  return location;
}

using Parse = Result<RedisLocation> (*)(std::string_view url, std::string_view rest);

struct Scheme {
  std::string_view prefix;
  Parse parse;
  bool is_tls;
};

constexpr std::array<Scheme, 7> schemes{{{"redis://", parse_tcp, false},
                                         {"rediss://", parse_tcp, true},
                                         {"redis+sentinel://", parse_sentinel, false},
                                         {"rediss+sentinel://", parse_sentinel, true},
                                         {"redis+cluster://", parse_cluster, false},
                                         {"rediss+cluster://", parse_cluster, true},
                                         {"redis+unix:", parse_unix, false}}};

std::unexpected<Error> refuse_tls(std::string_view url) {
  return fail(
      ErrorCode::unsupported,
      fmt::format("'{}' asks for TLS, which this build cannot speak to Redis: it was made "
                  "with hiredis " VIDEOSYNC_HIREDIS_VERSION
                  ", and only 1.0 and later have it, with their libhiredis_ssl. Use a build "
                  "for Debian 13, or put stunnel or spiped between and name that by redis://",
                  without_password(url)));
}

void set_tls(RedisLocation& location) noexcept {
  location.server.is_tls = true;
  for (auto* endpoints : {&location.sentinels, &location.cluster_seeds})
    for (RedisAddress& endpoint : *endpoints)
      endpoint.is_tls = true;
}

}  // namespace

bool has_redis_tls() noexcept {
  return VIDEOSYNC_REDIS_TLS;
}

Result<RedisLocation> parse_redis_url(std::string_view url) {
  const auto found = std::ranges::find_if(
      schemes, [&](const Scheme& scheme) { return url.starts_with(scheme.prefix); });
  if (found == schemes.end()) {
    return refuse(url,
                  "is no Redis URL; allowed: redis://[user:password@]host:port[/db], rediss:// for "
                  "the same over TLS, redis+unix:PATH, "
                  "redis+sentinel://[user:password@]host:port,host:port/NAME[/db], "
                  "redis+cluster://[user:password@]host:port,host:port, rediss+sentinel://, "
                  "rediss+cluster://");
  }
  if (found->is_tls && !has_redis_tls()) return refuse_tls(url);
  auto location = found->parse(url, url.substr(found->prefix.size()));
  if (location && found->is_tls) set_tls(*location);
  return location;
}

std::string without_password(std::string_view url) {
  const std::size_t at = url.rfind('@');
  if (at == url.npos) return std::string(url);
  // Where the scheme was left out, a password may have what looks like the end of one.
  const std::size_t scheme = url.find("://");
  const bool has_scheme =
      scheme < at &&
      std::ranges::all_of(url.substr(0, scheme), [](char c) { return is_letter(c) || c == '+'; });
  const std::size_t user = has_scheme ? scheme + 3 : 0;
  const std::size_t colon = url.find(':', user);
  // Without a colon the whole of it may be the secret.
  const std::size_t secret = colon < at ? colon + 1 : user;
  return fmt::format("{}***{}", url.substr(0, secret), url.substr(at));
}

std::string to_string(const RedisAddress& address) {
  if (!address.unix_path.empty()) return address.unix_path;
  const bool is_v6 = address.host.find(':') != std::string::npos;
  return is_v6 ? fmt::format("[{}]:{}", address.host, address.port)
               : fmt::format("{}:{}", address.host, address.port);
}

}  // namespace videosync
