// RedisCluster against servers that a test plays: what real ones do at moments that no test of them
// can choose.
#include "storage/redis/cluster/redis_cluster.h"

#include <criterion/criterion.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/redis_answer.h"
#include "tests/support/scripted_cluster.h"

using namespace videosync;
using namespace videosync::test;

namespace {

using Answers = std::vector<std::string>;

constexpr std::string_view low = "videosync:{b}:x";  // a name of a slot in the lower half
constexpr std::string_view high = "videosync:{a}:x";
static_assert(slot_of_name(low) < key_slots / 2 && slot_of_name(high) >= key_slots / 2);

struct ClusterClient : ScriptedCluster, RedisServersOwner {
  std::unique_ptr<RedisCluster> cluster;
  int ready = 0;
  std::vector<std::pair<SlotSet, std::string>> lost_parts;
  Answers messages;
  Answers answers;

  explicit ClusterClient(std::size_t count) : ScriptedCluster(count) {}
  virtual ~ClusterClient() {
    if (!cluster) return;
    cluster->stop();
    until([&] { return cluster->is_idle(); }, "rest");
  }

  // No time-out of a command helps a test along.
  void start(const RedisLink::Options& options = {.command_timeout_ms = 600'000}) {
    cluster = std::make_unique<RedisCluster>(*reactor, *this, location(), options);
    cluster->start();
  }
  void start_and_wait() {
    start();
    until([&] { return ready == 1; }, "the cluster");
  }

  // {"SET", name, number}: what the server that has it sees as `number`.
  void ask(std::string_view name, std::string_view number) {
    cluster->command(
        name, std::array<std::string_view, 3>{"SET", name, number},
        [this](Result<RedisReply> reply) noexcept { answers.push_back(text_of(reply)); });
  }
  void until_waiting(std::size_t server, const Answers& expected, const char* what) {
    until([&] { return at(server).waiting() == expected; }, what);
  }
  std::string redirection(std::string_view kind, std::string_view name, std::size_t server) {
    return "-" + std::string(kind) + " " + std::to_string(slot_of_name(name)) +
           " 127.0.0.1:" + std::to_string(at(server).address().port) + "\r\n";
  }

  void on_servers_connected(RedisPair&) noexcept override {}
  void on_servers_ready() noexcept override { ++ready; }
  void on_servers_lost(const Error&) noexcept override {}
  void on_part_ready(const SlotSet&) noexcept override {}
  void on_part_lost(const SlotSet& slots, const Error& why) noexcept override {
    lost_parts.emplace_back(slots, why.message);
  }
  void on_servers_message(std::string_view, std::string_view payload) noexcept override {
    messages.emplace_back(payload);
  }
  void on_servers_round_trip(std::int64_t) noexcept override {}
};

}  // namespace

// --- The order within a slot ---------------------------------------------------------------------

Test(redis_cluster, commands_on_their_way_to_the_old_owner_go_before_later_ones) {
  ClusterClient client(3);
  client.share({0, 2});
  client.start_and_wait();
  client.cluster->follow(std::string(low), Channel::Reach::part, [](Result<>) noexcept {});
  client.until([&] { return client.at(0).count("SSUBSCRIBE") == 1; }, "the channel");
  client.ask(low, "1");
  client.ask(low, "2");
  client.until_waiting(0, {"1", "2"}, "two commands at the old owner");
  // A new map comes by, before that one has said MOVED. What it brings can be seen by the channel.
  client.share({1, 1});
  client.ask(high, "other");
  client.until_waiting(2, {"other"}, "a command of another slot");
  client.at(2).answer(client.redirection("MOVED", high, 1));
  client.until([&] { return client.at(1).count("SSUBSCRIBE") == 1; }, "the new map");
  client.until_waiting(1, {"other"}, "that one at the new owner");
  client.ask(low, "3");
  client.at(0).answer(client.redirection("MOVED", low, 1));
  client.ask(low, "4");
  client.at(0).answer(client.redirection("MOVED", low, 1));
  client.until_waiting(1, {"other", "1", "2", "3", "4"}, "all in their order");
  for (int i = 0; i < 5; ++i)
    client.at(1).answer("+OK\r\n");
  client.until([&] { return client.answers == Answers(5, "OK"); }, "their answers");
  cr_assert(client.cluster->is_settled());
}

Test(redis_cluster, what_the_old_owner_has_done_is_not_done_again) {
  ClusterClient client(3);
  client.share({0, 2});
  client.start_and_wait();
  client.cluster->follow(std::string(low), Channel::Reach::part, [](Result<>) noexcept {});
  client.ask(low, "1");
  client.ask(low, "2");
  client.until_waiting(0, {"1", "2"}, "two commands at the old owner");
  client.share({1, 1});
  client.ask(high, "other");
  client.until_waiting(2, {"other"}, "a command of another slot");
  client.at(2).answer(client.redirection("MOVED", high, 1));
  client.until([&] { return client.at(1).count("SSUBSCRIBE") == 1; }, "the new map");
  client.ask(low, "3");
  client.at(0).answer("+one\r\n");
  client.at(0).answer("+two\r\n");
  client.until_waiting(1, {"other", "3"}, "the third at the new owner");
  client.until([&] { return client.answers == Answers{"one", "two"}; }, "what was done");
}

Test(redis_cluster, commands_that_follow_ask_stay_in_their_order) {
  ClusterClient client(2);
  client.share({0});
  client.start_and_wait();
  for (const std::string_view number : {"1", "2", "3"})
    client.ask(low, number);
  client.until_waiting(0, {"1", "2", "3"}, "three commands");
  for (int i = 0; i < 3; ++i)
    client.at(0).answer(client.redirection("ASK", low, 1));
  client.until_waiting(1, {"1", "2", "3"}, "all in their order");
  cr_assert_eq(client.at(1).count("ASKING"), 3u);
}

// --- Its end -------------------------------------------------------------------------------------

Test(redis_cluster, it_is_stopped_while_an_ask_is_on_its_way) {
  ClusterClient client(2);
  client.share({0});
  client.start_and_wait();
  client.ask(low, "1");
  client.until_waiting(0, {"1"}, "a command");
  client.at(0).answer(client.redirection("ASK", low, 1));
  client.until_waiting(1, {"1"}, "it at whom it was sent to");
  client.ask(low, "2");
  client.until_waiting(0, {"2"}, "a later one");
  cr_assert_not(client.cluster->is_settled());
  client.cluster->stop();
  cr_assert(client.answers == Answers(2, "!the link was stopped"), "%zu answers",
            client.answers.size());
  client.until([&] { return client.cluster->is_idle(); }, "rest");
  cr_assert_eq(client.answers.size(), 2u, "each once");
}

Test(redis_cluster, it_is_stopped_while_whom_an_ask_is_for_is_connected_to) {
  ClusterClient client(2);
  client.share({0});
  client.start_and_wait();
  client.at(1).hangs = true;
  client.ask(low, "1");
  client.until_waiting(0, {"1"}, "a command");
  client.at(0).answer(client.redirection("ASK", low, 1));
  client.until([&] { return client.at(0).waiting().empty() && !client.cluster->is_settled(); },
               "the redirection");
  client.ask(low, "2");
  client.reactor->turn(5);
  client.cluster->stop();
  client.until([&] { return client.answers.size() == 2; }, "both answers");
  for (const std::string& answer : client.answers)
    cr_assert(answer.starts_with("!") && answer.ends_with("was stopped"), "%s", answer.c_str());
  cr_assert(client.cluster->is_settled());
}

Test(redis_cluster, it_is_stopped_from_within_the_answer_to_an_ask) {
  ClusterClient client(2);
  client.share({0});
  client.start_and_wait();
  const std::array<std::string_view, 3> words{"SET", low, "1"};
  client.cluster->command(low, words, [&](Result<RedisReply> reply) noexcept {
    client.answers.push_back(text_of(reply));
    client.cluster->stop();
    client.ask(low, "late");
  });
  client.ask(low, "2");
  client.until_waiting(0, {"1", "2"}, "two commands");
  for (int i = 0; i < 2; ++i)
    client.at(0).answer(client.redirection("ASK", low, 1));
  client.until_waiting(1, {"1", "2"}, "them at whom they were sent to");
  client.at(1).answer("+OK\r\n");
  client.until([&] { return client.answers.size() == 3; }, "three answers");
  cr_assert(client.answers[0] == "OK");
  cr_assert(client.answers[1].starts_with("!") && client.answers[2].starts_with("!"));
}

// --- What is said of a part that is away ---------------------------------------------------------

Test(redis_cluster, a_part_that_was_never_there_is_told_with_its_reason) {
  ClusterClient client(2);
  client.share({0, 1});
  client.at(1).leave();
  client.start_and_wait();
  const auto has_reason = [&] {
    return !client.lost_parts.empty() &&
           client.lost_parts.back().second.find("refused") != std::string::npos;
  };
  client.until(has_reason, "the reason");
  cr_assert_eq(client.lost_parts.back().first.count(), key_slots / 2);
  cr_assert(client.lost_parts.back().first.test(slot_of_name(high)));
}

// --- The lead ------------------------------------------------------------------------------------

namespace {

const std::string everybody = "videosync:{everybody}:events";

// Said to all nodes, and heard where the lead is.
struct LeadClient final : ClusterClient {
  std::size_t lead = 0;
  std::size_t other = 1;
  std::int64_t said_ms = 0;
  std::size_t said = 0;

