// The forms of --redis, good ones and bad ones.
#include "storage/redis/link/redis_address.h"

#include <criterion/criterion.h>

using namespace videosync;

Test(redis_address, the_parts_of_a_server) {
  const RedisLocation plain = parse_redis_url("redis://localhost:6379").value();
  cr_assert((plain.server == RedisAddress{.host = "localhost", .port = 6379}));
  cr_assert_not(plain.has_sentinels());

  const RedisLocation full = parse_redis_url("redis://app:p@ss%2f:@10.0.0.1:7000/2").value();
  cr_assert((full.server == RedisAddress{"10.0.0.1", 7000, "", "app", "p@ss/:", 2}));
  cr_assert_eq(parse_redis_url("redis://:secret@[::1]:1")->server.host, "::1");
  cr_assert_eq(parse_redis_url("redis+unix:/run/redis.sock")->server.unix_path, "/run/redis.sock");
}

Test(redis_address, the_parts_of_sentinels) {
  const RedisLocation location =
      parse_redis_url("redis+sentinel://app:secret@a:26379,[::2]:26380/mymaster/3").value();
  cr_assert(location.has_sentinels());
  cr_assert_eq(location.sentinels.size(), 2);
  cr_assert_eq(location.sentinels[0].host, "a");
  cr_assert_eq(location.sentinels[0].password, "");
  cr_assert_eq(location.sentinels[1].host, "::2");
  cr_assert_eq(location.sentinels[1].port, 26'380);
  cr_assert_eq(location.master_name, "mymaster");
  cr_assert_eq(location.server.user, "app");
  cr_assert_eq(location.server.password, "secret");
  cr_assert_eq(location.server.database, 3);
  cr_assert_eq(parse_redis_url("redis+sentinel://a:1/m")->server.database, 0);
}

Test(redis_address, the_servers_of_a_cluster) {
  const RedisLocation location =
      parse_redis_url("redis+cluster://app:secret@a:7000,[::2]:7001/").value();
  cr_assert(location.is_cluster() && !location.has_sentinels() && !location.is_tls());
  cr_assert_eq(location.cluster_seeds.size(), 2);
  cr_assert((location.cluster_seeds[0] == RedisAddress{"a", 7000, "", "app", "secret"}));
  cr_assert((location.cluster_seeds[1] == RedisAddress{"::2", 7001, "", "app", "secret"}));
  cr_assert_not(parse_redis_url("redis://a:1")->is_cluster());
}

Test(redis_address, bad_ones_are_refused_without_giving_a_password_away) {
  for (const std::string_view url : {"",
                                     "localhost:6379",
                                     "redis://",
                                     "redis://h",
                                     "redis://h:0",
                                     "redis://h:6379/x",
                                     "redis://h:6379/",
                                     "redis://secret@h:6379",
                                     "redis://u:secret%2@h:6379",
                                     "redis+unix:",
                                     "redis+sentinel://a:1",
                                     "redis+sentinel://a:1,/m",
                                     "redis+sentinel://a:1/",
                                     "redis+sentinel://a:1/m/x",
                                     "redis+sentinel://secret@a:1/m",
                                     "rediss://u:secret@h",
                                     "rediss+sentinel://u:secret@h:6379",
                                     "redis+cluster://",
                                     "redis+cluster://a",
                                     "redis+cluster://a:1,",
                                     "redis+cluster://a:1/2",
                                     "redis+cluster://secret@a:1"}) {
    const auto parsed = parse_redis_url(url);
    cr_assert_not(parsed.has_value(), "%s", std::string(url).c_str());
    cr_assert_not(parsed.error().message.contains("secret"));
  }
}

Test(redis_address, tls_where_hiredis_has_it) {
  const auto server = parse_redis_url("rediss://u:secret@h:6379/2");
  const auto sentinels = parse_redis_url("rediss+sentinel://a:1,b:2/m");
  cr_assert_eq(server.has_value(), has_redis_tls());
  cr_assert_eq(sentinels.has_value(), has_redis_tls());
  cr_assert_not(parse_redis_url("redis://h:6379")->is_tls());
  cr_assert_not(parse_redis_url("redis+sentinel://a:1/m")->sentinels[0].is_tls);
  if (has_redis_tls()) {
    cr_assert((server->server == RedisAddress{"h", 6379, "", "u", "secret", 2, true}));
    cr_assert(sentinels->is_tls() && sentinels->sentinels[0].is_tls &&
              sentinels->sentinels[1].is_tls);
    return;
  }
  cr_assert(server.error().code == ErrorCode::unsupported);
  for (const std::string_view part :
       {"rediss://u:***@h", "TLS", "hiredis 0.", "Debian 13", "stunnel"})
    cr_assert(server.error().message.contains(part), "%s", server.error().message.c_str());
  cr_assert_not(server.error().message.contains("secret"));
}

Test(redis_address, as_text) {
  cr_assert_eq(without_password("redis://u:p@ss@h:1/0"), "redis://u:***@h:1/0");
  cr_assert_eq(without_password("redis://h:1"), "redis://h:1");
  cr_assert_eq(without_password("secret@h:1"), "***@h:1");
  cr_assert_eq(without_password("u:secret://more@h:1"), "u:***@h:1", "its scheme was left out");
  cr_assert_eq(to_string(RedisAddress{.host = "::1", .port = 7}), "[::1]:7");
  cr_assert_eq(to_string(RedisAddress{.host = "h", .port = 7}), "h:7");
  cr_assert_eq(to_string(RedisAddress{.unix_path = "/r"}), "/r");
}
