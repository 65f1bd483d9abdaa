#include "tests/sim/redis.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"

namespace videosync::sim {

using Command = RedisCommand::Kind;

SlotSet slots_of(std::size_t shard, std::size_t shards) noexcept {
  SlotSet slots;
  for (std::size_t slot = 0; slot < key_slots; ++slot)
    if (slot * shards / key_slots == shard) slots.set(slot);
  return slots;
}

std::size_t shard_of(const Uuid& key, std::size_t shards) noexcept {
  return shards == 1 ? 0 : slot_of(key) * shards / key_slots;
}

SimRedis::SimRedis(Scheduler& scheduler, Random random, const Latency& latency, std::size_t nodes,
                   std::size_t shards)
    : scheduler_(scheduler),
      random_(random),
      latency_(latency),
      paths_(nodes),
      servers_(shards),
      channels_(shards),
      backlogs_(shards) {
  for (std::size_t i = 0; i < shards; ++i)
    servers_[i].shard = i;
}

// --- Connections ---------------------------------------------------------------------------------

RedisConnection& SimRedis::connect(std::size_t node, std::size_t server, RedisEnd& end) {
  const std::uint64_t number = connections_.size();
  Pipe& up = pipes_.emplace_back(scheduler_, random_.fork(number * 2), latency_);
  Pipe& down = pipes_.emplace_back(scheduler_, random_.fork(number * 2 + 1), latency_);
  RedisConnection& made = connections_.emplace_back(*this, node, server, end, up, down);
  const Path& path = paths_[node];
  if (path.is_up_held) up.hold();
  if (path.is_down_held) down.hold();
  if (path.is_reachable && !path.away.contains(servers_[server].shard)) {
    send(made, {.kind = Command::hello});
  } else {
    answer(made, {.kind = RedisAnswer::Kind::closed, .words = "no route to host"});
  }
  return made;
}

void SimRedis::send(RedisConnection& connection, RedisCommand command) {
  connection.up.send([&connection, command = std::move(command)]() mutable noexcept {
    connection.redis.take(connection, command);
  });
}

void SimRedis::answer(RedisConnection& connection, RedisAnswer answer) {
  connection.down.send([&connection, answer = std::move(answer)]() mutable noexcept {
    if (connection.end != nullptr) connection.end->on_redis_answer(std::move(answer));
  });
}

void SimRedis::give_up(RedisConnection& connection, bool is_silent) {
  connection.end = nullptr;
  connection.down.clear();
  if (!is_silent) send(connection, {.kind = Command::close});
}

void SimRedis::end_connection(RedisConnection& connection, Loss loss) {
  if (loss == Loss::commands || loss == Loss::both) connection.up.clear();
  if (loss == Loss::answers || loss == Loss::both) connection.down.clear();
  send(connection, {.kind = Command::close});
  answer(connection, {.kind = RedisAnswer::Kind::closed, .words = "connection reset by peer"});
}

void SimRedis::leave(RedisConnection& connection) {
  for (const Uuid& channel : std::exchange(connection.channels, {}))
    unsubscribe(connection, channel);
  connection.is_open = false;
}

// --- Commands ------------------------------------------------------------------------------------

void SimRedis::take(RedisConnection& connection, RedisCommand& command) {
  RedisServer& server = servers_[connection.server];
  if (server.is_hung && server.is_up) {
    backlogs_[connection.server].push_back({&connection, std::move(command)});
  } else {
    carry_out(connection, command);
  }
}

void SimRedis::carry_out(RedisConnection& connection, RedisCommand& command) {
  const RedisServer& server = servers_[connection.server];
  if (command.kind == Command::hello) {
    connection.is_open = server.is_up;
    using Answer = RedisAnswer::Kind;
    answer(connection, server.is_up
                           ? RedisAnswer{.kind = Answer::done}
                           : RedisAnswer{.kind = Answer::closed, .words = "connection refused"});
    return;
  }
  if (!connection.is_open) return;  // the kernel has it, and nobody reads
  ++commands_;
  switch (command.kind) {
    case Command::close:
      leave(connection);
      return;
    case Command::subscribe:
      subscribe(connection, command.key);
      answer(connection, {.kind = RedisAnswer::Kind::subscribed, .channel = command.key});
      return;
    case Command::unsubscribe:
      unsubscribe(connection, command.key);
      std::erase(connection.channels, command.key);
      answer(connection, {.kind = RedisAnswer::Kind::unsubscribed, .channel = command.key});
      return;
    case Command::create:
    case Command::change:
    case Command::touch:
    case Command::remove:
      answer(connection, write(connection, command));
      return;
    default:
      answer(connection, read(connection, command));
  }
}

namespace {

// A script is stopped at its first command that may not run: one that deletes may then write, too.
const char* refusal_of(const RedisServer& server, Command kind) noexcept {
  switch (server.refusal) {
    case RedisServer::Refusal::none:
      return nullptr;
    case RedisServer::Refusal::out_of_memory:
      if (kind != Command::create && kind != Command::change) return nullptr;
      return "OOM command not allowed when used memory > 'maxmemory'.";
    case RedisServer::Refusal::disk_error:
      return "MISCONF Redis is configured to save RDB snapshots";
    case RedisServer::Refusal::is_replica:
      return "READONLY You can't write against a read only replica.";
  }
  return nullptr;
}

RedisAnswer::Kind answer_kind(RedisData::Outcome outcome) noexcept {
  switch (outcome) {
    case RedisData::Outcome::done:
      return RedisAnswer::Kind::done;
    case RedisData::Outcome::conflict:
      return RedisAnswer::Kind::conflict;
    case RedisData::Outcome::missing:
      break;
  }
  return RedisAnswer::Kind::missing;
}

}  // namespace

RedisAnswer SimRedis::write(RedisConnection& connection, RedisCommand& command) {
  RedisServer& server = servers_[connection.server];
  if (const char* words = refusal_of(server, command.kind)) {
    if (witness_ != nullptr) witness_->on_redis_refused(connection.node, command);
    const bool is_unusable = server.refusal == RedisServer::Refusal::is_replica;
    return {.kind = is_unusable ? RedisAnswer::Kind::unusable : RedisAnswer::Kind::refused,
            .words = words};
  }
  const std::int64_t now_us = scheduler_.now_us();
  const RedisData::Entry* found = server.data.find(command.key, now_us);
  const RedisData::Entry before = found != nullptr ? *found : RedisData::Entry{};
  const SessionName name{command.key, command.code};
  RedisData::Outcome outcome{};
  if (command.kind == Command::create) {
    outcome = server.data.create(name, command.next, command.bytes, command.ttl_us, now_us);
  } else if (command.kind == Command::change) {
    outcome = server.data.change(name, command.expected, command.next,
                                 {command.bytes, command.queue}, command.ttl_us, now_us);
  } else if (command.kind == Command::touch) {
    outcome = server.data.touch(name, command.ttl_us, now_us);
  } else {
    outcome = server.data.remove(name, command.expected, now_us);
  }
  if (witness_ != nullptr) {
    witness_->on_redis_write(connection.node, connection.server, command, outcome,
                             found != nullptr ? &before : nullptr);
  }
  if (outcome == RedisData::Outcome::done && command.event) publish(connection.server, command);
  return {.kind = answer_kind(outcome)};
}

RedisAnswer SimRedis::read(RedisConnection& connection, const RedisCommand& command) {
  RedisServer& server = servers_[connection.server];
  const RedisData::Entry* entry = server.data.find(command.key, scheduler_.now_us());
  const bool is_there = entry != nullptr && entry->bytes;
  switch (command.kind) {
    case Command::role:
      if (server.refusal != RedisServer::Refusal::is_replica) return {};
      return {.kind = RedisAnswer::Kind::unusable, .words = "READONLY the server is a replica"};
    case Command::publish:
      return {.number = publish(connection.server, command)};
    case Command::exists:
      return {.number = is_there ? 1u : 0u};
    case Command::find: {
      const Uuid* key = server.data.find(command.code, scheduler_.now_us());
      if (key == nullptr) return {.kind = RedisAnswer::Kind::missing};
      return {.channel = *key};
    }
    case Command::load:
      if (is_there)
        return {.version = entry->version, .bytes = entry->bytes, .queue = entry->queue};
      return {.kind = entry != nullptr ? RedisAnswer::Kind::conflict : RedisAnswer::Kind::missing};
    default:
      break;
  }
  VS_ASSERT(!"a command that reads");
  return {};
}

// --- Channels ------------------------------------------------------------------------------------

std::uint32_t SimRedis::publish(std::size_t server, const RedisCommand& command) {
  const auto found = channels_[server].find(command.key);
  std::size_t followers = found == channels_[server].end() ? 0 : found->second.size();
  if (command.is_for_all && servers_.size() > 1) {
    std::set<std::size_t> nodes = followers_at(server, command.key);
    const std::size_t shard = servers_[server].shard;
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      if (servers_[i].shard != shard && servers_[i].is_up)
        nodes.merge(followers_at(i, command.key));
    }
    if (nodes.size() > followers) followers = nodes.size();
  }
  if (witness_ != nullptr) witness_->on_redis_publish(command.event, followers);
  deliver(server, command.key, command.event);
  for (std::size_t i = 0; command.is_for_all && i < servers_.size(); ++i) {
    if (servers_[i].shard != servers_[server].shard && servers_[i].is_up) pass_on(i, command);
  }
  return static_cast<std::uint32_t>(followers);
}

