// RedisSingle: RedisServers that are one server, or the master that Sentinels name.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "storage/redis/redis_servers.h"

namespace videosync {

class RedisSingle final : public RedisServers, RedisPairOwner {
 public:
  RedisSingle(Reactor& reactor, RedisServersOwner& owner, RedisLocation location,
              const RedisLink::Options& options);

  void start() noexcept override { pair_.start(); }
  void stop() noexcept override { pair_.stop(); }
  bool is_idle() const noexcept override { return pair_.is_idle(); }
  bool is_settled() const noexcept override { return pair_.is_settled(); }
  RedisCounters counters() const noexcept override { return pair_.counters(); }

  void command(std::string_view name, std::span<const std::string_view> arguments,
               OnReply done) override;
  void script(std::string_view name, std::span<const std::string_view> arguments, Publication,
              OnReply done) override {
    command(name, arguments, std::move(done));
  }
  void follow(const std::string& channel, Channel::Reach reach, OnDone done) override;
  void unfollow(const std::string& channel) override { pair_.unfollow(channel); }
  void publish(const std::string& channel, Channel::Reach reach, std::string_view payload,
               OnReply done) override;
  std::string_view script_publish(std::string_view) const noexcept override { return "PUBLISH"; }
  bool is_cluster() const noexcept override { return false; }

 private:
  void on_pair_connected() noexcept override { owner_.on_servers_connected(pair_); }
  void on_pair_ready() noexcept override { owner_.on_servers_ready(); }
  void on_pair_lost(const Error& why) noexcept override { owner_.on_servers_lost(why); }
  void on_pair_message(std::string_view channel, std::string_view payload) noexcept override {
    owner_.on_servers_message(channel, payload);
  }
  void on_pair_round_trip(std::int64_t took_us) noexcept override {
    owner_.on_servers_round_trip(took_us);
  }

  RedisServersOwner& owner_;
  RedisPair pair_;
};

}  // namespace videosync
