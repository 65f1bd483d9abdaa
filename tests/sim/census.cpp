#include "tests/sim/census.h"

#include <fcntl.h>
#include <fmt/core.h>

#include <array>
#include <cstdio>
#include <utility>

#include "core/base/log.h"
#include "proto/wire/node_messages.h"
#include "tests/sim/world.h"

namespace videosync::sim {

namespace {

constexpr std::int64_t settled_us = 5'000'000;
constexpr std::int64_t rest_us = 20'000'000;
constexpr std::int64_t act_us = 2'000'000;
constexpr std::int64_t between_joins_us = 300'000;  // each is told of by itself

// In the order of node::Message.
constexpr std::array<const char*, std::variant_size_v<node::Message>> message_names{
    "Join",       "Leave", "Said", "AskInfo",   "AskDelete",    "Enroll",    "Joined", "Answer",
    "Tell",       "Close", "Take", "Returned",  "Gap",          "Cast",      "Moved",  "Digest",
    "DigestList", "Alive", "Bye",  "KnockGone", "KnockDecided", "UploadNews"};

const char* event_name(const BufferRef& event) {
  if (event.bytes().empty()) return "pulse";
  const auto envelope = node::decode(event.text());
  return envelope ? message_names.at(envelope->message.index()) : "unknown";
}

void print_line(const CensusLine& line) {
  fmt::print("{{\"act\":\"{}\",\"times\":{},\"seconds\":{},\"scripts\":{},\"told\":{{", line.act,
             line.times, static_cast<double>(line.lasted_us) / 1e6, line.counted.scripts);
  const char* between = "";
  for (const auto& [name, told] : line.counted.told) {
    fmt::print("{}\"{}\":{{\"published\":{},\"messages\":{},\"bytes\":{}}}", between, name,
               told.published, told.messages, told.bytes);
    between = ",";
  }
  fmt::print("}}}}");
}

}  // namespace

void World::on_redis_publish(const BufferRef& event, std::size_t followers) {
  if (census_ == nullptr) return;
  Told& told = census_->told[event_name(event)];
  ++told.published;
  told.messages += followers;
  told.bytes += followers * event.bytes().size();
}

Viewer* World::host_of(const SimSession& session) noexcept {
  for (Viewer& viewer : viewers_) {
    if (&viewer.session() == &session && viewer.is_open() && viewer.host() == viewer.id())
      return &viewer;
  }
  return nullptr;
}

CensusLine World::count(const char* act, std::uint64_t times, std::int64_t each_us,
                        const std::function<void()>& perform) {
  CensusLine line{act, times, 0, {}};
  census_ = &line.counted;
  const std::int64_t start_us = now_us();
  for (std::uint64_t i = 0; i < times && !finding_; ++i) {
    perform();
    run_until(now_us() + each_us);
  }
  census_ = nullptr;
  line.lasted_us = now_us() - start_us;
  return line;
}

std::vector<CensusLine> World::take_census(std::uint32_t times) {
  std::vector<CensusLine> lines;
  prepare();
  viewers_.front().come();
  run_until(now_us() + settled_us);
  std::size_t next = 1;
  lines.push_back(
      count("join", viewers_.size() - 1, between_joins_us, [&] { viewers_[next++].come(); }));
  run_until(now_us() + settled_us);
  Viewer* host = host_of(sessions_.front());
  if (host == nullptr) {
    find("census", "nobody is host");
    return lines;
  }
  Viewer* other = nullptr;
  for (Viewer& viewer : viewers_) {
    if (!viewer.is_open()) find("census", "{} did not come in", viewer.name());
    if (viewer.is_open() && viewer.connection()->node != host->connection()->node) other = &viewer;
  }
  if (finding_) return lines;
  lines.push_back(count("rest", 1, rest_us, [] {}));
  const auto all_by = [&](Viewer& viewer, const std::string& where) {
    lines.push_back(
        count(("seek " + where).c_str(), times, act_us, [&] { viewer.say(Kind::seek); }));
    lines.push_back(
        count(("chat " + where).c_str(), times, act_us, [&] { viewer.say(Kind::chat); }));
    lines.push_back(count(("report " + where).c_str(), times, act_us,
                          [&] { viewer.say_plain(ReportMessage{.drift_ms = 1.5, .rtt_ms = 20}); }));
  };
  all_by(*host, "at home");
  if (other != nullptr) all_by(*other, "elsewhere");
  return lines;
}

Plan census_plan(const CensusOrder& order) {
  Plan plan;
  plan.seed = 1;
  plan.nodes.resize(order.nodes);
  plan.viewers = order.members;
  plan.redis = {30, 400, 0, 0};
  plan.client = {100, 5'000, 0, 0};
  plan.everyone = 1;
  plan.is_spread = true;
  return plan;
}

int print_census(const CensusOrder& order) {
  log_settings.descriptor = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  World world(census_plan(order));
  const std::vector<CensusLine> lines = world.take_census(order.times);
  if (world.finding()) {
    fmt::print(stderr, "census: {}: {}\n", world.finding()->check, world.finding()->words);
    return 1;
  }
  fmt::print("{{\"nodes\":{},\"members\":{},\"lines\":[", order.nodes, order.members);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) fmt::print(",");
    print_line(lines[i]);
  }
  fmt::print("]}}\n");
  return 0;
}

}  // namespace videosync::sim
