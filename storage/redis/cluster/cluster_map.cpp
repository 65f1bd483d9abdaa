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

// [host, port, ...], where the host is null or "?" if the server does not know its own.
std::optional<RedisAddress> address_of(const RedisReply& server, const RedisAddress& asked) {
  if (server.size() < 2) return std::nullopt;
  const std::int64_t port = server[1].integer();
  if (port <= 0 || port > 65'535) return std::nullopt;
  RedisAddress address = asked;
  address.port = static_cast<std::uint16_t>(port);
  const std::string_view host = server[0].text();
  if (!host.empty() && host != "?") address.host = host;
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
  return Redirection{is_ask, *slot, std::string(error.substr(space + 1, colon - space - 1)), *port};
}

std::uint16_t ClusterMap::index_of(const RedisAddress& primary) {
  const auto found = std::ranges::find(primaries_, primary);
  if (found != primaries_.end()) return static_cast<std::uint16_t>(found - primaries_.begin());
  VS_ASSERT(primaries_.size() < nobody);
  primaries_.push_back(primary);
  return static_cast<std::uint16_t>(primaries_.size() - 1);
}

Result<ClusterMap> ClusterMap::read(const RedisReply& reply, const RedisAddress& asked) {
  ClusterMap map;
  if (reply.size() > key_slots)
    return fail(ErrorCode::corrupt, "CLUSTER SLOTS has too many ranges");
  for (std::size_t i = 0; i < reply.size(); ++i) {
    const RedisReply range = reply[i];  // [first, last, primary, replicas...]
    const bool is_range = range.size() >= 3 && is_slot(range[0].integer()) &&
                          is_slot(range[1].integer()) && range[0].integer() <= range[1].integer();
    const auto primary = is_range ? address_of(range[2], asked) : std::nullopt;
    if (!primary || map.primaries_.size() > primaries_max) {
      return fail(ErrorCode::corrupt, "CLUSTER SLOTS answers something else than slots");
    }
    const std::uint16_t index = map.index_of(*primary);
    for (std::int64_t slot = range[0].integer(); slot <= range[1].integer(); ++slot)
      map.owners_[static_cast<std::size_t>(slot)] = index;
  }
  if (map.primaries_.empty()) {
    return fail(ErrorCode::unavailable, "the Redis Cluster has given no slots to its servers yet");
  }
  return map;
}

}  // namespace videosync
