#include "server/metrics/node_metrics.h"

#include <fmt/core.h>

#include <cstdint>
#include <iterator>
#include <string_view>

#include "server/nodes/nodes.h"
#include "server/service.h"
#include "storage/redis/redis_store.h"
#include "storage/redis/store_clock.h"

namespace videosync {

namespace {

template <class Value>
void append_metric(std::string& out, std::string_view type, std::string_view name,
                   std::string_view help, Value value) {
  fmt::format_to(std::back_inserter(out),
                 "# HELP videosync_{0} {1}\n# TYPE videosync_{0} {2}\n"
                 "videosync_{0} {3}\n",
                 name, help, type, value);
}

}  // namespace

std::string render_node_metrics(const Service& service) {
  std::string out;
  if (service.redis == nullptr) return out;
  const auto gauge = [&](std::string_view name, std::string_view help, auto value) {
    append_metric(out, "gauge", name, help, value);
  };
  const auto counter = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    append_metric(out, "counter", name, help, value);
  };
  const RedisCounters redis = service.redis->counters();
  gauge("redis_up", "1 while Redis can be used: a master, both connections, every channel heard.",
        redis.is_up ? 1 : 0);
  gauge("redis_degraded", "1 while members are told that the store is away.",
        service.is_degraded.load() ? 1 : 0);
  counter("redis_reconnects_total", "Times that Redis could be used again.", redis.reconnects);
  counter("redis_commands_total", "Commands, answered or not.", redis.commands);
  counter("redis_command_errors_total",
          "Commands without an answer in time or with an error of Redis.", redis.errors);
  counter("redis_command_timeouts_total", "Commands without an answer in time.", redis.timeouts);
  counter("redis_messages_total", "Messages received on channels.", redis.messages);
  gauge("nodes", "Nodes that live, this one included.", service.nodes->alive());
  // What is not known yet is left out, as the format asks.
  const std::int64_t error_us = service.store_clock->error_bound_us();
  if (error_us != INT64_MAX) {
    gauge("server_time_error_seconds",
          "How far server time may be off the time that all nodes share, at most.",
          static_cast<double>(error_us) / 1e6);
  }
  return out;
}

}  // namespace videosync
