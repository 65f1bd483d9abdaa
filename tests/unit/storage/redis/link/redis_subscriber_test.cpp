// RedisSubscriber against a real redis-server, also as a cluster of one and of two, and against one
// that says what a test wants.
#include "storage/redis/link/redis_subscriber.h"

#include <criterion/criterion.h>
#include <poll.h>

#include <string>
#include <vector>

#include "storage/key_slots.h"
#include "tests/support/redis_server.h"
#include "tests/support/scripted_redis.h"
#include "tests/support/test_link.h"
#include "tests/support/test_subscriber.h"

using namespace videosync;
using namespace videosync::test;

namespace {

using Kind = RedisSubscriber::Kind;

// A server with all slots, or none; its commands go through `link`.
struct ClusterNode {
  std::uint16_t port = free_tcp_port();
  std::uint16_t bus_port = free_tcp_port();
  RedisServer server{{"--cluster-enabled", "yes", "--bind", "127.0.0.1", "--port",
                      std::to_string(port), "--cluster-port", std::to_string(bus_port)}};
  TestLink link{server.address()};

  explicit ClusterNode(bool has_slots = true) {
    link.until_ready(1);
    if (has_slots) cr_assert_eq(link.ask({"CLUSTER", "ADDSLOTSRANGE", "0", "16383"}), "OK");
    // A server that is of no use alone waits before it is: what tests here ask does not need that.
    cr_assert_eq(link.ask({"CONFIG", "SET", "cluster-require-full-coverage", "no"}), "OK");
  }

  // Redis 8 refuses to let a sharded channel be left before that.
  void until_whole() {
    for (int i = 0; i < 1'000; ++i) {
      if (link.ask({"CLUSTER", "INFO"}).find("cluster_state:ok") != std::string::npos) return;
      ::poll(nullptr, 0, 10);
    }
    cr_assert_fail("the cluster is still down");
  }
  std::string cluster(std::string_view what, const std::string& channel) {
    return link.ask({"CLUSTER", what, std::to_string(slot_of_name(channel))});
  }
};

std::string subscribe_words(std::string_view channel) {
  return resp_array({"SUBSCRIBE", channel});
}
std::string confirmation(std::string_view verb, std::string_view channel) {
  return "*3\r\n" + resp_array({verb, channel}).substr(4) + ":1\r\n";
}

// A connection to it that has been greeted.
void greet(ScriptedRedis& server, TestSubscriber& heard, int times = 1) {
  server.accept(heard);
  server.expect(heard, resp_array({"PING"}));
  server.say("+PONG\r\n");
  heard.until_ready(times);
}

}  // namespace

// --- Connecting ----------------------------------------------------------------------------------

Test(redis_subscriber, a_killed_server_is_found_again_and_subscriptions_are_made_anew) {
  RedisServer server;
  TestSubscriber heard(server.address());
  heard.subscriber->subscribe("news");
  heard.until_subscribed();
  {
    TestLink publisher(server.address());
    publisher.until_ready(1);
    cr_assert_eq(publisher.ask({"PUBLISH", "news", "one"}), "1");
  }
  heard.until_messages(1);
  server.kill();
  heard.until([&] { return !heard.losses.empty(); }, "the loss");
  cr_assert(!heard.subscriber->is_subscribed() && !heard.subscriber->is_subscribed("news"));
  server.start();
  heard.until_ready(2);
  heard.until_subscribed();
  TestLink publisher(server.address());
  publisher.until_ready(1);
  cr_assert_eq(publisher.ask({"PUBLISH", "news", "two"}), "1");
  heard.until_messages(2);
  cr_assert(heard.messages == std::vector<std::string>({"news:one", "news:two"}));
  cr_assert(heard.confirmed == std::vector<std::string>({"news", "news"}));
}

Test(redis_subscriber, without_a_server_it_says_so_and_keeps_trying) {
  RedisAddress address{.host = "127.0.0.1", .port = free_tcp_port()};
  TestSubscriber heard(address);
  heard.until([&] { return heard.losses.size() >= 2; }, "two attempts");
  cr_assert_eq(heard.losses[0], "Connection refused", "%s", heard.losses[0].c_str());
  RedisServer server;
  heard.subscriber->move_to(server.address());
  heard.until_ready(1);
}

Test(redis_subscriber, a_path_at_which_nothing_is_is_told) {
  TestSubscriber heard({.unix_path = "/nowhere/redis.sock"});
  heard.until([&] { return !heard.losses.empty(); }, "the loss");
  cr_assert_eq(heard.losses[0], "No such file or directory", "%s", heard.losses[0].c_str());
}

