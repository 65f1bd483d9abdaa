// RedisPair's channels of both kinds against a real redis-server that is a cluster of one, and
// Sentinels that a test plays; what it is to a store, the tests of stores show.
#include "storage/redis/link/redis_pair.h"

#include <criterion/criterion.h>

#include <memory>
#include <string>
#include <vector>

#include "storage/key_slots.h"
#include "tests/support/redis_answer.h"
#include "tests/support/redis_server.h"
#include "tests/support/scripted_cluster.h"
#include "tests/support/scripted_redis.h"
#include "tests/support/test_loop.h"

using namespace videosync;
using namespace videosync::test;

namespace {

struct PairOnCluster final : TestLoop, RedisPairOwner {
  std::uint16_t port = free_tcp_port();
  RedisServer server{{"--cluster-enabled", "yes", "--bind", "127.0.0.1", "--port",
                      std::to_string(port), "--cluster-port", std::to_string(free_tcp_port()),
                      "--cluster-require-full-coverage", "no"}};
  RedisPair pair{
      *reactor, *this, RedisLocation{server.address(), {}, {}}, {}, RedisPair::Place::in_cluster};
  int ready = 0;
  std::vector<std::string> losses, messages, moved, follows;

  PairOnCluster() {
    pair.start();
    until([&] { return ready == 1; }, "a pair that is ready");
    cr_assert_eq(ask({"CLUSTER", "ADDSLOTSRANGE", "0", "16383"}), "OK");
  }
  ~PairOnCluster() {
    pair.stop();
    until([&] { return pair.is_idle(); }, "rest");
  }

  void on_pair_connected() noexcept override {}
  void on_pair_ready() noexcept override { ++ready; }
  void on_pair_lost(const Error& why) noexcept override { losses.push_back(why.message); }
  void on_pair_message(std::string_view channel, std::string_view payload) noexcept override {
    messages.push_back(std::string(channel) + ":" + std::string(payload));
  }
  void on_pair_moved(std::string_view channel) noexcept override { moved.emplace_back(channel); }
  void on_pair_round_trip(std::int64_t) noexcept override {}

  std::string ask(const std::vector<std::string_view>& words) {
    std::string answer;
    pair.command(words, [&](Result<RedisReply> reply) noexcept { answer = text_of(reply); });
    until([&] { return !answer.empty(); }, "an answer");
    return answer;
  }
  // "" or why not.
  std::string follow(const std::string& channel, RedisChannelKind kind) {
    const std::size_t before = follows.size();
    pair.follow(
        channel,
        [this](Result<> result) noexcept {
          follows.push_back(result ? "" : result.error().message);
        },
        kind);
    until([&] { return follows.size() > before; }, "an answer");
    return follows.back();
  }
};

}  // namespace

Test(redis_pair, channels_of_both_kinds_are_followed_and_slots_that_go_are_told) {
  PairOnCluster test;
  const std::string events = "{a}:events";
  const std::string slot = std::to_string(slot_of_name(events));
  cr_assert_eq(test.follow(events, RedisChannelKind::sharded), "");
  cr_assert_eq(test.follow("all", RedisChannelKind::plain), "");
  cr_assert_eq(test.ask({"SPUBLISH", events, "1"}), "1");
  cr_assert_eq(test.ask({"PUBLISH", "all", "2"}), "1");
  test.until([&] { return test.messages.size() == 2; }, "messages");
  cr_assert_eq(test.ask({"CLUSTER", "DELSLOTS", slot}), "OK");
  test.until([&] { return test.moved.size() == 1; }, "the news");
  cr_assert_eq(test.follow(events, RedisChannelKind::sharded),
               "the channel's slot is at another server");
  cr_assert(test.moved == std::vector<std::string>({events, events}));
  test.pair.unfollow(events);
  cr_assert_eq(test.ask({"CLUSTER", "ADDSLOTS", slot}), "OK");
  cr_assert_eq(test.follow(events, RedisChannelKind::sharded), "");
  cr_assert(test.pair.is_ready() && test.losses.empty());
}

// --- Sentinels -----------------------------------------------------------------------------------

namespace {

// Two Sentinels, and what may be their master.
struct PairOfSentinels final : ScriptedCluster, RedisPairOwner {
  std::unique_ptr<RedisPair> pair;
  int ready = 0;
  std::vector<std::string> losses;

  PairOfSentinels() : ScriptedCluster(3) {}
  virtual ~PairOfSentinels() {
    pair->stop();
    until([&] { return pair->is_idle(); }, "rest");
  }
  void start() {
    pair = std::make_unique<RedisPair>(
        *reactor, *this, RedisLocation{{}, {at(0).address(), at(1).address()}, "show"},
        RedisLink::Options{});
    pair->start();
  }
  static std::string naming(std::string_view host, std::uint16_t port) {
    return resp_array({host, std::to_string(port)});
  }
  std::string naming_the_master() { return naming("127.0.0.1", at(2).address().port); }

  void on_pair_connected() noexcept override {}
  void on_pair_ready() noexcept override { ++ready; }
  void on_pair_lost(const Error& why) noexcept override { losses.push_back(why.message); }
  void on_pair_message(std::string_view, std::string_view) noexcept override {}
  void on_pair_round_trip(std::int64_t) noexcept override {}
};

}  // namespace

Test(redis_pair, the_next_sentinel_is_asked_where_one_names_a_master_that_is_gone) {
  PairOfSentinels sentinels;
  sentinels.at(0).master = PairOfSentinels::naming("127.0.0.1", free_tcp_port());
  sentinels.at(1).master = sentinels.naming_the_master();
  sentinels.start();
  sentinels.until([&] { return sentinels.ready == 1; }, "the master");
}

Test(redis_pair, the_next_sentinel_is_asked_where_one_knows_of_no_master_or_says_something_else) {
  for (const std::string& said :
       {std::string("*-1\r\n"), std::string("-ERR unknown command\r\n"), std::string(":1\r\n"),
        resp_array({"127.0.0.1"}), resp_array({"", "6379"}), resp_array({"127.0.0.1", "x"}),
        resp_array({"127.0.0.1", "0"}), resp_array({"127.0.0.1", "65536"})}) {
    PairOfSentinels sentinels;
    sentinels.at(0).master = said;
    sentinels.at(1).master = sentinels.naming_the_master();
    sentinels.start();
    sentinels.until([&] { return sentinels.ready == 1; }, said.c_str());
    cr_assert(sentinels.losses.at(0).starts_with("Sentinel 127.0.0.1:"), "%s",
              sentinels.losses.at(0).c_str());
  }
}

Test(redis_pair, a_failover_is_followed) {
  PairOfSentinels sentinels;
  sentinels.at(0).master = sentinels.naming_the_master();
  sentinels.start();
  sentinels.until([&] { return sentinels.ready == 1; }, "the master");
  sentinels.at(0).master = PairOfSentinels::naming("127.0.0.1", sentinels.at(1).address().port);
  sentinels.until([&] { return sentinels.ready == 2; }, "the new one");
  cr_assert_eq(sentinels.pair->address().port, sentinels.at(1).address().port);
}
