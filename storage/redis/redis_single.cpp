#include "storage/redis/redis_single.h"

#include <array>
#include <utility>

namespace videosync {

RedisSingle::RedisSingle(Reactor& reactor, RedisServersOwner& owner, RedisLocation location,
                         const RedisLink::Options& options)
    : owner_(owner), pair_(reactor, *this, std::move(location), options) {}

void RedisSingle::command(std::string_view, std::span<const std::string_view> arguments,
                          OnReply done) {
  pair_.command(arguments, std::move(done));
}

void RedisSingle::follow(const std::string& channel, Channel::Reach, OnDone done) {
  pair_.follow(channel, std::move(done));
}

void RedisSingle::publish(const std::string& channel, Channel::Reach, std::string_view payload,
                          OnReply done) {
  pair_.command(std::array<std::string_view, 3>{"PUBLISH", channel, payload}, std::move(done));
}

}  // namespace videosync
