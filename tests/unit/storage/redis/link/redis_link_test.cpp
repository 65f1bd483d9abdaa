// RedisLink against a real redis-server that is killed, hung and started again.
#include "storage/redis/link/redis_link.h"

#include <criterion/criterion.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/redis_server.h"
#include "tests/support/scripted_redis.h"
#include "tests/support/test_link.h"

using namespace videosync;
using namespace videosync::test;

Test(redis_link, commands_are_answered_in_order) {
  RedisServer server;
  TestLink link(server.address());
  link.until_ready(1);
  cr_assert(link.ask({"SET", "key", "value"}) == "OK");
  cr_assert(link.ask({"GET", "key"}) == "value");
  std::vector<std::int64_t> answers;
  for (int i = 0; i < 500; ++i) {
    link.link->command(
        std::array<std::string_view, 2>{"INCR", "n"},
        [&](Result<RedisReply> reply) noexcept { answers.push_back(reply->integer()); });
  }
  link.until([&] { return answers.size() == 500; }, "500 answers");
  for (int i = 0; i < 500; ++i)
    cr_assert_eq(answers[static_cast<std::size_t>(i)], i + 1);
}

Test(redis_link, an_error_of_redis_is_an_answer) {
  RedisServer server;
  TestLink link(server.address());
  link.until_ready(1);
  cr_assert(link.ask({"NOSUCHCOMMAND"}).starts_with("ERR unknown command"));
  cr_assert(link.ask({"PING"}) == "PONG");
}

Test(redis_link, without_a_server_it_says_so_and_keeps_trying) {
  RedisServer server;
  server.kill();
  TestLink link(server.address());
  link.until([&] { return link.losses.size() >= 3; }, "three attempts");
  bool is_refused = false;
  link.link->command(std::array<std::string_view, 1>{"PING"},
                     [&](Result<RedisReply> reply) noexcept {
                       is_refused = !reply && reply.error().code == ErrorCode::unavailable;
                     });
  cr_assert(is_refused);
  server.start();
  link.until_ready(1);
}

Test(redis_link, a_killed_server_is_found_again) {
  RedisServer server;
  TestLink link(server.address());
  link.until_ready(1);
  server.kill();
  link.until([&] { return !link.losses.empty(); }, "the loss");
  server.start();
  link.until_ready(2);
  cr_assert(link.ask({"PING"}) == "PONG");
}

Test(redis_link, a_command_in_flight_is_answered_when_the_server_dies) {
  RedisServer server;
  TestLink link(server.address());
  link.until_ready(1);
  server.pause();
  std::vector<std::string> answers;
  for (int i = 0; i < 3; ++i) {
    link.link->command(std::array<std::string_view, 1>{"PING"},
                       [&](Result<RedisReply> reply) noexcept {
                         answers.push_back(reply ? "?" : reply.error().message);
                       });
  }
  link.reactor->turn(5);
  server.kill();
  link.until([&] { return answers.size() == 3; }, "three refusals");
}

Test(redis_link, a_hung_server_costs_a_time_out_and_no_more) {
  RedisServer server;
  TestLink link(server.address(), {.connect_timeout_ms = 100, .command_timeout_ms = 100});
  link.until_ready(1);
  server.pause();
  std::optional<ErrorCode> code;
  link.link->command(std::array<std::string_view, 1>{"PING"},
                     [&](Result<RedisReply> reply) noexcept {
                       code = reply ? ErrorCode::io : reply.error().code;
                     });
  link.until([&] { return code.has_value(); }, "the time-out");
  cr_assert(*code == ErrorCode::timed_out);
  link.until([&] { return link.losses.size() >= 2; }, "a second attempt");
  server.resume();
  link.until_ready(2);
  cr_assert(link.ask({"PING"}) == "PONG");
}

Test(redis_link, a_password_is_sent_and_a_wrong_one_is_told) {
  RedisServer server({"--requirepass", "secret"});
  RedisAddress address = server.address();
  address.password = "secret";
  address.database = 3;
  TestLink link(address);
  link.until_ready(1);
  cr_assert(link.ask({"SET", "key", "in three"}) == "OK");
  RedisAddress wrong = server.address();
  wrong.password = "guess";
  TestLink refused(wrong);
  refused.until([&] { return !refused.losses.empty(); }, "the refusal");
  cr_assert(refused.losses[0].starts_with("WRONGPASS"), "%s", refused.losses[0].c_str());
  TestLink without(server.address());
  without.until([&] { return !without.losses.empty(); }, "the refusal");
  cr_assert(without.losses[0].starts_with("NOAUTH"), "%s", without.losses[0].c_str());
}

Test(redis_link, too_many_commands_in_flight_are_refused) {
  RedisServer server;
  TestLink link(server.address(), {.commands_max = 10});
  link.until_ready(1);
  int refused = 0, answered = 0;
  for (int i = 0; i < 15; ++i) {
    link.link->command(std::array<std::string_view, 1>{"PING"},
                       [&](Result<RedisReply> reply) noexcept { ++(reply ? answered : refused); });
  }
  cr_assert_eq(refused, 5);
  link.until([&] { return answered == 10; }, "the others' answers");
}

// Whoever hears of the end of a connection does so from within the event that told of it: what is
// still used there must not be taken for idle, or the link would be destroyed below it.
Test(redis_link, within_its_own_event_it_is_not_idle) {
  struct Owner final : TestLoop, RedisLinkOwner {
    std::unique_ptr<RedisLink> link;
    bool is_ready = false;
    std::optional<bool> was_idle;
    void on_redis_ready() noexcept override { is_ready = true; }
    void on_redis_lost(const Error&) noexcept override {
      link->stop();
      was_idle = link->is_idle();
    }
  };
  ScriptedRedis server;
  Owner owner;
  owner.link =
      std::make_unique<RedisLink>(*owner.reactor, owner, server.address(), RedisLink::Options{});
  owner.link->start();
  server.accept(owner);
  server.expect(owner, resp_array({"PING"}));
  server.say("+PONG\r\n");
  owner.until([&] { return owner.is_ready; }, "the greeting");
  server.hang_up();
  owner.until([&] { return owner.was_idle.has_value(); }, "the loss");
  cr_assert_not(*owner.was_idle);
  owner.until([&] { return owner.link->is_idle(); }, "rest");
}

Test(redis_link, a_command_may_stop_it_from_within_its_answer) {
  ScriptedRedis server;
  TestLink link(server.address());
  server.accept(link);
  server.expect(link, resp_array({"PING"}));
  server.say("+PONG\r\n");
  link.until_ready(1);
  std::vector<std::string> answers;
  bool was_idle = true;
  link.link->command(std::array<std::string_view, 1>{"ONE"},
                     [&](Result<RedisReply> reply) noexcept {
                       answers.push_back(text_of(reply));
                       link.link->stop();
                       was_idle = link.link->is_idle();
                     });
  link.link->command(std::array<std::string_view, 1>{"TWO"},
                     [&](Result<RedisReply> reply) noexcept { answers.push_back(text_of(reply)); });
  server.expect(link, resp_array({"ONE"}) + resp_array({"TWO"}));
  server.say("+1\r\n+2\r\n");
  link.until([&] { return answers.size() == 2; }, "both answers");
  cr_assert_not(was_idle);
  cr_assert(answers[0] == "1" && answers[1].starts_with("!"), "%s, %s", answers[0].c_str(),
            answers[1].c_str());
  link.until([&] { return link.link->is_idle(); }, "rest");
}