// On the bus between servers.
void SimRedis::pass_on(std::size_t server, const RedisCommand& command) {
  if (servers_[server].is_hung) {
    backlogs_[server].push_back({nullptr, command});
  } else {
    deliver(server, command.key, command.event);
  }
}

std::set<std::size_t> SimRedis::followers_at(std::size_t server, const Uuid& channel) const {
  std::set<std::size_t> nodes;
  const auto found = channels_[server].find(channel);
  if (found == channels_[server].end()) return nodes;
  for (const RedisConnection* each : found->second)
    nodes.insert(each->node);
  return nodes;
}

void SimRedis::deliver(std::size_t server, const Uuid& channel, const BufferRef& event) {
  const auto found = channels_[server].find(channel);
  if (found == channels_[server].end()) return;
  for (RedisConnection* each : found->second) {
    if (paths_[each->node].to_drop > 0) {
      --paths_[each->node].to_drop;
      ++dropped_;
      dropped_us_ = scheduler_.now_us();
    } else {
      answer(*each, {.kind = RedisAnswer::Kind::message, .channel = channel, .bytes = event});
    }
  }
}

void SimRedis::subscribe(RedisConnection& connection, const Uuid& channel) {
  auto& followers = channels_[connection.server][channel];
  if (std::find(followers.begin(), followers.end(), &connection) != followers.end()) return;
  followers.push_back(&connection);
  connection.channels.push_back(channel);
}

