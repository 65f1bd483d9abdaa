// The forms of --redis: where a Redis is and how to be let in, without talking to it.
//
//   redis://[user:password@]host:port[/db]
//   redis+unix:PATH
//   redis+sentinel://[user:password@]host:port[,host:port...]/NAME[/db]
//   redis+cluster://[user:password@]host:port[,host:port...]
//   rediss://, rediss+sentinel:// and rediss+cluster://, the same over TLS
//
// User and password may be percent-encoded. With Sentinels they are for the master that those name;
// the Sentinels themselves are asked without a password. Of a cluster's servers some are named, to
// ask them for the others; user and password are for all. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"

namespace videosync {

struct RedisAddress {
  std::string host = "127.0.0.1";  // a name or an address, without brackets
  std::uint16_t port = 6379;
  std::string unix_path = {};  // not empty: the two above do not count
  std::string user = {};       // "": the default user
  std::string password = {};   // "": no AUTH
  std::uint32_t database = 0;
  bool is_tls = false;

  friend bool operator==(const RedisAddress&, const RedisAddress&) = default;
};

struct RedisLocation {
  RedisAddress server;                  // with Sentinels: host and port do not count
  std::vector<RedisAddress> sentinels;  // in the order in which to ask; empty: server is the place
  std::string master_name;              // not empty exactly with Sentinels
  std::vector<RedisAddress> cluster_seeds{};  // not empty: it is a cluster; server does not count

  bool is_cluster() const noexcept { return !cluster_seeds.empty(); }
  bool has_sentinels() const noexcept { return !sentinels.empty(); }
  bool is_tls() const noexcept {
    return is_cluster() ? cluster_seeds.front().is_tls : server.is_tls;
  }
};

// Whether this build can speak TLS to Redis: hiredis can from 1.0 on.
bool has_redis_tls() noexcept;

// Errors never repeat a password. unsupported: TLS, where has_redis_tls() is false.
Result<RedisLocation> parse_redis_url(std::string_view url);

// The URL with its password, if any, as "***": for logs and messages.
std::string without_password(std::string_view url);

// "host:port", "[host]:port" or the path: for logs and messages.
std::string to_string(const RedisAddress& address);

}  // namespace videosync
