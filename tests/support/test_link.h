// A RedisLink on a reactor of its own, and what has come of it.
#pragma once

#include <criterion/criterion.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/redis/link/redis_link.h"
#include "tests/support/redis_answer.h"
#include "tests/support/test_loop.h"

namespace videosync::test {

struct TestLink final : TestLoop, RedisLinkOwner {
  std::unique_ptr<RedisLink> link;
  int ready = 0;
  std::vector<std::string> losses;

  explicit TestLink(RedisAddress address, RedisLink::Options options = {})
      : link(std::make_unique<RedisLink>(*reactor, *this, std::move(address), options)) {
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

  void until_ready(int times) {
    until([&] { return ready == times; }, "a connection");
  }

  // The answer as text_of() has it.
  std::string ask(std::vector<std::string_view> arguments) {
    std::optional<std::string> answer;
    reactor->turn(0);  // it may have rested: time-outs count from its last turn
    link->command(arguments, [&](Result<RedisReply> reply) noexcept { answer = text_of(reply); });
    until([&] { return answer.has_value(); }, "an answer");
    return *answer;
  }
};

}  // namespace videosync::test
