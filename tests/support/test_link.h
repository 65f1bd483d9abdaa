// A RedisLink on a reactor of its own, and what has come of it.
#pragma once

#include <criterion/criterion.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/reactor/reactor.h"
#include "storage/redis/redis_link.h"
#include "tests/support/redis_answer.h"

namespace videosync::test {

struct TestLink final : RedisLinkOwner {
  SystemClock clock;
  std::unique_ptr<Reactor> reactor;
  std::unique_ptr<RedisLink> link;
  int ready = 0;
  std::vector<std::string> losses;
  std::vector<std::string> messages;

  explicit TestLink(RedisAddress address, RedisLink::Options options = {}) {
    auto made = Reactor::create(clock);
    cr_assert(made.has_value());
    reactor = std::move(*made);
    cr_assert(reactor->start().has_value());
    link = std::make_unique<RedisLink>(*reactor, *this, std::move(address), options);
    link->start();
  }
  ~TestLink() {
    link->stop();
    for (int i = 0; i < 200 && !link->is_idle(); ++i)
      reactor->turn(5);
    cr_assert(link->is_idle());
  }

  void on_redis_ready() noexcept override { ++ready; }
  void on_redis_lost(const Error& why) noexcept override { losses.push_back(why.message); }
  void on_redis_message(std::string_view channel, std::string_view payload) noexcept override {
    messages.push_back(std::string(channel) + ":" + std::string(payload));
  }

  template <class Condition>
  void until(Condition&& is_met, const char* what) {
    bool is_done = is_met();
    for (int i = 0; i < 2'000 && !is_done; ++i) {
      reactor->turn(5);
      is_done = is_met();
    }
    cr_assert(is_done, "waited in vain for: %s", what);
  }
  void until_ready(int times) {
    until([&] { return ready == times; }, "a connection");
  }

  // The answer as text_of() has it.
  std::string ask(std::vector<std::string_view> arguments) {
    std::optional<std::string> answer;
    link->command(arguments, [&](Result<RedisReply> reply) noexcept { answer = text_of(reply); });
    until([&] { return answer.has_value(); }, "an answer");
    return *answer;
  }
};

}  // namespace videosync::test
