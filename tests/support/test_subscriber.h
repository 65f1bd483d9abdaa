// A RedisSubscriber on a reactor of its own, and what has come of it.
#pragma once

#include <criterion/criterion.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/redis/link/redis_subscriber.h"
#include "tests/support/test_loop.h"

namespace videosync::test {

struct TestSubscriber final : TestLoop, RedisSubscriberOwner {
  using Kind = RedisSubscriber::Kind;

  std::unique_ptr<RedisSubscriber> subscriber;
  int ready = 0;
  std::vector<std::string> losses;
  std::vector<std::string> messages;   // "channel:payload"
  std::vector<std::string> confirmed;  // channels
  std::vector<std::string> moved;

  explicit TestSubscriber(RedisAddress address, RedisSubscriber::Options options = {})
      : subscriber(
            std::make_unique<RedisSubscriber>(*reactor, *this, std::move(address), options)) {
    subscriber->start();
  }
  ~TestSubscriber() {
    subscriber->stop();
    for (int i = 0; i < 200 && !subscriber->is_idle(); ++i)
      reactor->turn(5);
    cr_assert(subscriber->is_idle());
  }

  void on_redis_ready() noexcept override { ++ready; }
  void on_redis_lost(const Error& why) noexcept override { losses.push_back(why.message); }
  void on_redis_message(std::string_view channel, std::string_view payload) noexcept override {
    messages.push_back(std::string(channel) + ":" + std::string(payload));
  }
  void on_redis_subscribed(std::string_view channel) noexcept override {
    confirmed.emplace_back(channel);
  }
  void on_redis_moved(std::string_view channel) noexcept override { moved.emplace_back(channel); }

  void until_ready(int times) {
    until([&] { return ready == times; }, "a connection");
  }
  void until_subscribed() {
    until([&] { return subscriber->is_subscribed(); }, "all channels");
  }
  void until_messages(std::size_t count) {
    until([&] { return messages.size() >= count; }, "messages");
    cr_assert_eq(messages.size(), count);
  }
};

}  // namespace videosync::test
