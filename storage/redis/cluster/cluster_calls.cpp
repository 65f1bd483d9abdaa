// RedisCluster's commands on their way.
#include <array>
#include <utility>

#include "core/base/assert.h"
#include "core/reactor/reactor.h"
#include "storage/redis/cluster/cluster_shard.h"

namespace videosync {

void RedisCluster::command(std::string_view name, std::span<const std::string_view> arguments,
                           OnReply done) {
  script(name, arguments, {}, std::move(done));
}

void RedisCluster::script(std::string_view name, std::span<const std::string_view> arguments,
                          Publication publication, OnReply done) {
  VS_ASSERT(publication.event < arguments.size() && publication.channel < arguments.size());
  auto call = std::make_unique<Call>();
  call->slot = slot_of_name(name);
  call->number = ++last_number_;
  call->publication = publication;
  call->done = std::move(done);
  std::size_t bytes = 0;
  for (const std::string_view argument : arguments)
    bytes += argument.size();
  call->bytes.reserve(bytes);
  call->lengths.reserve(arguments.size());
  for (const std::string_view argument : arguments) {
    call->bytes += argument;
    call->lengths.push_back(static_cast<std::uint32_t>(argument.size()));
  }
  if (!is_stopped_ && (detours_.contains(call->slot) || is_being_handed_over(call->slot))) {
    return wait_behind(std::move(call));
  }
  send(std::move(call));
}

void RedisCluster::publish(const std::string& channel, Channel::Reach reach,
                           std::string_view payload, OnReply done) {
  const std::array<std::string_view, 3> arguments{script_publish(channel), channel, payload};
  switch (reach) {
    case Channel::Reach::part:
      return command(channel, arguments, std::move(done));
    case Channel::Reach::all:
      return publish_widely(channel, payload, std::move(done));
    case Channel::Reach::node:
      break;
  }
  const std::string wide = wide_name(channel);
  const Shard* owner = owner_of(slot_of_name(channel));
  if (owner == nullptr || !owner->pair.is_ready()) {
    return publish_widely(wide, payload, std::move(done));
  }
  // Where it is not heard the node may be about to follow it anew.
  command(channel, arguments,
          [this, wide, payload = std::string(payload),
           done = std::move(done)](Result<RedisReply> reply) mutable noexcept {
            if (reply && reply->integer() > 0) return done(std::move(reply));
            publish_widely(wide, payload, std::move(done));
          });
}

void RedisCluster::publish_widely(const std::string& channel, std::string_view payload,
                                  OnReply done) {
  choose_lead();
  if (lead_ == nullptr) return done(fail(ErrorCode::unavailable, "not connected to Redis"));
  lead_->pair.command(std::array<std::string_view, 3>{"PUBLISH", channel, payload},
                      std::move(done));
}

void RedisCluster::send(std::unique_ptr<Call> call) noexcept {
  Shard* shard = call->is_ask ? &shard_at(call->asked) : owner_of(call->slot);
  if (shard != nullptr) return send_to(*shard, std::move(call));
  call->done(fail(ErrorCode::unavailable, "no server of the Redis Cluster has this slot"));
}

std::vector<std::string_view> RedisCluster::Call::arguments() const {
  std::vector<std::string_view> all;
  all.reserve(lengths.size());
  std::size_t at = 0;
  for (const std::uint32_t length : lengths) {
    all.push_back(std::string_view(bytes).substr(at, length));
    at += length;
  }
  return all;
}

void RedisCluster::send_to(Shard& shard, std::unique_ptr<Call> call) noexcept {
  const std::vector<std::string_view> arguments = call->arguments();
  ++in_flight_[call->slot];
  if (call->is_ask) {
    shard.pair.command(std::array<std::string_view, 1>{"ASKING"},
                       [](Result<RedisReply>) noexcept {});
  }
  shard.pair.command(
      arguments, [this, &shard, call = std::move(call)](Result<RedisReply> reply) mutable noexcept {
        on_reply(std::move(call), shard, std::move(reply));
      });
}

void RedisCluster::on_reply(std::unique_ptr<Call> call, const Shard& shard,
                            Result<RedisReply> reply) noexcept {
  const std::uint16_t slot = call->slot;
  VS_ASSERT(in_flight_[slot] > 0);
  --in_flight_[slot];
  if (reply || is_stopped_ || !follows_redirection(call, shard, reply.error())) {
    if (reply && call->is_ask && reply->integer() == 1) say_again(*call);
    call->done(std::move(reply));
  }
  // While it is stopped, what waits is not to go anywhere: stop() answers it.
  if (!is_stopped_ && in_flight_[slot] == 0 && detours_.contains(slot)) go_on(slot);
}

// At the slot's owner, where its channel is followed.
void RedisCluster::say_again(const Call& call) {
  if (call.publication.event == 0) return;
  const std::vector<std::string_view> arguments = call.arguments();
  const std::string channel(arguments[call.publication.channel]);
  publish(channel, Channel::Reach::part, arguments[call.publication.event],
          [](Result<RedisReply>) noexcept {});
}

// Takes the call where the error says who is to be asked.
bool RedisCluster::follows_redirection(std::unique_ptr<Call>& call, const Shard& shard,
                                       const Error& error) {
  auto redirection = Redirection::parse(error.message);
  if (!redirection || redirection->slot != call->slot) return false;
  if (++call->redirections > redirections_max) return false;
  RedisAddress address = shard.pair.address();
  address.port = redirection->port;
  if (!redirection->host.empty()) address.host = std::move(redirection->host);
  call->is_ask = redirection->is_ask;
  call->asked = address;
  if (!redirection->is_ask) {
    Shard& owner = shard_at(address);
    owners_[call->slot] = &owner;
    owner.has_slots = true;
    move_channels();
    scout_.ask();
  }
  wait_behind(std::move(call));
  return true;
}

// Later commands of the slot wait until those on their way have been answered.
void RedisCluster::hold_back(std::uint16_t slot) noexcept {
  VS_ASSERT(in_flight_[slot] > 0);
  if (detours_.try_emplace(slot).second) tick_soon();
}

void RedisCluster::wait_behind(std::unique_ptr<Call> call) noexcept {
  Detour& detour = detours_[call->slot];
  if (detour.calls.size() >= waiting_max) {
    return call->done(fail(ErrorCode::unavailable, "too many commands wait for Redis"));
  }
  if (detour.calls.empty()) detour.since_ms = reactor_.now_ms();
  const std::uint64_t number = call->number;
  detour.calls.emplace(number, std::move(call));
  tick_soon();
}

// Sends what waits, in the order in which it was asked, once whoever is to be asked can be.
void RedisCluster::go_on(std::uint16_t slot) noexcept {
  VS_ASSERT(in_flight_[slot] == 0);
  const auto found = detours_.find(slot);
  const bool is_late = reactor_.now_ms() - found->second.since_ms >= options_.command_timeout_ms;
  for (const auto& [number, call] : found->second.calls) {
    const Shard* shard = call->is_ask ? &shard_at(call->asked) : owner_of(slot);
    if (!is_late && (shard == nullptr || !shard->pair.is_ready())) return;
  }
  Detour detour = std::move(found->second);
  detours_.erase(found);
  for (auto& [number, call] : detour.calls)
    send(std::move(call));
}

void RedisCluster::try_detours() noexcept {
  std::vector<std::uint16_t> slots;
  for (const auto& [slot, detour] : detours_)
    slots.push_back(slot);
  for (const std::uint16_t slot : slots)
    if (in_flight_[slot] == 0 && detours_.contains(slot)) go_on(slot);
}

}  // namespace videosync