bool SimRedis::unsubscribe(RedisConnection& connection, const Uuid& channel) {
  const auto found = channels_[connection.server].find(channel);
  if (found == channels_[connection.server].end()) return false;
  const bool was_there = std::erase(found->second, &connection) > 0;
  if (found->second.empty()) channels_[connection.server].erase(found);
  return was_there;
}

// --- Faults --------------------------------------------------------------------------------------

void SimRedis::set_reachable(std::size_t node, std::size_t shard, bool is_reachable) {
  if (is_reachable) {
    paths_[node].away.erase(shard);
  } else {
    paths_[node].away.insert(shard);
  }
}

void SimRedis::cut(std::size_t node, bool commands, bool subscriptions, Loss loss, Shard shard) {
  for (RedisConnection& each : connections_) {
    if (each.node != node || each.end == nullptr || !each.is_open) continue;
    if (shard && servers_[each.server].shard != *shard) continue;
    if (each.channels.empty() ? commands : subscriptions) end_connection(each, loss);
  }
}

void SimRedis::hold(std::size_t node, bool up, bool down) {
  Path& path = paths_[node];
  path.is_up_held = path.is_up_held || up;
  path.is_down_held = path.is_down_held || down;
  for (RedisConnection& each : connections_) {
    if (each.node != node) continue;
    if (up) each.up.hold();
    if (down) each.down.hold();
  }
}

void SimRedis::release(std::size_t node) {
  paths_[node].is_up_held = paths_[node].is_down_held = false;
  for (RedisConnection& each : connections_) {
    if (each.node != node) continue;
    each.up.release();
    each.down.release();
  }
}

void SimRedis::kill_server(std::size_t server) {
  servers_[server].is_up = false;
  servers_[server].is_hung = false;
  backlogs_[server].clear();
  for (RedisConnection& each : connections_) {
    if (each.server != server || !each.is_open) continue;
    leave(each);
    answer(each, {.kind = RedisAnswer::Kind::closed, .words = "connection reset by peer"});
  }
}

void SimRedis::set_hung(std::size_t server, bool is_hung) {
  servers_[server].is_hung = is_hung;
  if (is_hung) return;
  for (Waiting& each : std::exchange(backlogs_[server], {}))
    each.connection != nullptr ? carry_out(*each.connection, each.command)
                               : pass_on(server, each.command);
}

std::size_t SimRedis::promote(std::size_t server, std::int64_t as_of_us) {
  RedisServer& copy = servers_.emplace_back();
  copy.data = servers_[server].data;
  copy.data.go_back_to(as_of_us);
  copy.shard = servers_[server].shard;
  channels_.emplace_back();
  backlogs_.emplace_back();
  return servers_.size() - 1;
}

}  // namespace videosync::sim
