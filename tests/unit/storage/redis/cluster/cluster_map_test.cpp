// What servers of a cluster say to whoever asks the wrong one, and who has which slots.
#include "storage/redis/cluster/cluster_map.h"

#include <criterion/criterion.h>

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/scripted_redis.h"
#include "tests/support/test_link.h"

using namespace videosync;
using namespace videosync::test;

namespace {

// What answers of servers, as they stand on the wire, are read as.
class Reading {
 public:
  Reading() : link_(server_.address()) {
    server_.accept(link_);
    server_.expect(link_, resp_array({"PING"}));
    server_.say("+PONG\r\n");
    link_.until_ready(1);
  }

  Result<ClusterMap> read(std::string_view answer) {
    std::optional<Result<ClusterMap>> map;
    link_.link->command(std::array<std::string_view, 1>{"ASK"},
                        [&](Result<RedisReply> reply) noexcept {
                          cr_assert(reply.has_value());
                          map = ClusterMap::read(*reply, asked);
                        });
    server_.expect(link_, resp_array({"ASK"}));
    constexpr std::size_t bytes_max = 16'384;  // at a time, of long ones
    for (; answer.size() > bytes_max; answer.remove_prefix(bytes_max)) {
      server_.say(answer.substr(0, bytes_max));
      link_.reactor->turn(0);
    }
    server_.say(answer);
    link_.until([&] { return map.has_value(); }, "the answer");
    return std::move(*map);
  }
  // "" where it was read.
  std::string refusal(std::string_view answer) {
    const auto map = read(answer);
    return map ? "" : map.error().message;
  }