Test(redis_subscriber, a_hung_server_costs_a_time_out_and_no_more) {
  RedisServer server;
  server.pause();
  TestSubscriber heard(server.address(), {.connect_timeout_ms = 100});
  heard.until([&] { return heard.losses.size() >= 2; }, "two attempts");
  cr_assert_eq(heard.losses[0], "no answer while connecting", "%s", heard.losses[0].c_str());
  server.resume();
  heard.until_ready(1);
}

Test(redis_subscriber, a_password_is_sent_and_a_wrong_one_is_told) {
  RedisServer server({"--requirepass", "secret"});
  RedisAddress address = server.address();
  address.password = "secret";
  TestSubscriber heard(address);
  heard.subscriber->subscribe("news");
  heard.until_subscribed();
  address.user = "default";
  TestSubscriber named(address);
  named.until_ready(1);
  address.password = "guess";
  TestSubscriber refused(address);
  refused.until([&] { return !refused.losses.empty(); }, "the refusal");
  cr_assert(refused.losses[0].starts_with("WRONGPASS"), "%s", refused.losses[0].c_str());
  TestSubscriber without(server.address());
  without.until([&] { return !without.losses.empty(); }, "the refusal");
  cr_assert(without.losses[0].starts_with("NOAUTH"), "%s", without.losses[0].c_str());
}

Test(redis_subscriber, what_a_server_said_before_it_hung_up_is_told) {
  ScriptedRedis server;
  TestSubscriber heard(server.address());
  server.accept(heard);
  server.expect(heard, resp_array({"PING"}));
  server.say("-ERR max number of clients reached\r\n");
  server.hang_up();
  heard.until([&] { return !heard.losses.empty(); }, "the loss");
  cr_assert_eq(heard.losses[0], "ERR max number of clients reached");
  greet(server, heard);
  server.hang_up();
  heard.until([&] { return heard.losses.size() == 2; }, "the second loss");
  cr_assert_eq(heard.losses[1], "Server closed the connection");
}

Test(redis_subscriber, an_owner_who_stops_it_when_it_is_lost_is_not_called_again) {
  struct Quitter final : RedisSubscriberOwner {
    RedisSubscriber* subscriber = nullptr;
    int losses = 0;
    void on_redis_ready() noexcept override {}
    void on_redis_lost(const Error&) noexcept override {
      ++losses;
      subscriber->stop();
    }
    void on_redis_message(std::string_view, std::string_view) noexcept override {}
    void on_redis_subscribed(std::string_view) noexcept override {}
  };
  RedisServer server;
  TestLoop loop;
  Quitter owner;
  RedisSubscriber subscriber(*loop.reactor, owner, server.address(), {});
  owner.subscriber = &subscriber;
  subscriber.start();
  loop.until([&] { return subscriber.is_ready(); }, "a connection");
  subscriber.reconnect({ErrorCode::unavailable, "enough", 0}, 0);
  loop.until([&] { return subscriber.is_idle(); }, "rest");
  cr_assert_eq(owner.losses, 1);
}

// --- Plain channels ------------------------------------------------------------------------------

Test(redis_subscriber, there_may_be_no_channel_in_between) {
  RedisServer server;
  TestSubscriber heard(server.address());
  heard.until_ready(1);
  TestLink publisher(server.address());
  publisher.until_ready(1);
  for (int i = 0; i < 3; ++i) {
    heard.subscriber->subscribe("news");
    heard.until_subscribed();
    cr_assert_eq(publisher.ask({"PUBLISH", "news", std::to_string(i)}), "1");
    heard.until_messages(static_cast<std::size_t>(i) + 1);
    heard.subscriber->unsubscribe("news");
    heard.until([&] { return publisher.ask({"PUBLISH", "news", "nobody"}) == "0"; }, "its end");
    heard.messages.resize(static_cast<std::size_t>(i) + 1);  // some may have come until then
  }
  cr_assert(heard.losses.empty());
}

Test(redis_subscriber, a_channel_that_is_left_and_taken_again_at_once_is_confirmed_once) {
  ScriptedRedis server;
  TestSubscriber heard(server.address());
  greet(server, heard);
  heard.subscriber->subscribe("a");
  heard.subscriber->unsubscribe("a");
  heard.subscriber->subscribe("a");
  server.expect(heard,
                subscribe_words("a") + resp_array({"UNSUBSCRIBE", "a"}) + subscribe_words("a"));
  server.say(confirmation("subscribe", "a") + resp_array({"message", "a", "early"}));
  heard.until_messages(1);
  cr_assert(heard.confirmed.empty());  // it is about to be left
  server.say(confirmation("unsubscribe", "a"));
  server.say(confirmation("subscribe", "a"));
  heard.until_subscribed();
  cr_assert(heard.subscriber->is_subscribed("a"));
  cr_assert_eq(heard.confirmed.size(), 1);
}

