// World: what breaks, and how it is mended.
#include <algorithm>
#include <utility>

#include "tests/sim/world.h"

namespace videosync::sim {

namespace {

constexpr std::int64_t drain_step_us = 200'000;

}  // namespace

void World::break_something(const Action& action) {
  SimNode& node = *nodes_[action.salt % nodes_.size()];
  const std::uint64_t salt = Random::mix(action.salt);
  Random random(salt);
  // Mostly short, so that several overlap the repair of the one before; sometimes long.
  const std::int64_t for_us = random.chance(0.6) ? random.between(10'000, 2'000'000)
                                                 : random.between(2'000'000, 12'000'000);
  ++faults_;
  has_more_failed_ |= action.act != Act::drop;
  note_disturbance();
  switch (action.act) {
    case Act::crash:
    case Act::power_off:
      return crash(node, action.act == Act::power_off);
    case Act::start:
      return start(node);
    case Act::stand_still:
      return stand_still(node, for_us);
    case Act::drain:
      return drain(node, for_us);
    case Act::drift:
      return node.clock().set_drift_ppm(random.between(-100, 100));
    case Act::err:
      return node.clock().set_error_us(random.between(-2'500, 2'500));
    case Act::cut: {
      const bool is_commands = random.chance(0.6);
      const auto loss = static_cast<SimRedis::Loss>(random.below(4));
      const auto shard = draw_way(salt);
      tell("node {}'s connections to Redis break{}{}", node.index(),
           is_commands ? "" : " (subscriptions)", shard ? " (to one server)" : "");
      return redis_.cut(node.index(), is_commands, !is_commands || random.chance(0.5), loss, shard);
    }
    case Act::cut_off:
      return cut_off(node, salt, for_us);
    case Act::hold:
      return hold(node, salt, for_us);
    case Act::drop:
      tell("node {} misses messages", node.index());
      return redis_.drop_messages(node.index(), static_cast<std::uint32_t>(random.between(1, 4)));
    case Act::redis_kill:
      return kill_redis(salt);
    case Act::redis_hang: {
      const std::size_t server = masters_[draw_shard(salt)];
      tell("Redis {} hangs for {} ms", server, for_us / 1'000);
      redis_.set_hung(server, true);
      scheduler_.after(for_us, [this, server]() noexcept { redis_.set_hung(server, false); });
      return;
    }
    case Act::redis_refuse:
      return refuse_writes(salt);
    case Act::redis_promote:
      return promote_replica(salt);
    default:
      return;
  }
}

// --- Nodes ---------------------------------------------------------------------------------------

void World::crash(SimNode& node, bool is_silent, bool has_given) {
  if (!node.is_up()) return;
  tell("node {} {}", node.index(), is_silent ? "loses power" : "crashes");
  has_node_died_ = true;
  for (SimSession& session : sessions_) {
    session.may_be_doubled |= session.has_gone_back;
    // Where Redis refused changes nobody but a home knew of the end.
    const auto* entry = server_of(session).data.find(session.key, now_us());
    session.was_over_apart |= session.is_over && entry != nullptr && entry->bytes;
  }
  for (Viewer& viewer : viewers_) {
    SimConnection* connection = viewer.connection();
    if (connection == nullptr || connection->node != node.index()) continue;
    if (connection->phase == SimConnection::Phase::gone) continue;
    connection->is_vanished = true;
    viewer.on_node_dead(is_silent ? random_.between(100'000, 5'500'000)
                                  : random_.between(100, 50'000));
  }
  for (SimSession& session : sessions_) {
    if (!has_given) session.keepers.erase({node.index(), node.starts()});
    note_left(session);
  }
  node.crash(is_silent);
  still_since_us_[node.index()] = 0;
}

void World::start(SimNode& node) {
  if (node.is_up()) return;
  tell("node {} starts", node.index());
  node.start();
  started_us_[node.index()] = now_us();
  for (SimSession& session : sessions_)
    note_hidden(session);
}

void World::stand_still(SimNode& node, std::int64_t for_us) {
  if (!node.is_up() || node.is_still()) return;
  tell("node {} stands still for {} ms", node.index(), for_us / 1'000);
  node.set_still(true);
  still_since_us_[node.index()] = now_us();
  note_unheard(node.index());
  scheduler_.after(for_us, [this, &node, since_us = now_us()]() noexcept {
    if (still_since_us_[node.index()] != since_us) return;
    tell("node {} goes on", node.index());
    still_since_us_[node.index()] = 0;
    woke_us_[node.index()] = now_us();
    note_disturbance();
    node.set_still(false);
    note_heard(node.index());
  });
}

void World::drain(SimNode& node, std::int64_t for_us) {
  if (!node.is_up() || node.process().is_draining()) return;
  tell("node {} drains for {} ms", node.index(), for_us / 1'000);
  node.process().begin_drain();
  drain_step(node.index(), node.starts(), now_us() + for_us);
}

// Members leave bit by bit. When all have, and no session is on its way, or when time is up, the
// node says goodbye and ends.
void World::drain_step(std::size_t index, std::size_t of_process, std::int64_t end_us) {
  SimNode& node = *nodes_[index];
  if (!node.is_up() || node.starts() != of_process) return;
  SimProcess& process = node.process();
  for (std::size_t i = 0; i < process.workers(); ++i) {
    SimConnection* first = nullptr;
    process.worker(i).visit_connections([&](SimConnection& connection) {
      if (first == nullptr && connection.phase == SimConnection::Phase::member) first = &connection;
    });
    if (first == nullptr) continue;
    process.worker(i).arrive([&worker = process.worker(i), first]() noexcept {
      worker.close_connection(*first, close_code::going_away);
    });
  }
  const bool is_empty = process.connections() == 0 && process.is_settled();
  if (now_us() < end_us && !is_empty) {
    scheduler_.after(drain_step_us, [this, index, of_process, end_us]() noexcept {
      drain_step(index, of_process, end_us);
    });
    return;
  }
  tell("node {} says goodbye{}", index, is_empty ? "" : " though not all have left");
  // What it alone knows it has given to Redis, if that has let it.
  const bool has_given = is_empty && std::ranges::all_of(masters_, [this](std::size_t master) {
                           const RedisServer& server = redis_.server(master);
                           return server.is_up && server.refusal == RedisServer::Refusal::none;
                         });
  process.say_goodbye();
  scheduler_.after(drain_step_us, [this, index, of_process, has_given]() noexcept {
    SimNode& ending = *nodes_[index];
    if (ending.is_up() && ending.starts() == of_process) crash(ending, false, has_given);
  });
}

// --- The way to Redis ----------------------------------------------------------------------------

void World::cut_off(SimNode& node, std::uint64_t salt, std::int64_t for_us) {
  if (const auto shard = draw_way(salt)) {
    tell("node {} is cut off from server {} of Redis for {} ms", node.index(), *shard,
         for_us / 1'000);
    redis_.set_reachable(node.index(), *shard, false);
    redis_.cut(node.index(), true, true, static_cast<SimRedis::Loss>(salt % 4), shard);
    scheduler_.after(for_us, [this, &node, shard = *shard]() noexcept {
      redis_.set_reachable(node.index(), shard, true);
      note_disturbance();
    });
    return;
  }
  tell("node {} is cut off from Redis for {} ms", node.index(), for_us / 1'000);
  redis_.set_reachable(node.index(), false);
  note_unheard(node.index());
  redis_.cut(node.index(), true, true, static_cast<SimRedis::Loss>(salt % 4));
  scheduler_.after(for_us, [this, &node]() noexcept {
    redis_.set_reachable(node.index(), true);
    note_heard(node.index());
    note_disturbance();
  });
}

void World::hold(SimNode& node, std::uint64_t salt, std::int64_t for_us) {
  const bool is_up = salt % 3 != 0;
  const bool is_down = salt % 3 != 1;
  tell("nothing passes{}{} node {} for {} ms", is_up ? " from" : "", is_down ? " to" : "",
       node.index(), for_us / 1'000);
  redis_.hold(node.index(), is_up, is_down);
  if (is_up) note_unheard(node.index());
  scheduler_.after(for_us, [this, &node]() noexcept {
    tell("node {} can be reached again", node.index());
    redis_.release(node.index());
    note_heard(node.index());
    note_disturbance();
  });
}

// --- Redis ---------------------------------------------------------------------------------------

// One of the servers, as long as there are several.
std::size_t World::draw_shard(std::uint64_t salt) const noexcept {
  return plan_.only_shard.value_or(Random::mix(salt ^ 0x54a7d) % plan_.shards);
}

// The way to one of them alone, or to all.
std::optional<std::size_t> World::draw_way(std::uint64_t salt) const noexcept {
  const std::uint64_t drawn = Random::mix(salt ^ 0x3a7);
  if (plan_.shards == 1 || drawn % 3 == 0) return std::nullopt;
  return drawn / 3 % plan_.shards;
}

// Now and then all of them.
void World::kill_redis(std::uint64_t salt) {
  const bool is_all = plan_.shards > 1 && !plan_.only_shard && Random::mix(salt ^ 0xa11) % 4 == 0;
  if (!is_all) return kill_redis(draw_shard(salt), salt);
  for (std::size_t shard = 0; shard < plan_.shards; ++shard)
    kill_redis(shard, Random::mix(salt + shard));
}

void World::kill_redis(std::size_t shard, std::uint64_t salt) {
  Random random(salt);
  const std::int64_t for_us = random.between(50'000, 6'000'000);
  const std::uint64_t how = random.below(4);
  tell("Redis {} is killed for {} ms and comes back {}", shard, for_us / 1'000,
       how == 0   ? "empty"
       : how == 1 ? "with an older copy"
                  : "with its data");
  redis_.kill_server(masters_[shard]);
  scheduler_.after(
      for_us, [this, shard, server = masters_[shard], how, lag_us = random.between(0, 2'000'000),
               killed_us = now_us()]() noexcept {
        RedisServer& killed = redis_.server(server);
        if (killed.is_up) return;
        if (how == 0) killed.data.lose_all();
        if (how == 1) killed.data.go_back_to(killed_us - lag_us);
        redis_.start_server(server);
        tell("Redis {} is back", shard);
        note_disturbance();
        if (how < 2) note_store_loss(shard);
      });
}

void World::refuse_writes(std::uint64_t salt) {
  Random random(salt);
  const bool is_memory = random.chance(0.5);
  const std::size_t refusing = masters_[draw_shard(salt)];
  tell("Redis {} refuses changes: {}", refusing, is_memory ? "OOM" : "MISCONF");
  redis_.server(refusing).refusal =
      is_memory ? RedisServer::Refusal::out_of_memory : RedisServer::Refusal::disk_error;
  scheduler_.after(random.between(50'000, 5'000'000), [this, server = refusing]() noexcept {
    redis_.server(server).refusal = RedisServer::Refusal::none;
    note_disturbance();
  });
}

// The old master may be dead, or go on for a while for those who have not heard.
void World::promote_replica(std::uint64_t salt) {
  Random random(salt);
  const std::size_t shard = draw_shard(salt);
  const std::size_t old = masters_[shard];
  const std::int64_t lag_us = random.chance(0.5) ? 0 : random.between(0, 1'500'000);
  const std::size_t promoted = masters_[shard] = redis_.promote(old, now_us() - lag_us);
  const bool is_dead = random.chance(0.6);
  tell("a replica becomes the master, {} ms behind; the old one {}", lag_us / 1'000,
       is_dead ? "is dead" : "goes on for a while");
  if (is_dead) redis_.kill_server(old);
  if (!is_dead) {
    scheduler_.after(random.between(0, 3'000'000), [this, old]() noexcept {
      redis_.server(old).refusal = RedisServer::Refusal::is_replica;
    });
  }
  for (auto& node : nodes_) {
    scheduler_.after(random.between(100'000, 2'500'000), [&node, shard]() noexcept {
      node->move_to(shard, node->latest_server(shard));
    });
    node->set_latest_server(shard, promoted);
  }
  note_store_loss(shard);
}

// --- What may rightly be gone --------------------------------------------------------------------

void World::note_store_loss(std::size_t shard) {
  for (SimSession& session : sessions_) {
    if (shard_of(session.key) != shard) continue;
    session.has_gone_back = true;
    session.may_be_doubled |= has_node_died_;
    if (server_of(session).data.find(session.key, now_us()) != nullptr) continue;
    session.is_record_lost = true;
    session.keepers.clear();
    for (const Viewer& viewer : viewers_)
      if (&viewer.session() == &session) note_keeper(viewer);
    note_left(session);
    note_hidden(session);
  }
}

// Its node has a copy from now on, and is to see to it that the store gets one.
void World::note_keeper(const Viewer& viewer) {
  if (!viewer.session().is_record_lost || !viewer.is_open()) return;
  const SimConnection* connection = viewer.connection();
  const bool is_there = connection->phase != SimConnection::Phase::gone && !connection->is_vanished;
  if (!is_there || !nodes_[connection->node]->is_up()) return;
  viewer.session().keepers.emplace(connection->node, nodes_[connection->node]->starts());
}

void World::note_left(SimSession& session) {
  if (session.is_record_lost && session.keepers.empty()) session.may_be_gone = true;
}

// A process that comes while none who know the session is heard has nobody to hear of it from.
void World::note_hidden(SimSession& session) {
  if (!session.is_record_lost || session.keepers.empty()) return;
  std::int64_t hidden_us = 0;  // since then none of them was heard
  for (const auto& [node, starts] : session.keepers) {
    if (unheard_since_us_[node] == 0) return;
    hidden_us = std::max(hidden_us, unheard_since_us_[node]);
  }
  session.may_be_gone |= std::ranges::any_of(nodes_, [&](const auto& node) {
    return node->is_up() && started_us_[node->index()] >= hidden_us;
  });
}

void World::note_unheard(std::size_t node) {
  if (unheard_since_us_[node] == 0) unheard_since_us_[node] = now_us();
}

void World::note_heard(std::size_t node) {
  if (redis_.may_pass(node) && !nodes_[node]->is_still()) unheard_since_us_[node] = 0;
}

void World::mend() {
  for (auto& node : nodes_) {
    redis_.set_reachable(node->index(), true);
    for (std::size_t shard = 0; shard < plan_.shards; ++shard)
      redis_.set_reachable(node->index(), shard, true);
    redis_.release(node->index());
    redis_.drop_messages(node->index(), 0);
    if (std::exchange(still_since_us_[node->index()], 0) != 0) {
      woke_us_[node->index()] = now_us();
      node->set_still(false);
    }
    note_heard(node->index());
    for (std::size_t shard = 0; shard < plan_.shards; ++shard)
      node->move_to(shard, masters_[shard]);
  }
  for (std::size_t i = 0; i < redis_.servers(); ++i) {
    redis_.set_hung(i, false);
    redis_.server(i).refusal = RedisServer::Refusal::none;
  }
  for (const std::size_t master : masters_)
    if (!redis_.server(master).is_up) redis_.start_server(master);
  // Some nodes stay away; one at least is there.
  for (auto& node : nodes_) {
    if (random_.chance(0.6)) start(*node);
  }
  const bool is_any = std::any_of(nodes_.begin(), nodes_.end(), [](const auto& node) {
    return node->is_up() && !node->process().is_draining();
  });
  if (!is_any) {
    SimNode& first = *nodes_.front();
    if (first.is_up()) crash(first, false);
    start(first);
  }
  for (SimConnection& connection : connections_) {
    const bool is_dead = connection.is_vanished && connection.accepted != nullptr;
    if (is_dead && !is_displaced(connection)) connection.accepted->on_gone(connection);
  }
}

// Its viewer has come back through another one: then it is for the nodes to close it.
bool World::is_displaced(const SimConnection& connection) {
  const SimSession* session = session_of(connection.key);
  if (session == nullptr || connection.phase != SimConnection::Phase::member) return false;
  const auto owner = session->whose.find(connection.member);
  if (owner == session->whose.end() || may_have_forgotten(*session)) return false;
  Viewer& viewer = viewers_[owner->second];
  return viewer.is_open() && viewer.id() == connection.member &&
         viewer.connection()->number > connection.number;
}

}  // namespace videosync::sim
