#include "storage/redis/redis_sentinel.h"

#include <array>
#include <utility>

#include "core/base/assert.h"
#include "core/base/text.h"
#include "core/reactor/reactor.h"

namespace videosync {

namespace {

constexpr std::int64_t backoff_max_ms = 500;

RedisLink::Options link_options(RedisTls* tls) noexcept {
  return {.connect_timeout_ms = 500,
          .command_timeout_ms = 500,
          .backoff_min_ms = 50,
          .backoff_max_ms = backoff_max_ms,
          .tls = tls};
}

bool parse_master(const RedisReply& reply, RedisAddress& master) {
  if (reply.size() != 2) return false;
  const auto port = parse_decimal<std::uint16_t>(reply[1].text());
  master.host = reply[0].text();
  master.port = port.value_or(0);
  return port && !master.host.empty();
}

}  // namespace

RedisSentinel::RedisSentinel(Reactor& reactor, std::vector<RedisAddress> sentinels,
                             std::string master_name, RedisTls* tls, OnMaster on_master,
                             OnFailure on_failure)
    : reactor_(reactor),
      sentinels_(std::move(sentinels)),
      master_name_(std::move(master_name)),
      on_master_(std::move(on_master)),
      on_failure_(std::move(on_failure)),
      link_(reactor, *this, sentinels_.at(0), link_options(tls)),
      timer_([](void* self) noexcept { static_cast<RedisSentinel*>(self)->on_timer(); }, this) {}

void RedisSentinel::start() noexcept {
  link_.start();
  reactor_.timers().schedule(timer_, reactor_.now_ms() + ask_interval_ms);
}

void RedisSentinel::stop() noexcept {
  reactor_.timers().cancel(timer_);
  link_.stop();
}

void RedisSentinel::set_content(bool is_content) noexcept {
  is_content_ = is_content;
  fruitless_ = 0;
}

const RedisAddress& RedisSentinel::next() noexcept {
  fruitless_ = 0;
  present_ = (present_ + 1) % sentinels_.size();
  return sentinels_[present_];
}

void RedisSentinel::on_timer() noexcept {
  reactor_.timers().schedule(timer_, reactor_.now_ms() + ask_interval_ms);
  ask();
}

void RedisSentinel::ask() noexcept {
  if (is_asking_ || !link_.is_ready()) return;
  is_asking_ = true;
  link_.command(
      std::array<std::string_view, 3>{"SENTINEL", "GET-MASTER-ADDR-BY-NAME", master_name_},
      [this](Result<RedisReply> reply) noexcept { on_answer(reply); });
}

void RedisSentinel::on_answer(const Result<RedisReply>& reply) noexcept {
  VS_ASSERT(is_asking_);
  is_asking_ = false;
  if (!reply) return;  // on_redis_lost goes on
  RedisAddress master;
  if (!parse_master(*reply, master)) {
    const bool is_error = reply->kind() == RedisReply::Kind::error;
    link_.reconnect({ErrorCode::unavailable,
                     is_error ? std::string(reply->text())
                              : "the Sentinel knows no master of the name " + master_name_,
                     0},
                    backoff_max_ms);
    return;
  }
  if (!is_content_ && ++fruitless_ == fruitless_max && sentinels_.size() > 1) {
    link_.reconnect({ErrorCode::unavailable, "the master it names cannot be used", 0}, 0);
  }
  on_master_(master);
}

void RedisSentinel::on_redis_lost(const Error& why) noexcept {
  on_failure_({why.code, "Sentinel " + to_string(sentinels_[present_]) + ": " + why.message, 0});
  link_.set_address(next());
}

}  // namespace videosync
