// ClusterMap: which server of a Redis Cluster has which slots, and what servers say to whoever asks
// the wrong one. Pure.
//
// Source: the Redis Cluster specification ("Redirection and resharding"), CLUSTER SLOTS.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "storage/key_slots.h"
#include "storage/redis/link/redis_address.h"
#include "storage/redis/link/redis_link.h"

namespace videosync {

// "MOVED 3999 10.0.0.2:6379" or "ASK ...".
struct Redirection {
  bool is_ask = false;  // for this command alone
  std::uint16_t slot = 0;
  std::string host{};  // "": that of whoever says so, or not known there
  std::uint16_t port = 0;

  static std::optional<Redirection> parse(std::string_view error);
};

class ClusterMap {
 public:
  static constexpr std::uint16_t nobody = 0xffff;
  static constexpr std::size_t primaries_max = 1'000;

  ClusterMap() noexcept { owners_.fill(nobody); }

  // The answer to CLUSTER SLOTS of the server at `asked`, whose user, password and TLS all have. Of
  // a slot in several ranges the last counts. Errors: corrupt; unavailable where there are none,
  // or with the server's words.
  static Result<ClusterMap> read(const RedisReply& reply, const RedisAddress& asked);

  // In the order in which they were met.
  const std::vector<RedisAddress>& primaries() const noexcept { return primaries_; }
  // An index of primaries(), or nobody.
  std::uint16_t owner(std::uint16_t slot) const noexcept { return owners_[slot]; }

 private:
  std::uint16_t index_of(const RedisAddress& primary);

  std::vector<RedisAddress> primaries_;
  std::array<std::uint16_t, key_slots> owners_;
};

}  // namespace videosync