  LeadClient() : ClusterClient(2) {
    share({0, 1});
    start();
    until([&] { return ready == 1; }, "the cluster");
    cluster->follow(everybody, Channel::Reach::all, [](Result<>) noexcept {});
    until([&] { return at(0).count("SUBSCRIBE") == 2 && at(1).count("SUBSCRIBE") == 2; },
          "the channel at both");
    say("1");
    until([&] { return !at(0).waiting().empty() || !at(1).waiting().empty(); }, "the lead");
    if (at(0).waiting().empty()) std::swap(lead, other);
  }
  // As nodes say that they live, and more often.
  void say_now_and_then() {
    if (reactor->now_ms() - said_ms < 50) return;
    said_ms = reactor->now_ms();
    say("again");
    ++said;
  }
  void say(std::string_view text) {
    cluster->publish(everybody, Channel::Reach::all, text, [](Result<RedisReply>) noexcept {});
  }
};

}  // namespace

Test(redis_cluster, a_lead_that_hangs_gives_way_before_its_commands_are_late) {
  LeadClient client;
  client.at(client.lead).hangs = true;
  client.until(
      [&] {
        client.say_now_and_then();
        return !client.at(client.other).waiting().empty();
      },
      "another lead");
  client.at(client.other).push(everybody, "heard");
  client.until([&] { return client.messages == Answers{"heard"}; }, "what is said there");
  cr_assert_eq(client.ready, 1);
  cr_assert(client.lost_parts.empty(), "nobody is told that anything is away");
}

Test(redis_cluster, where_all_are_silent_the_lead_stays) {
  LeadClient client;
  const auto ask = [&](std::size_t server) {
    client.ask(server == 0 ? low : high, "unanswered");
    client.until_waiting(server, {"unanswered"}, "a command");
  };
  client.at(client.lead).answer(":1\r\n");
  ask(client.other);
  ask(client.lead);
  const std::int64_t begin_ms = client.reactor->now_ms();
  client.until(
      [&] {
        client.say_now_and_then();
        return client.reactor->now_ms() - begin_ms > 1'000;
      },
      "a second");
  client.until([&] { return client.at(client.lead).waiting().size() == client.said + 1; },
               "all at the lead");
  cr_assert_eq(client.at(client.other).waiting().size(), 1u);
}
