// SimCluster: a node's RedisStore over one server or several, each with a share of the slots.
//
// Of each server it has a SimStore. What is asked goes to the server of its slot; what all nodes
// are told is said at the lead, the lowest server that is there, heard from all of them and
// delivered from the lead. A server that goes, or comes, is told of as a part; where the lead
// changes, something may have been missed, and the store is lost and there again as a whole. Codes
// lie with their sessions here, and nobody in a simulated world of several servers looks for one.
//
// One thread, the first worker's of its node.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "storage/session_store.h"
#include "tests/sim/sim_store.h"

namespace videosync::sim {

class SimCluster final : public SessionStore {
 public:
  // `servers`: the master of each share.
  SimCluster(SimRedis& redis, std::size_t node, StoreTurns& turns, TimerWheel& timers,
             Random random, const std::vector<std::size_t>& servers);
  ~SimCluster() override = default;

  void start() noexcept;
  void abandon(bool is_silent) noexcept;
  void move_to(std::size_t shard, std::size_t server) noexcept;
  std::size_t server(std::size_t shard) const noexcept { return parts_[shard]->store.server(); }
  // All of it.
  bool is_ready() const noexcept;

  void listen(SessionListener& listener) noexcept override { listener_ = &listener; }
  void create(const SessionName& name, StoreVersion version, BufferRef bytes, std::int64_t ttl_us,
              OnDone done) override;
  void load(const Uuid& key, OnValue done) override;
  void exists(const Uuid& key, OnExists done) override;
  void find(ShortCode code, OnKey done) override;
  void change(const SessionName& name, StoreVersion expected, StoreVersion next, SessionBytes bytes,
              std::int64_t ttl_us, BufferRef event, OnDone done) override;
  void touch(const SessionName& name, std::int64_t ttl_us, OnDone done) override;
  void remove(const SessionName& name, StoreVersion version, BufferRef event, OnDone done) override;
  void publish(const Channel& channel, BufferRef event, OnReceivers done) override;
  void follow(const Channel& channel, OnDone done) override;
  void unfollow(const Channel& channel) override;

 private:
  struct Part final : SessionListener {
    Part(SimCluster& of, std::size_t at, SimRedis& redis, std::size_t node, StoreTurns& turns,
         TimerWheel& timers, Random random)
        : owner(of), index(at), store(redis, node, turns, timers, random) {
      store.listen(*this);
    }
    void on_session_event(const Uuid& channel, const BufferRef& event) noexcept override {
      owner.on_event(index, channel, event);
    }
    void on_store_ready() noexcept override { owner.on_up(index); }
    void on_store_lost(const Error& why) noexcept override { owner.on_down(index, why); }
    void on_store_round_trip(std::int64_t took_us) noexcept override {
      if (owner.listener_ != nullptr) owner.listener_->on_store_round_trip(took_us);
    }

    SimCluster& owner;
    const std::size_t index;
    SimStore store;
    bool is_there = false;
  };

  SimStore& store_of(const Uuid& key) noexcept {
    return parts_[shard_of(key, parts_.size())]->store;
  }
  SimStore& lead() noexcept { return parts_[lead_.value_or(0)]->store; }
  std::optional<std::size_t> lowest_there() const noexcept;
  void on_event(std::size_t from, const Uuid& channel, const BufferRef& event) noexcept;
  void on_up(std::size_t index) noexcept;
  void on_down(std::size_t index, const Error& why) noexcept;
  void tell_there() noexcept;

  SessionListener* listener_ = nullptr;
  std::vector<std::unique_ptr<Part>> parts_;
  std::optional<std::size_t> lead_;  // nothing: the store is not there
  std::set<Uuid> for_all_;           // followed channels of nodes
};

}  // namespace videosync::sim
