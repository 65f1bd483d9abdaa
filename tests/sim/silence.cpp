// World: silence. After the last peace, when nothing is broken any more, small things happen one at
// a time: a message is lost and nobody says anything after it; or nothing is lost, and the store is
// slow.
#include <algorithm>
#include <array>

#include "tests/sim/world.h"

namespace videosync::sim {

namespace {

constexpr int losses = 3;
constexpr int slow_times = 2;
constexpr std::int64_t agreed_after_loss_us = 500'000;
constexpr std::int64_t presence_us = 250'000;      // who came and who went is said so much later
constexpr std::int64_t losing_max_us = 1'200'000;  // a node is told something once a second
constexpr std::int64_t held_min_us = 20'000;
constexpr std::int64_t held_max_us = 1'200'000;  // longer, and its commands are given up
constexpr std::int64_t talking_us = 1'500'000;
constexpr std::int64_t told_us = 1'500'000;  // a digest of all there is, once a second
constexpr std::int64_t settling_max_us = 20'000'000;

// From a difference to its end: a digest, its answer, a list, who is home, who is there, all anew,
// with a join that is asked again.
constexpr std::int64_t messages_max = 8;

constexpr std::array said_acts{Act::seek,     Act::play, Act::pause, Act::rate,  Act::load,
                               Act::settings, Act::name, Act::chat,  Act::report};
constexpr std::array moved_acts{Act::give, Act::claim, Act::kick, Act::leave,
                                Act::come, Act::lose,  Act::burst};

}  // namespace

void World::keep_silence() {
  Random random = Random(plan_.seed).fork(3);
  const auto up =
      std::count_if(nodes_.begin(), nodes_.end(), [](const auto& node) { return node->is_up(); });
  if (up < 2) return;
  tell("--- silence");
  is_peace_ = true;  // nobody stays away for long
  for (int i = 0; i < losses && !finding_; ++i)
    lose_something(random);
  for (int i = 0; i < slow_times && !finding_; ++i)
    be_slow(random);
}

// What a message takes from the node that says it to the one that hears it.
std::int64_t World::way_us() const noexcept {
  std::int64_t turn_us = 0;
  for (const NodePlan& node : plan_.nodes) {
    const std::int64_t one_us = std::max(node.turn.max_us, node.turn.slow_us);
    const std::int64_t mail_us = std::max(node.mailbox.max_us, node.mailbox.slow_us);
    turn_us = std::max(turn_us, one_us + 2 * mail_us);
  }
  return 2 * (std::max(plan_.redis.max_us, plan_.redis.slow_us) + turn_us);
}

// When all agree, at the latest, if nothing but messages were lost: counted from the last of them,
// or from what has happened by itself since.
std::int64_t World::agreed_us(std::int64_t acted_us) const noexcept {
  const std::int64_t client_us = std::max(plan_.client.max_us, plan_.client.slow_us);
  const std::int64_t event_us =
      std::max({acted_us + client_us, disturbed_us_, news_us_}) + presence_us;
  const std::int64_t mended_us = std::max(event_us, redis_.dropped_us()) + agreed_after_loss_us;
  // A home that has just got the session waits to hear of its members; who nobody names has left.
  const std::int64_t roll_us = moved_us_ + limits_.unheard_us + presence_us;
  return std::max(mended_us, roll_us) + messages_max * way_us() + client_us;
}

// Whoever is asked does something, or one of the others that can.
void World::act(Random& random, bool may_move) {
  const bool is_move = may_move && random.chance(0.4);
  const Act act = is_move ? moved_acts[random.below(moved_acts.size())]
                          : said_acts[random.below(said_acts.size())];
  perform({0, 0, act, random.next()});
}

void World::lose_something(Random& random) {
  const std::uint64_t dropped = redis_.dropped();
  for (std::uint64_t i = 1 + random.below(2); i > 0; --i)
    redis_.drop_messages(random.below(nodes_.size()),
                         static_cast<std::uint32_t>(random.between(1, 3)));
  for (std::uint64_t i = 1 + random.below(3); i > 0; --i) {
    act(random, true);
    if (!run_until(now_us() + random.between(0, 150'000))) return;
  }
  const std::int64_t acted_us = now_us();
  if (!run_until(acted_us + losing_max_us)) return;
  for (auto& node : nodes_)
    redis_.drop_messages(node->index(), 0);
  if (!run_while([this] { return !is_settled(); }, settling_max_us)) {
    return find("settling", "20 s after a message was lost: {}", unsettled());
  }
  while (now_us() < agreed_us(acted_us)) {
    if (!run_until(agreed_us(acted_us))) return;
  }
  if (redis_.dropped() == dropped || !is_settled()) return;
  ++silences_;
  tell("--- nothing but {} messages were lost: everybody agrees now", redis_.dropped() - dropped);
  for (SimSession& session : sessions_)
    check_agreement(session);
}

std::uint64_t World::mended() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& node : nodes_)
    if (node->is_up()) sum += node->process().mended();
  return sum;
}

void World::delay(Random& random, std::int64_t for_us) {
  SimNode& slow = *nodes_[random.below(nodes_.size())];
  const std::uint64_t how = random.below(3);
  tell("what node {} {}{} arrives {} ms late", slow.index(), how != 0 ? "says, " : "",
       how != 1 ? "hears" : "", for_us / 1'000);
  redis_.hold(slow.index(), how != 0, how != 1);
  scheduler_.after(for_us, [this, &slow]() noexcept { redis_.release(slow.index()); });
}

// Nobody dies, and all that is said arrives, late: then there is nothing to mend. While a session
// moves from node to node, or somebody has no store for a moment, there may be.
void World::be_slow(Random& random) {
  const std::uint64_t mended_before = mended();
  const std::int64_t start_us = now_us();
  const std::int64_t for_us = random.between(held_min_us, held_max_us);
  if (random.chance(0.25)) {
    tell("the store refuses changes for {} ms", for_us / 1'000);
    for (const std::size_t master : masters_)
      redis_.server(master).refusal = RedisServer::Refusal::out_of_memory;
    scheduler_.after(for_us, [this]() noexcept {
      for (const std::size_t master : masters_)
        redis_.server(master).refusal = RedisServer::Refusal::none;
    });
  } else {
    delay(random, for_us);
  }
  for (std::int64_t end_us = start_us + talking_us; now_us() < end_us;) {
    act(random, random.chance(0.2));
    if (!run_until(now_us() + random.between(0, 200'000))) return;
  }
  if (!run_until(now_us() + told_us + messages_max * way_us())) return;
  // What goes through several servers has no order: a digest may come before what it is about.
  const bool has_order = plan_.shards == 1;
  const bool is_meant = has_order && moved_us_ < start_us && ready_since(start_us) == 0;
  if (!is_meant) return;
  ++slow_times_;
  if (mended() == mended_before) return;
  find("agreement: mended", "nothing was lost, and {} sessions were mended",
       mended() - mended_before);
}

std::size_t World::ready_since(std::int64_t time_us) const noexcept {
  return static_cast<std::size_t>(std::count_if(ready_us_.begin(), ready_us_.end(),
                                                [=](std::int64_t us) { return us >= time_us; }));
}

}  // namespace videosync::sim