  const RedisAddress asked{.host = "asked.example", .port = 7'000, .user = "app", .is_tls = true};

 private:
  ScriptedRedis server_;
  TestLink link_;
};

std::string array(std::initializer_list<std::string_view> items) {
  std::string all = "*" + std::to_string(items.size()) + "\r\n";
  for (const std::string_view item : items)
    all += item;
  return all;
}
std::string number(std::int64_t value) {
  return ":" + std::to_string(value) + "\r\n";
}
std::string words(std::string_view value) {
  return "$" + std::to_string(value.size()) + "\r\n" + std::string(value) + "\r\n";
}
const std::string null = "$-1\r\n";
std::string server(std::string_view host, std::int64_t port) {
  return array({words(host), number(port), words("id")});
}
std::string range(std::int64_t first, std::int64_t last, std::string_view primary) {
  return array({number(first), number(last), primary});
}

const std::string one = server("10.0.0.1", 7'001);
const std::string two = server("10.0.0.2", 7'002);
constexpr std::string_view no_slots = "CLUSTER SLOTS answers something else than slots";

}  // namespace

Test(cluster_map, redirections_are_read) {
  const auto moved = Redirection::parse("MOVED 3999 127.0.0.1:6381");
  cr_assert(moved && !moved->is_ask && moved->slot == 3'999);
  cr_assert(moved->host == "127.0.0.1" && moved->port == 6'381);
  const auto ask = Redirection::parse("ASK 16383 ::1:7000");
  cr_assert(ask && ask->is_ask && ask->slot == 16'383 && ask->host == "::1" && ask->port == 7'000);
  const auto nameless = Redirection::parse("MOVED 0 :6381");
  cr_assert(nameless && nameless->host.empty(), "that of whoever says so");
  const auto unknown = Redirection::parse("MOVED 0 ?:6381");
  cr_assert(unknown && unknown->host.empty(), "a server whose name is not known there yet");
}

Test(cluster_map, what_is_no_redirection_is_none) {
  for (const std::string_view text :
       {"", "MOVED", "MOVED ", "MOVED 1", "MOVED 1 ", "MOVED 1 host", "MOVED 16384 h:1",
        "MOVED -1 h:1", "MOVED x h:1", "MOVED 1 h:0", "MOVED 1 h:65536", "ASKING 1 h:1",
        "ERR MOVED 1 h:1", "moved 1 h:1", "MOVED 1:2 "}) {
    cr_assert_not(Redirection::parse(text).has_value(), "%s", std::string(text).c_str());
  }
}

Test(cluster_map, ranges_say_who_has_which_slots) {
  Reading reading;
  const auto map =
      reading.read(array({range(0, 5'000, one), array({number(5'002), number(16'383), two, one}),
                          range(5'001, 5'001, one)}));
  cr_assert(map.has_value());
  cr_assert_eq(map->primaries().size(), 2u, "replicas are none");
  for (const unsigned slot : {0U, 5'000U, 5'001U})
    cr_assert_eq(map->owner(static_cast<std::uint16_t>(slot)), 0);
  for (const unsigned slot : {5'002U, 16'383U})
    cr_assert_eq(map->owner(static_cast<std::uint16_t>(slot)), 1);
  RedisAddress expected = reading.asked;  // user, password and TLS are those of whoever was asked
  expected.host = "10.0.0.2";
  expected.port = 7'002;
  cr_assert(map->primaries()[1] == expected);
}

Test(cluster_map, slots_in_no_range_are_nobodys) {
  Reading reading;
  const auto map = reading.read(array({range(10, 10, one)}));
  cr_assert(map.has_value());
  for (const unsigned slot : {0U, 9U, 11U, 16'383U})
    cr_assert_eq(map->owner(static_cast<std::uint16_t>(slot)), ClusterMap::nobody);
  cr_assert_eq(map->owner(10), 0);
}

Test(cluster_map, of_a_slot_in_several_ranges_the_last_counts) {
  Reading reading;
  const auto map = reading.read(array({range(0, 16'383, one), range(100, 200, two)}));
  cr_assert(map.has_value());
  cr_assert(map->owner(99) == 0 && map->owner(201) == 0);
  cr_assert(map->owner(100) == 1 && map->owner(200) == 1);
}

Test(cluster_map, a_host_that_is_not_told_is_that_of_whoever_was_asked) {
  Reading reading;
  const std::string port = number(7'001);
  for (const std::string& host : {null, words(""), words("?")}) {
    const auto map = reading.read(array({range(0, 1, array({host, port}))}));
    cr_assert(map.has_value());
    cr_assert(map->primaries()[0].host == "asked.example" && map->primaries()[0].port == 7'001);
  }
}

// cluster-preferred-endpoint-type hostname, of a server whose name the asked one has not heard yet.
Test(cluster_map, where_the_name_is_not_known_the_address_beside_it_counts) {
  Reading reading;
  const auto with = [&](const std::string& host, const std::string& more) {
    const auto map =
        reading.read(array({range(0, 1, array({host, number(7'001), words("id"), more}))}));
    cr_assert(map.has_value());
    return map->primaries()[0].host;
  };
  const std::string ip = array({words("ip"), words("10.0.0.9")});
  cr_assert(with(words("?"), ip) == "10.0.0.9");
  cr_assert(with(words("?"), array({words("shard"), words("ip"), words("ip"),
                                    words("10.0.0.9")})) == "10.0.0.9");
  cr_assert(with(words("named.example"), ip) == "named.example");
  cr_assert(with(null, ip) == "asked.example", "clients are not to use it");
  for (const std::string& more :
       {array({}), array({words("ip")}), array({words("ip"), null}), array({number(1), number(2)}),
        array({words("hostname"), words("x")}), words("ip"), number(4), null})
    cr_assert(with(words("?"), more) == "asked.example");
}

Test(cluster_map, a_cluster_without_slots_says_so) {
  Reading reading;
  const auto map = reading.read(array({}));
  cr_assert(!map && map.error().code == ErrorCode::unavailable);
  cr_assert(map.error().message == "the Redis Cluster has given no slots to its servers yet");
}

Test(cluster_map, a_server_that_refuses_is_told_in_its_words) {
  Reading reading;
  cr_assert(reading.refusal("-NOPERM no permissions\r\n") == "NOPERM no permissions");
  const std::string alone = reading.refusal("-ERR This instance has cluster support disabled\r\n");
  cr_assert(alone.starts_with("ERR This instance has cluster support disabled: ") &&
                alone.ends_with("redis://"),
            "%s", alone.c_str());
}

Test(cluster_map, what_is_no_range_of_slots_is_refused) {
  Reading reading;
  for (const std::string& each : {range(-1, 5, one),
                                  range(0, -1, one),
                                  range(5, 4, one),
                                  range(0, 16'384, one),
                                  range(16'384, 16'384, one),
                                  range(INT64_MIN, INT64_MAX, one),
                                  range(65'536, 65'540, one),
                                  array({words("0"), number(5), one}),
                                  array({number(0), words("5"), one}),
                                  array({null, number(5), one}),
                                  array({number(0), null, one}),
                                  array({}),
                                  array({number(0)}),
                                  array({number(0), number(5)}),
                                  array({one, number(0), number(5)}),
                                  number(5),
                                  words("0-5"),
                                  null,
                                  std::string("*-1\r\n"),
                                  std::string("+OK\r\n"),
                                  array({array({range(0, 5, one)})})}) {
    cr_assert(reading.refusal(array({each})) == no_slots, "%s", each.c_str());
    const std::string behind = reading.refusal(array({range(0, 1, one), each}));
    cr_assert(behind == no_slots, "behind one that is: %s", each.c_str());
  }
}

Test(cluster_map, a_range_without_a_server_is_refused) {
  Reading reading;
  const std::string host = words("10.0.0.1");
  for (const std::string& each :
       {null, host, number(7'001), std::string("*-1\r\n"), array({}), array({host}),
        array({host, null}), array({host, words("7001")}), array({host, number(0)}),
        array({host, number(-1)}), array({host, number(65'536)}), array({host, array({})}),
        array({number(5), number(7'001)}), array({array({host, number(7'001)})})}) {
    cr_assert(reading.refusal(array({range(0, 5, each)})) == no_slots, "%s", each.c_str());
  }
}

Test(cluster_map, what_is_no_list_is_refused) {
  Reading reading;
  for (const std::string& each : {number(0), number(16'384), words("slots"), words(""), null,
                                  std::string("*-1\r\n"), std::string("+OK\r\n")}) {
    const auto map = reading.read(each);
    cr_assert(!map && map.error().code == ErrorCode::corrupt, "%s", each.c_str());
  }
}

Test(cluster_map, as_many_ranges_as_slots_and_no_more) {
  Reading reading;
  std::string ranges;
  for (std::int64_t slot = 0; slot < 16'384; ++slot)
    ranges += range(slot, slot, slot % 2 == 0 ? one : two);
  const auto map = reading.read("*16384\r\n" + ranges);
  cr_assert(map.has_value());
  cr_assert(map->owner(16'382) == 0 && map->owner(16'383) == 1);
  cr_assert(reading.refusal("*16385\r\n" + ranges + range(0, 0, one)) ==
            "CLUSTER SLOTS has too many ranges");
}

Test(cluster_map, as_many_primaries_as_it_takes_and_no_more) {
  Reading reading;
  std::string ranges;
  for (std::size_t i = 0; i < ClusterMap::primaries_max; ++i) {
    const auto slot = static_cast<std::int64_t>(i);
    ranges += range(slot, slot, server("10.0.0.1", 1 + slot));
  }
  const std::string first = range(16'000, 16'000, server("10.0.0.1", 1));  // is known
  const auto map = reading.read("*1001\r\n" + ranges + first);
  cr_assert(map.has_value() && map->primaries().size() == ClusterMap::primaries_max);
  cr_assert(reading.refusal("*1001\r\n" + ranges + range(16'000, 16'000, two)) == no_slots);
}
