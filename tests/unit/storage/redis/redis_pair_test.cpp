// RedisPair's channels of both kinds against a real redis-server that is a cluster of one; what it
// is to a store, the tests of stores show.
#include "storage/redis/redis_pair.h"

#include <criterion/criterion.h>

#include <string>
#include <vector>

#include "storage/key_slots.h"
#include "tests/support/redis_answer.h"
#include "tests/support/redis_server.h"
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
