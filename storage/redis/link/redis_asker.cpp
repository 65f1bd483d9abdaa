#include "storage/redis/link/redis_asker.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/base/assert.h"
#include "core/reactor/reactor.h"

namespace videosync {

namespace {

constexpr std::int64_t asker_backoff_max_ms = 500;

RedisLink::Options asker_options(RedisTls* tls) noexcept {
  return {.connect_timeout_ms = 500,
          .command_timeout_ms = 500,
          .backoff_min_ms = 50,
          .backoff_max_ms = asker_backoff_max_ms,
          .tls = tls};
}

}  // namespace

RedisAsker::RedisAsker(Reactor& reactor, std::vector<RedisAddress> servers, Question question,
                       RedisTls* tls, OnAnswer on_answer, OnFailure on_failure)
    : reactor_(reactor),
      given_(std::move(servers)),
      question_(std::move(question)),
      on_answer_(std::move(on_answer)),
      on_failure_(std::move(on_failure)),
      servers_(given_),
      link_(reactor, *this, servers_.at(0), asker_options(tls)),
      timer_([](void* self) noexcept { static_cast<RedisAsker*>(self)->on_timer(); }, this) {}

void RedisAsker::start() noexcept {
  link_.start();
  reactor_.timers().schedule(timer_, reactor_.now_ms() + question_.restless_interval_ms);
}

void RedisAsker::stop() noexcept {
  reactor_.timers().cancel(timer_);
  link_.stop();
}

void RedisAsker::on_timer() noexcept {
  const std::int64_t interval_ms =
      is_content_ ? question_.interval_ms : question_.restless_interval_ms;
  reactor_.timers().schedule(timer_, reactor_.now_ms() + interval_ms);
  if (!is_asking_) ask();
}

void RedisAsker::ask() noexcept {
  asks_again_ = is_asking_;
  if (is_asking_ || !link_.is_ready()) return;
  const std::int64_t now_ms = reactor_.now_ms();
  if (now_ms - asked_ms_ < pause_ms)
    return reactor_.timers().schedule(timer_, asked_ms_ + pause_ms);
  asked_ms_ = now_ms;
  is_asking_ = true;
  const std::vector<std::string_view> words(question_.words.begin(), question_.words.end());
  link_.command(words, [this](Result<RedisReply> reply) noexcept { on_answer(reply); });
}

void RedisAsker::on_answer(const Result<RedisReply>& reply) noexcept {
  VS_ASSERT(is_asking_);
  is_asking_ = false;
  if (!reply) return;  // on_redis_lost goes on
  const bool asks_again = std::exchange(asks_again_, false);
  const auto others = on_answer_(*reply, servers_[present_]);
  if (!others) return link_.reconnect(others.error(), asker_backoff_max_ms);
  remember(*others);
  if (!is_content_ && ++fruitless_ >= fruitless_max && servers_.size() > 1) {
    fruitless_ = 0;
    link_.reconnect({ErrorCode::unavailable, "a server that it names cannot be used", 0}, 0);
  } else if (asks_again) {
    ask();
  }
}

void RedisAsker::remember(const std::vector<RedisAddress>& others) {
  VS_ASSERT(present_ < servers_.size());
  const RedisAddress present = servers_[present_];
  servers_ = given_;
  for (const RedisAddress& other : others)
    if (std::ranges::find(servers_, other) == servers_.end()) servers_.push_back(other);
  auto found = std::ranges::find(servers_, present);
  if (found == servers_.end()) found = servers_.insert(found, present);
  present_ = static_cast<std::size_t>(found - servers_.begin());
}

void RedisAsker::on_redis_lost(const Error& why) noexcept {
  VS_ASSERT(present_ < servers_.size() && !is_asking_);
  const Error told{why.code, to_string(servers_[present_]) + ": " + why.message, 0};
  fruitless_ = 0;
  present_ = (present_ + 1) % servers_.size();
  link_.set_address(servers_[present_]);
  on_failure_(told);
}

}  // namespace videosync