Test(redis_subscriber, what_a_turn_asks_for_leaves_in_one_write) {
  ScriptedRedis server;
  TestSubscriber heard(server.address());
  heard.subscriber->subscribe("a");
  heard.subscriber->subscribe("b", Kind::sharded);
  greet(server, heard);
  heard.subscriber->unsubscribe("a");
  heard.subscriber->unsubscribe("b");
  heard.subscriber->subscribe("c");
  // expect() takes what one recv brings: of a write all, on this machine.
  server.expect(heard, subscribe_words("a") + resp_array({"SSUBSCRIBE", "b"}));
  server.expect(heard, resp_array({"UNSUBSCRIBE", "a"}) + resp_array({"SUNSUBSCRIBE", "b"}) +
                           resp_array({"PING"}) + subscribe_words("c"));
}

Test(redis_subscriber, a_message_may_come_in_any_pieces) {
  ScriptedRedis server;
  TestSubscriber heard(server.address());
  greet(server, heard);
  heard.subscriber->subscribe("a");
  server.expect(heard, subscribe_words("a"));
  const std::string words = confirmation("subscribe", "a") +
                            resp_array({"message", "a", "\r\n$1"}) +
                            resp_array({"message", "a", ""});
  for (const char letter : words) {
    server.say({&letter, 1});
    heard.reactor->turn(1);
  }
  heard.until_messages(2);
  cr_assert(heard.messages == std::vector<std::string>({"a:\r\n$1", "a:"}));
}

Test(redis_subscriber, messages_of_any_size_come_as_they_were_and_the_too_long_one_ends_it) {
  RedisServer server;
  TestSubscriber heard(server.address(), {.message_bytes_max = 2'000'000});
  heard.subscriber->subscribe("news");
  heard.until_subscribed();
  TestLink publisher(server.address());
  publisher.until_ready(1);
  std::vector<std::string> said;
  for (const std::size_t bytes : {0, 1, 16'300, 16'384, 16'385, 300'000, 1'900'000, 5}) {
    said.push_back("news:" + std::string(bytes, 'x'));
    cr_assert_eq(publisher.ask({"PUBLISH", "news", said.back().substr(5)}), "1");
  }
  heard.until_messages(said.size());
  cr_assert(heard.messages == said);
  const std::string too_long(2'100'000, 'x');
  cr_assert_eq(publisher.ask({"PUBLISH", "news", too_long}), "1");
  heard.until([&] { return !heard.losses.empty(); }, "the end");
  cr_assert_eq(heard.losses[0], "a message is too long");
  heard.until_ready(2);
  heard.until_subscribed();
  cr_assert_eq(heard.messages.size(), said.size());
}

Test(redis_subscriber, a_channel_that_the_user_may_not_hear_ends_the_connection) {
  RedisServer server;
  TestLink admin(server.address());
  admin.until_ready(1);
  cr_assert_eq(admin.ask({"ACL", "SETUSER", "default", "resetchannels", "&news"}), "OK");
  TestSubscriber heard(server.address());
  heard.subscriber->subscribe("news");
  heard.until_subscribed();
  heard.subscriber->subscribe("other");
  heard.until([&] { return !heard.losses.empty(); }, "the refusal");
  cr_assert(heard.losses[0].starts_with("NOPERM"), "%s", heard.losses[0].c_str());
}

Test(redis_subscriber, an_answer_to_nothing_ends_the_connection) {
  ScriptedRedis server;
  TestSubscriber heard(server.address());
  const std::vector<std::string> words{
      confirmation("subscribe", "x"),
      confirmation("unsubscribe", "x"),
      resp_array({"pong", ""}),
      resp_array({"news", "a", "b"}),
      resp_array({"a", "b", "c", "d"}),
      "+PONG\r\n",
      ":1\r\n",
  };
  for (std::size_t i = 0; i < words.size(); ++i) {
    greet(server, heard, static_cast<int>(i) + 1);
    server.say(words[i]);
    heard.until([&] { return heard.losses.size() == i + 1; }, words[i].c_str());
    cr_assert_eq(heard.losses[i], "Redis has answered what was not asked");
  }
  greet(server, heard, static_cast<int>(words.size()) + 1);
  server.say("?\r\n");
  heard.until([&] { return heard.losses.size() == words.size() + 1; }, "what is no RESP");
  cr_assert(heard.losses.back().starts_with("Protocol error"), "%s", heard.losses.back().c_str());
}

