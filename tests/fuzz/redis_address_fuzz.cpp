// Fuzzes --redis: what is understood reads the same when it is written again, and no complaint
// repeats the password.
//
// The whole input as a URL; and, by its first byte, as the parts that a URL is made of.
//
// Reads: storage/redis/link/redis_address.cpp
#include "storage/redis/link/redis_address.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/assert.h"
#include "core/base/text.h"
#include "tests/fuzz/support/fuzz_lines.h"

using namespace videosync;
using namespace videosync::fuzz;

namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    out += '%' + to_hex({&byte, 1});
  }
  return out;
}

std::string list_of(const std::vector<RedisAddress>& addresses) {
  std::string list;
  for (const RedisAddress& address : addresses)
    list += (list.empty() ? "" : ",") + to_string(address);
  return list;
}

std::string write(const RedisLocation& location) {
  const RedisAddress& server = location.server;
  if (!server.unix_path.empty()) return "redis+unix:" + server.unix_path;
  const RedisAddress& secrets = location.is_cluster() ? location.cluster_seeds.front() : server;
  std::string url = location.is_tls() ? "rediss" : "redis";
  url += location.is_cluster() ? "+cluster://" : location.has_sentinels() ? "+sentinel://" : "://";
  url += escaped(secrets.user) + ":" + escaped(secrets.password) + "@";
  if (location.is_cluster()) return url + list_of(location.cluster_seeds);
  url += location.has_sentinels() ? list_of(location.sentinels) + "/" + location.master_name
                                  : to_string(server);
  return url + "/" + std::to_string(server.database);
}

void check(const RedisLocation& location) {
  VS_ASSERT(location.has_sentinels() == !location.master_name.empty());
  VS_ASSERT(location.sentinels.size() <= 16 && location.cluster_seeds.size() <= 16);
  for (const auto* list : {&location.sentinels, &location.cluster_seeds})
    for (const RedisAddress& address : *list)
      VS_ASSERT(!address.host.empty() && address.port > 0 && address.is_tls == location.is_tls());
  const auto again = parse_redis_url(write(location));
  VS_ASSERT(again && again->server == location.server && again->sentinels == location.sentinels);
  VS_ASSERT(again->master_name == location.master_name);
  VS_ASSERT(again->cluster_seeds == location.cluster_seeds);
}

// Scheme, user, password, place: each a line. Behind the last @ a password may stand nowhere.
void check_secret(std::uint8_t choice, std::string_view text) {
  constexpr std::array<std::string_view, 10> schemes{"redis://",          "rediss://",
                                                     "redis+sentinel://", "rediss+sentinel://",
                                                     "redis+cluster://",  "rediss+cluster://",
                                                     "redis+other://",    "",
                                                     "http://",           "redis:/"};
  std::string user(take_line(text));
  const std::string password(take_line(text));
  std::erase(user, ':');
  const std::string place(text.substr(0, text.find('@')));
  constexpr std::size_t telling = 6;  // shorter ones stand in the words of a complaint by chance
  // What is shown in its place are stars. "redis:" and "//..." is a URL, and not a user and a
  // password without a scheme.
  if (password.size() < telling || password.starts_with("//")) return;
  if (password.find('*') != password.npos) return;
  const std::string front = std::string(schemes[choice % schemes.size()]) + user + ":";
  const std::string url = front + password + "@" + place;
  const std::string shown = without_password(url);
  for (std::size_t i = 0; i + telling <= password.size(); ++i) {
    const std::string part = password.substr(i, telling);
    const bool is_elsewhere = (front + "@" + place).find(part) != std::string::npos;
    VS_ASSERT(is_elsewhere || shown.find(part) == std::string::npos);
  }
  const auto location = parse_redis_url(url);
  if (!location) VS_ASSERT(location.error().message.find(shown) != std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = text_of(data, size);
  if (const auto location = parse_redis_url(text)) check(*location);
  if (size > 0) check_secret(data[0], text.substr(1));
  return 0;
}
