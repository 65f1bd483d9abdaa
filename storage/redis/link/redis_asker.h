// RedisAsker: asks one of several servers the same question again and again: Sentinels who the
// master is, servers of a cluster who has which slots.
//
// Asks every so often, more often while its owner is not content, and at once when it is told to.
// One that cannot be reached or whose answer is of no use is left for the next, and so is one whose
// answers have not helped three times in a row. One thread, its reactor's; the owner outlives it;
// stop() and turn until is_idle() before destroying it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/reactor/timer_wheel.h"
#include "storage/redis/link/redis_link.h"

namespace videosync {

class RedisAsker final : RedisLinkOwner {
 public:
  struct Question {
    std::vector<std::string> words;
    std::int64_t interval_ms;
    std::int64_t restless_interval_ms;  // while the owner is not content
  };
  // With every answer, also the same again, and an error of Redis. What other servers may be asked
  // from now on, besides those that were given, or why this one is to be left.
  using OnAnswer = std::move_only_function<Result<std::vector<RedisAddress>>(
      const RedisReply& reply, const RedisAddress& from) noexcept>;
  // Who was asked, and what kept it from an answer.
  using OnFailure = std::move_only_function<void(const Error& why) noexcept>;

  // At least one server. tls: see RedisLink::Options.
  RedisAsker(Reactor& reactor, std::vector<RedisAddress> servers, Question question, RedisTls* tls,
             OnAnswer on_answer, OnFailure on_failure);

  void start() noexcept;
  void stop() noexcept;
  bool is_idle() const noexcept { return link_.is_idle(); }

  // Asks now or soon, or behind the answer that is awaited.
  void ask() noexcept;
  // Whether all that was named is in use.
  void set_content(bool is_content) noexcept {
    is_content_ = is_content;
    if (is_content) fruitless_ = 0;
  }

 private:
  static constexpr std::int64_t pause_ms = 20;  // between two questions, whoever wants them
  static constexpr unsigned fruitless_max = 3;

  void on_redis_ready() noexcept override { ask(); }
  void on_redis_lost(const Error& why) noexcept override;
  void on_answer(const Result<RedisReply>& reply) noexcept;
  void on_timer() noexcept;
  void remember(const std::vector<RedisAddress>& others);

  Reactor& reactor_;
  const std::vector<RedisAddress> given_;
  const Question question_;
  OnAnswer on_answer_;
  OnFailure on_failure_;
  std::vector<RedisAddress> servers_;  // those given, then those that the latest answer named
  std::size_t present_ = 0;            // of servers_
  bool is_content_ = false;
  unsigned fruitless_ = 0;  // answers in a row that the owner was not content with
  std::int64_t asked_ms_ = 0;
  bool is_asking_ = false;  // from the question to its answer
  bool asks_again_ = false;
  RedisLink link_;
  TimerEntry timer_;
};

}  // namespace videosync