// --- Sharded channels ----------------------------------------------------------------------------

Test(redis_subscriber, plain_and_sharded_channels_are_heard_on_one_connection) {
  ClusterNode node;
  node.until_whole();
  TestSubscriber heard(node.server.address());
  heard.subscriber->subscribe("{a}:one", Kind::sharded);
  heard.subscriber->subscribe("plain");
  heard.until_subscribed();
  heard.subscriber->subscribe("{b}:two", Kind::sharded);  // of another slot
  heard.until_subscribed();
  cr_assert_eq(node.link.ask({"SPUBLISH", "{a}:one", "1"}), "1");
  cr_assert_eq(node.link.ask({"PUBLISH", "plain", "2"}), "1");
  cr_assert_eq(node.link.ask({"SPUBLISH", "{b}:two", "3"}), "1");
  cr_assert_eq(node.link.ask({"PUBLISH", "{b}:two", "to nobody"}), "0");
  heard.until_messages(3);
  cr_assert(heard.messages == std::vector<std::string>({"{a}:one:1", "plain:2", "{b}:two:3"}));
  heard.subscriber->unsubscribe("{a}:one");
  heard.subscriber->unsubscribe("plain");
  heard.subscriber->unsubscribe("{b}:two");
  heard.subscriber->subscribe("{b}:two");  // the other kind
  heard.until_subscribed();
  cr_assert_eq(node.link.ask({"SPUBLISH", "{a}:one", "to nobody"}), "0");
  cr_assert_eq(node.link.ask({"SPUBLISH", "{b}:two", "to nobody"}), "0");
  cr_assert_eq(node.link.ask({"PUBLISH", "{b}:two", "4"}), "1");
  heard.until_messages(4);
  cr_assert(heard.losses.empty() && heard.moved.empty());
}

Test(redis_subscriber, a_slot_that_is_given_away_takes_its_channels_along_and_no_others) {
  ClusterNode node;
  const std::string gone = "{a}:events", stays = "{b}:events";
  TestSubscriber heard(node.server.address());
  heard.subscriber->subscribe(gone, Kind::sharded);
  heard.subscriber->subscribe(stays, Kind::sharded);
  heard.until_subscribed();
  cr_assert_eq(node.cluster("DELSLOTS", gone), "OK");
  heard.until([&] { return heard.moved.size() == 1; }, "the news");
  cr_assert_eq(heard.moved[0], gone);
  cr_assert(!heard.subscriber->is_subscribed() && !heard.subscriber->is_subscribed(gone));
  cr_assert(heard.subscriber->is_subscribed(stays));
  heard.subscriber->subscribe(gone, Kind::sharded);  // still not: CLUSTERDOWN
  heard.until([&] { return heard.moved.size() == 2; }, "the refusal");
  heard.subscriber->unsubscribe(gone);
  cr_assert(heard.subscriber->is_subscribed());
  cr_assert_eq(node.cluster("ADDSLOTS", gone), "OK");
  heard.subscriber->subscribe(gone, Kind::sharded);
  heard.until_subscribed();
  cr_assert_eq(node.link.ask({"SPUBLISH", gone, "back"}), "1");
  cr_assert_eq(node.link.ask({"SPUBLISH", stays, "all along"}), "1");
  heard.until_messages(2);
  cr_assert(heard.losses.empty());
}

// SUNSUBSCRIBE meets a slot that has gone: the server says twice that the channel is left, once as
// news and once as an error. Neither is about what was asked behind it.
Test(redis_subscriber, a_channel_that_is_left_here_and_by_the_server_confuses_nothing) {
  ClusterNode node;
  const std::string gone = "{a}:events", next = "{b}:events";
  TestSubscriber heard(node.server.address());
  heard.subscriber->subscribe(gone, Kind::sharded);
  heard.until_subscribed();
  heard.subscriber->unsubscribe(gone);
  heard.subscriber->subscribe(next, Kind::sharded);
  cr_assert_eq(node.cluster("DELSLOTS", gone), "OK");  // before the above leave
  heard.until_subscribed();
  cr_assert(heard.subscriber->is_subscribed(next));
  cr_assert_eq(node.link.ask({"SPUBLISH", next, "1"}), "1");
  heard.until_messages(1);
  cr_assert(heard.moved.empty() && heard.losses.empty());
}

