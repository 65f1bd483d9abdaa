#include "storage/redis/cluster/cluster_map.h"

#include <algorithm>
#include <string>

#include "core/base/assert.h"
#include "core/base/text.h"

namespace videosync {

namespace {

bool is_slot(std::int64_t number) noexcept {
  return number >= 0 && number < static_cast<std::int64_t>(key_slots);
}

bool is_slot(const RedisReply& reply) noexcept {
  return reply.kind() == RedisReply::Kind::integer && is_slot(reply.integer());
}

constexpr std::string_view unknown_name = "?";

// [..., [name, value, ...]], from Redis 7.0 on.
std::string_view address_beside(const RedisReply& server) noexcept {
  if (server.size() < 4) return {};
  const RedisReply told = server[3];
  for (std::size_t i = 0; i + 1 < told.size(); i += 2)
    if (told[i].text() == "ip") return told[i + 1].text();
  return {};
}

// [host, port, ...]. The host is null where clients are to use that of whoever they have asked, and
// "?" where servers go by names and this one's has not come round yet.
std::optional<RedisAddress> address_of(const RedisReply& server, const RedisAddress& asked) {
  if (server.size() < 2) return std::nullopt;
  const auto kind = server[0].kind();
  const std::int64_t port = server[1].integer();
  const bool is_host = kind == RedisReply::Kind::text || kind == RedisReply::Kind::nil;
  if (!is_host || port <= 0 || port > 65'535) return std::nullopt;
  RedisAddress address = asked;
  address.port = static_cast<std::uint16_t>(port);
  std::string_view host = server[0].text();
  if (host == unknown_name) host = address_beside(server);
  if (!host.empty()) address.host = host;
  return address;
}

}  // namespace

std::optional<Redirection> Redirection::parse(std::string_view error) {
  const bool is_ask = error.starts_with("ASK ");
  if (!is_ask && !error.starts_with("MOVED ")) return std::nullopt;
  error.remove_prefix(error.find(' ') + 1);
  const std::size_t space = error.find(' ');
  const std::size_t colon = error.rfind(':');
  if (space == error.npos || colon == error.npos || colon < space) return std::nullopt;
  const auto slot = parse_decimal<std::uint16_t>(error.substr(0, space));
  const auto port = parse_decimal<std::uint16_t>(error.substr(colon + 1));
  if (!slot || !is_slot(*slot) || !port || *port == 0) return std::nullopt;
  std::string_view host = error.substr(space + 1, colon - space - 1);
  if (host == unknown_name) host = {};
  return Redirection{is_ask, *slot, std::string(host), *port};
}

std::uint16_t ClusterMap::index_of(const RedisAddress& primary) {
  const auto found = std::ranges::find(primaries_, primary);
  if (found != primaries_.end()) return static_cast<std::uint16_t>(found - primaries_.begin());
  VS_ASSERT(primaries_.size() < nobody);
  primaries_.push_back(primary);
  return static_cast<std::uint16_t>(primaries_.size() - 1);
}

Result<ClusterMap> ClusterMap::read(const RedisReply& reply, const RedisAddress& asked) {
  if (reply.kind() == RedisReply::Kind::error) {
    std::string said(reply.text());
    const bool is_none = said.find("cluster support disabled") != said.npos;
    if (is_none) said += ": it is a Redis of its own, to be named by redis://";
    return fail(ErrorCode::unavailable, std::move(said));
  }
  constexpr std::string_view refusal = "CLUSTER SLOTS answers something else than slots";
  ClusterMap map;
  if (reply.kind() != RedisReply::Kind::array) {
    return fail(ErrorCode::corrupt, std::string(refusal));
  }
  if (reply.size() > key_slots)
    return fail(ErrorCode::corrupt, "CLUSTER SLOTS has too many ranges");
  for (std::size_t i = 0; i < reply.size(); ++i) {
    const RedisReply range = reply[i];  // [first, last, primary, replicas...]
    const bool is_range = range.size() >= 3 && is_slot(range[0]) && is_slot(range[1]) &&
                          range[0].integer() <= range[1].integer();
    const auto primary = is_range ? address_of(range[2], asked) : std::nullopt;
    if (!primary) return fail(ErrorCode::corrupt, std::string(refusal));
    const std::uint16_t index = map.index_of(*primary);
    if (map.primaries_.size() > primaries_max) {
      return fail(ErrorCode::corrupt, std::string(refusal));
    }
    for (std::int64_t slot = range[0].integer(); slot <= range[1].integer(); ++slot)
      map.owners_[static_cast<std::size_t>(slot)] = index;
  }
  if (map.primaries_.empty()) {
    return fail(ErrorCode::unavailable, "the Redis Cluster has given no slots to its servers yet");
  }
  return map;
}

}  // namespace videosync
