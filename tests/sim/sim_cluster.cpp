#include "tests/sim/sim_cluster.h"

#include <utility>

#include "core/base/assert.h"

namespace videosync::sim {

SimCluster::SimCluster(SimRedis& redis, std::size_t node, StoreTurns& turns, TimerWheel& timers,
                       Random random, const std::vector<std::size_t>& servers) {
  VS_ASSERT(!servers.empty());
  for (std::size_t i = 0; i < servers.size(); ++i) {
    parts_.push_back(std::make_unique<Part>(*this, i, redis, node, turns, timers,
                                            i == 0 ? random : random.fork(i)));
    parts_.back()->store.move_to(servers[i]);
  }
}

void SimCluster::start() noexcept {
  for (auto& part : parts_)
    part->store.start();
}

void SimCluster::abandon(bool is_silent) noexcept {
  for (auto& part : parts_)
    part->store.abandon(is_silent);
}

void SimCluster::move_to(std::size_t shard, std::size_t server) noexcept {
  parts_[shard]->store.move_to(server);
}

bool SimCluster::is_ready() const noexcept {
  for (const auto& part : parts_) {
    if (!part->is_there) return false;
  }
  return true;
}

// --- What is there -------------------------------------------------------------------------------

std::optional<std::size_t> SimCluster::lowest_there() const noexcept {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (parts_[i]->is_there) return i;
  }
  return std::nullopt;
}

void SimCluster::tell_there() noexcept {
  VS_ASSERT(lead_);
  listener_->on_store_ready();
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (parts_[i]->is_there) continue;
    listener_->on_part_lost(slots_of(i, parts_.size()),
                            {ErrorCode::unavailable, "not connected to Redis", 0});
  }
}

void SimCluster::on_up(std::size_t index) noexcept {
  parts_[index]->is_there = true;
  if (listener_ == nullptr) return;
  const auto lowest = lowest_there();
  if (lead_ == lowest) return listener_->on_part_ready(slots_of(index, parts_.size()));
  if (lead_) listener_->on_store_lost({ErrorCode::unavailable, "another server leads", 0});
  lead_ = lowest;
  tell_there();
}

void SimCluster::on_down(std::size_t index, const Error& why) noexcept {
  parts_[index]->is_there = false;
  if (listener_ == nullptr) return;
  if (lead_ && *lead_ != index) {
    return listener_->on_part_lost(slots_of(index, parts_.size()), why);
  }
  lead_ = std::nullopt;
  listener_->on_store_lost(why);
  lead_ = lowest_there();
  if (lead_) tell_there();
}

// --- Commands ------------------------------------------------------------------------------------

void SimCluster::create(const SessionName& name, StoreVersion version, BufferRef bytes,
                        std::int64_t ttl_us, OnDone done) {
  store_of(name.key).create(name, version, std::move(bytes), ttl_us, std::move(done));
}

void SimCluster::load(const Uuid& key, OnValue done) {
  store_of(key).load(key, std::move(done));
}

void SimCluster::exists(const Uuid& key, OnExists done) {
  store_of(key).exists(key, std::move(done));
}

void SimCluster::find(ShortCode code, OnKey done) {
  if (parts_.size() == 1) return parts_.front()->store.find(code, std::move(done));
  done(fail(ErrorCode::unavailable, "codes are not looked for"));
}

void SimCluster::change(const SessionName& name, StoreVersion expected, StoreVersion next,
                        SessionBytes bytes, std::int64_t ttl_us, BufferRef event, OnDone done) {
  store_of(name.key).change(name, expected, next, std::move(bytes), ttl_us, std::move(event),
                            std::move(done));
}

void SimCluster::touch(const SessionName& name, std::int64_t ttl_us, OnDone done) {
  store_of(name.key).touch(name, ttl_us, std::move(done));
}

void SimCluster::remove(const SessionName& name, StoreVersion version, BufferRef event,
                        OnDone done) {
  store_of(name.key).remove(name, version, std::move(event), std::move(done));
}

// --- Channels ------------------------------------------------------------------------------------

void SimCluster::on_event(std::size_t from, const Uuid& channel, const BufferRef& event) noexcept {
  if (listener_ == nullptr) return;
  if (for_all_.contains(channel) && lead_.value_or(0) != from) return;
  listener_->on_session_event(channel, event);
}

void SimCluster::publish(const Channel& channel, BufferRef event, OnReceivers done) {
  SimStore& at = channel.reach != Channel::Reach::part ? lead() : store_of(channel.id);
  at.publish(channel, std::move(event), std::move(done));
}

void SimCluster::follow(const Channel& channel, OnDone done) {
  if (channel.reach == Channel::Reach::part) {
    return store_of(channel.id).follow(channel, std::move(done));
  }
  for_all_.insert(channel.id);
  SimStore* answering = &lead();
  for (auto& part : parts_) {
    if (&part->store != answering) part->store.follow(channel, [](Result<>) noexcept {});
  }
  answering->follow(channel, std::move(done));
}

void SimCluster::unfollow(const Channel& channel) {
  if (channel.reach == Channel::Reach::part) return store_of(channel.id).unfollow(channel);
  for_all_.erase(channel.id);
  for (auto& part : parts_)
    part->store.unfollow(channel);
}

}  // namespace videosync::sim