Test(redis_subscriber, errors_are_about_the_channel_that_was_asked_for) {
  ScriptedRedis server;
  TestSubscriber heard(server.address());
  greet(server, heard);
  for (const char* channel : {"a", "b", "c", "d"})
    heard.subscriber->subscribe(channel, Kind::sharded);
  server.expect(heard, resp_array({"SSUBSCRIBE", "a"}) + resp_array({"SSUBSCRIBE", "b"}) +
                           resp_array({"SSUBSCRIBE", "c"}) + resp_array({"SSUBSCRIBE", "d"}));
  server.say(confirmation("ssubscribe", "a") + "-MOVED 3300 127.0.0.1:7001\r\n" +
             resp_array({"smessage", "a", "1"}) + "-ASK 7365 127.0.0.1:7001\r\n" +
             "-CLUSTERDOWN Hash slot not served\r\n");
  heard.until([&] { return heard.moved.size() == 3; }, "the refusals");
  cr_assert(heard.moved == std::vector<std::string>({"b", "c", "d"}));
  cr_assert(heard.confirmed == std::vector<std::string>({"a"}));
  cr_assert_eq(heard.messages.size(), 1);
  cr_assert(heard.losses.empty());
  heard.subscriber->subscribe("e");
  server.expect(heard, subscribe_words("e"));
  server.say("-MOVED 3300 127.0.0.1:7001\r\n");  // of a plain channel that has no sense
  heard.until([&] { return !heard.losses.empty(); }, "the end");
  greet(server, heard, 2);
  server.expect(heard, resp_array({"SSUBSCRIBE", "a"}) + resp_array({"SSUBSCRIBE", "b"}) +
                           resp_array({"SSUBSCRIBE", "c"}) + resp_array({"SSUBSCRIBE", "d"}) +
                           subscribe_words("e"));
}

// The answer is the same word as the news: only the PONG behind tells that no more is to come.
Test(redis_subscriber, leaving_a_sharded_channel_ends_with_the_pong) {
  ScriptedRedis server;
  TestSubscriber heard(server.address());
  greet(server, heard);
  heard.subscriber->subscribe("a", Kind::sharded);
  server.expect(heard, resp_array({"SSUBSCRIBE", "a"}));
  server.say(confirmation("ssubscribe", "a"));
  heard.until_subscribed();
  heard.subscriber->unsubscribe("a");
  heard.subscriber->subscribe("a", Kind::sharded);
  heard.subscriber->subscribe("b", Kind::sharded);
  server.expect(heard, resp_array({"SUNSUBSCRIBE", "a"}) + resp_array({"PING"}) +
                           resp_array({"SSUBSCRIBE", "a"}) + resp_array({"SSUBSCRIBE", "b"}));
  // The slot went and came back on the way.
  server.say(confirmation("sunsubscribe", "a") + confirmation("sunsubscribe", "a") +
             resp_array({"pong", ""}) + confirmation("ssubscribe", "a") + "-MOVED 1 a:1\r\n");
  heard.until([&] { return heard.moved.size() == 1; }, "the refusal");
  cr_assert_eq(heard.moved[0], "b");
  cr_assert(heard.subscriber->is_subscribed("a"));
  server.say(confirmation("sunsubscribe", "a"));
  heard.until([&] { return heard.moved.size() == 2; }, "the news");
  cr_assert_eq(heard.moved[1], "a");
  cr_assert(heard.losses.empty());
}

Test(redis_subscriber, another_server_has_the_slot) {
  ClusterNode first;
  ClusterNode second(false);
  const std::string channel = "{a}:events";
  const std::string slot = std::to_string(slot_of_name(channel));
  const std::string second_id = second.link.ask({"CLUSTER", "MYID"});
  cr_assert_eq(first.link.ask({"CLUSTER", "MEET", "127.0.0.1", std::to_string(second.port),
                               std::to_string(second.bus_port)}),
               "OK");
  first.link.until([&] { return first.link.ask({"CLUSTER", "NODES"}).contains(second_id); },
                   "the other");
  TestSubscriber heard(first.server.address());
  heard.subscriber->subscribe(channel, Kind::sharded);
  heard.until_subscribed();
  cr_assert_eq(first.link.ask({"CLUSTER", "SETSLOT", slot, "NODE", second_id}), "OK");
  heard.until([&] { return heard.moved.size() == 1; }, "the news");
  heard.subscriber->subscribe(channel, Kind::sharded);  // MOVED
  heard.until([&] { return heard.moved.size() == 2; }, "the refusal");
  cr_assert_eq(heard.moved[1], channel);
  cr_assert(heard.losses.empty());
}
