#include "storage/redis/cluster/cluster_scout.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/assert.h"
#include "core/reactor/reactor.h"

namespace videosync {

namespace {

constexpr std::int64_t scout_backoff_max_ms = 500;

RedisLink::Options scout_options(RedisTls* tls) noexcept {
  return {.connect_timeout_ms = 500,
          .command_timeout_ms = 500,
          .backoff_min_ms = 50,
          .backoff_max_ms = scout_backoff_max_ms,
          .tls = tls};
}

std::string words_for(std::string_view said) {
  if (said.find("cluster support disabled") == said.npos) return std::string(said);
  return std::string(said) + ": it is a Redis of its own, to be named by redis://";
}

}  // namespace

ClusterScout::ClusterScout(Reactor& reactor, std::vector<RedisAddress> seeds, RedisTls* tls,
                           OnMap on_map, OnFailure on_failure)
    : reactor_(reactor),
      seeds_(std::move(seeds)),
      on_map_(std::move(on_map)),
      on_failure_(std::move(on_failure)),
      servers_(seeds_),
      link_(reactor, *this, servers_.at(0), scout_options(tls)),
      timer_([](void* self) noexcept { static_cast<ClusterScout*>(self)->on_timer(); }, this) {}

void ClusterScout::start() noexcept {
  link_.start();
  reactor_.timers().schedule(timer_, reactor_.now_ms() + restless_interval_ms);
}

void ClusterScout::stop() noexcept {
  reactor_.timers().cancel(timer_);
  link_.stop();
}

void ClusterScout::on_timer() noexcept {
  reactor_.timers().schedule(
      timer_, reactor_.now_ms() + (is_content_ ? interval_ms : restless_interval_ms));
  if (!is_asking_) ask();
}

void ClusterScout::on_redis_ready() noexcept {
  is_asking_ = false;
  ask();
}

void ClusterScout::ask() noexcept {
  asks_again_ = is_asking_;
  if (is_asking_ || !link_.is_ready()) return;
  const std::int64_t now_ms = reactor_.now_ms();
  if (now_ms - asked_ms_ < pause_ms)
    return reactor_.timers().schedule(timer_, asked_ms_ + pause_ms);
  asked_ms_ = now_ms;
  is_asking_ = true;
  link_.command(std::array<std::string_view, 2>{"CLUSTER", "SLOTS"},
                [this](Result<RedisReply> reply) noexcept { on_answer(reply); });
}

void ClusterScout::on_answer(const Result<RedisReply>& reply) noexcept {
  VS_ASSERT(is_asking_);
  is_asking_ = false;
  if (!reply) return;  // on_redis_lost goes on
  const bool is_error = reply->kind() == RedisReply::Kind::error;
  auto map = is_error ? Result<ClusterMap>(fail(ErrorCode::unavailable, words_for(reply->text())))
                      : ClusterMap::read(*reply, servers_[present_]);
  if (!map) return link_.reconnect(map.error(), scout_backoff_max_ms);
  remember(*map);
  const bool asks_again = std::exchange(asks_again_, false);
  on_map_(*map);
  if (!is_content_ && ++fruitless_ >= fruitless_max && servers_.size() > 1) {
    fruitless_ = 0;
    link_.reconnect({ErrorCode::unavailable, "a server that it names cannot be used", 0}, 0);
  } else if (asks_again) {
    ask();
  }
}

void ClusterScout::remember(const ClusterMap& map) {
  const RedisAddress present = servers_[present_];
  servers_ = seeds_;
  for (const RedisAddress& primary : map.primaries())
    if (std::ranges::find(servers_, primary) == servers_.end()) servers_.push_back(primary);
  auto found = std::ranges::find(servers_, present);
  if (found == servers_.end()) found = servers_.insert(found, present);
  present_ = static_cast<std::size_t>(found - servers_.begin());
}

void ClusterScout::on_redis_lost(const Error& why) noexcept {
  const Error told{why.code, to_string(servers_[present_]) + ": " + why.message, 0};
  present_ = (present_ + 1) % servers_.size();
  link_.set_address(servers_[present_]);
  on_failure_(told);
}

}  // namespace videosync
