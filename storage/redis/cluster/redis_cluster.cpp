// RedisCluster's servers: who has which slots, what can be used, and who is heard. Commands on
// their way are cluster_calls.cpp's.
#include "storage/redis/cluster/redis_cluster.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "core/reactor/reactor.h"
#include "storage/redis/cluster/cluster_shard.h"

namespace videosync {

namespace {

// The answer to an SPUBLISH. Whoever redirects it knows the command and allows it: a server that
// has no slots yet, or has given that one away.
std::optional<RedisChannelKind> kind_said(const Result<RedisReply>& probed) noexcept {
  if (probed) return RedisChannelKind::sharded;
  const std::string_view said = probed.error().message;
  const auto says = [&](std::string_view word) { return said.starts_with(word); };
  if (says("ERR unknown command") || says("NOPERM")) return RedisChannelKind::plain;
  if (says("MOVED ") || says("ASK ") || says("CLUSTERDOWN ")) return RedisChannelKind::sharded;
  return std::nullopt;
}

}  // namespace

RedisCluster::RedisCluster(Reactor& reactor, RedisServersOwner& owner, RedisLocation location,
                           const RedisLink::Options& options)
    : reactor_(reactor),
      owner_(owner),
      options_(options),
      scout_(
          reactor, std::move(location.cluster_seeds), {{"CLUSTER", "SLOTS"}, 5'000, 500},
          options.tls,
          [this](const RedisReply& reply, const RedisAddress& from) noexcept {
            return on_slots(reply, from);
          },
          [this](const Error& why) noexcept {
            if (!is_ready_) owner_.on_servers_lost(why);
          }),
      timer_([](void* self) noexcept { static_cast<RedisCluster*>(self)->on_timer(); }, this) {}

RedisCluster::~RedisCluster() = default;

void RedisCluster::start() noexcept {
  scout_.start();
}

void RedisCluster::stop() noexcept {
  is_stopped_ = true;
  scout_.stop();
  for (const auto& shard : shards_)
    shard->pair.stop();
  reactor_.timers().cancel(timer_);
  for (auto& [slot, detour] : std::exchange(detours_, {}))
    for (auto& [number, call] : detour.calls)
      call->done(fail(ErrorCode::unavailable, "the store was stopped"));
}

bool RedisCluster::is_idle() const noexcept {
  return scout_.is_idle() &&
         std::ranges::all_of(shards_, [](const auto& shard) { return shard->pair.is_idle(); });
}

bool RedisCluster::is_settled() const noexcept {
  return detours_.empty() &&
         std::ranges::all_of(shards_, [](const auto& shard) { return shard->pair.is_settled(); });
}

RedisCounters RedisCluster::counters() const noexcept {
  RedisCounters all = gone_;
  for (const auto& shard : shards_)
    add(all, shard->pair.counters());
  all.is_up = is_ready_ && told_away_.none();
  return all;
}

// --- Who has what --------------------------------------------------------------------------------

RedisCluster::Shard* RedisCluster::owner_of(std::uint16_t slot) const noexcept {
  VS_ASSERT(slot < key_slots);
  return owners_[slot];
}

RedisCluster::Shard& RedisCluster::shard_at(const RedisAddress& address) {
  const auto found = std::ranges::find_if(shards_, [&](const auto& shard) {
    return !shard->is_retired && shard->pair.address() == address;
  });
  if (found != shards_.end()) {
    (*found)->unused_since_ms = reactor_.now_ms();
    return **found;
  }
  Shard& shard = *shards_.emplace_back(std::make_unique<Shard>(*this, reactor_, address, options_));
  shard.unused_since_ms = reactor_.now_ms();
  for (const auto& [channel, followed] : followed_)
    if (followed.reach == Channel::Reach::all) shard.pair.follow(channel, [](Result<>) noexcept {});
  shard.pair.start();
  return shard;
}

Result<std::vector<RedisAddress>> RedisCluster::on_slots(const RedisReply& reply,
                                                         const RedisAddress& from) noexcept {
  const auto map = ClusterMap::read(reply, from);
  if (!map) return std::unexpected(map.error());
  if (!is_stopped_) {
    adopt(*map);
    if (is_ready_) judge({ErrorCode::unavailable, "slots of the Redis Cluster are nobody's", 0});
  }
  return map->primaries();
}

void RedisCluster::adopt(const ClusterMap& map) {
  std::vector<Shard*> primaries;
  for (const RedisAddress& address : map.primaries())
    primaries.push_back(&shard_at(address));
  bool has_gaps = false;
  const bool keeps_owners = gaps_since_ms_ == 0 || reactor_.now_ms() - gaps_since_ms_ < gaps_max_ms;
  for (std::size_t i = 0; i < key_slots; ++i) {
    const auto slot = static_cast<std::uint16_t>(i);
    const std::uint16_t index = map.owner(slot);
    const bool is_gap = index == ClusterMap::nobody && owners_[i] != nullptr;
    has_gaps = has_gaps || is_gap;
    if (is_gap && keeps_owners) continue;
    Shard* before =
        std::exchange(owners_[i], index == ClusterMap::nobody ? nullptr : primaries[index]);
    // The old owner is about to redirect those that are on their way to it.
    if (before != owners_[i] && in_flight_[i] > 0) hold_back(slot);
  }
  if (!has_gaps) {
    gaps_since_ms_ = 0;
  } else if (gaps_since_ms_ == 0) {
    gaps_since_ms_ = reactor_.now_ms();
  }
  for (const auto& shard : shards_)
    shard->has_slots = false;
  for (Shard* owner : owners_)
    if (owner != nullptr) owner->has_slots = true;
  move_channels();
  retire_unused();
  choose_lead();
}

// A server that has no slots any more, as one that a failover has made a replica.
void RedisCluster::retire_unused() noexcept {
  if (!detours_.empty()) return;  // some may lead to one that has no slots yet
  for (const auto& shard : shards_) {
    const bool is_recent = reactor_.now_ms() - shard->unused_since_ms < linger_ms;
    if (shard->has_slots || is_recent || shard->is_retired || !shard->pair.is_settled()) continue;
    shard->is_retired = true;
    if (lead_ == shard.get()) lead_ = nullptr;
    shard->pair.stop();
  }
  std::erase_if(shards_, [this](const auto& shard) {
    const bool is_gone = shard->is_retired && shard->pair.is_idle();
    if (is_gone) add(gone_, shard->pair.counters());
    return is_gone;
  });
}

// By their names: whoever hears of it may leave channels.
template <class IsIt>
std::vector<std::string> RedisCluster::channels_of_parts(IsIt is_it) const {
  std::vector<std::string> names;
  for (const auto& [channel, followed] : followed_)
    if (followed.reach == Channel::Reach::part && is_it(followed)) names.push_back(channel);
  return names;
}

void RedisCluster::move_channels() {
  const auto is_elsewhere = [this](const Followed& followed) {
    return followed.at != owner_of(followed.slot);
  };
  for (const std::string& channel : channels_of_parts(is_elsewhere)) {
    const auto found = followed_.find(channel);
    if (found == followed_.end()) continue;
    Shard* owner = owner_of(found->second.slot);
    Shard* before = std::exchange(found->second.at, owner);
    if (before != nullptr && before != owner) before->pair.unfollow(channel);
    if (owner != nullptr && before != owner) follow_at(*owner, channel);
  }
}

// --- What can be used ----------------------------------------------------------------------------

void RedisCluster::on_shard_connected(Shard& shard) noexcept {
  // Whether the cluster lets it answer: it may have just come back, or wait for other servers. And
  // whether it has sharded channels.
  const auto slot = std::ranges::find(owners_, &shard) - owners_.begin();
  const bool has_slots = slot < static_cast<std::ptrdiff_t>(key_slots);
  const std::string name = name_in_slot(has_slots ? static_cast<std::uint16_t>(slot) : 0);
  if (has_slots) {
    shard.pair.command(std::array<std::string_view, 2>{"EXISTS", name},
                       [](Result<RedisReply>) noexcept {});
  }
  shard.pair.command(
      std::array<std::string_view, 3>{"SPUBLISH", name, ""},
      [this, &shard](Result<RedisReply> reply) noexcept { on_shard_kind(shard, reply); });
  owner_.on_servers_connected(shard.pair);
}

// The answer comes before the pair is ready, so what is followed here is waited for.
void RedisCluster::on_shard_kind(Shard& shard, const Result<RedisReply>& probed) noexcept {
  const auto kind = kind_said(probed);
  if (!kind) return;  // the connection is lost
  latest_kind_ = *kind;
  if (shard.kind == kind) return;
  const bool was_known = std::exchange(shard.kind, kind).has_value();
  const auto is_here = [&](const Followed& followed) { return followed.at == &shard; };
  for (const std::string& channel : channels_of_parts(is_here)) {
    if (was_known) shard.pair.unfollow(channel);
    const auto found = followed_.find(channel);
    if (found != followed_.end() && is_here(found->second)) follow_at(shard, channel);
  }
}

void RedisCluster::on_shard_ready(Shard& shard) noexcept {
  if (shard.is_retired) return;
  shard.is_fresh = false;
  log_debug("redis", "a primary can be used", field("server", to_string(shard.pair.address())));
  choose_lead();
  judge({ErrorCode::unavailable, "a primary of the Redis Cluster is away", 0});
  try_detours();
}

void RedisCluster::on_shard_lost(Shard& shard, const Error& why) noexcept {
  if (is_stopped_ || shard.is_retired) return;
  shard.is_fresh = false;
  if (lead_ == &shard) lead_ = nullptr;
  choose_lead();
  scout_.set_content(false);
  scout_.ask();
  judge({why.code, to_string(shard.pair.address()) + ": " + why.message, why.system_errno},
        slots_of(shard));
}

// Stays who it is as long as it can be used, has slots and answers, or nobody else does.
void RedisCluster::choose_lead() noexcept {
  const auto is_silent = [](const Shard& shard) {
    return shard.pair.waited_ms() >= lead_silence_ms;
  };
  const bool may_stay = lead_ != nullptr && lead_->has_slots;
  if (may_stay && !is_silent(*lead_)) return;
  const auto found = std::ranges::find_if(shards_, [&](const auto& shard) {
    return !shard->is_retired && shard->has_slots && shard->pair.is_ready() &&
           !(may_stay && is_silent(*shard));
  });
  if (found == shards_.end()) return;
  lead_ = found->get();
  lead_since_ms_ = reactor_.now_ms();
}

// From one that could be used to one that is being connected to: its commands wait, and nobody is
// told.
bool RedisCluster::is_being_handed_over(std::uint16_t slot) const noexcept {
  const Shard* owner = owner_of(slot);
  return is_ready_ && owner != nullptr && owner->is_fresh && !told_away_.test(slot);
}

SlotSet RedisCluster::slots_away() const noexcept {
  SlotSet away;
  for (std::size_t i = 0; i < key_slots; ++i) {
    const auto slot = static_cast<std::uint16_t>(i);
    const Shard* owner = owner_of(slot);
    const bool is_there = owner != nullptr && owner->pair.is_ready();
    if (!is_there && !is_being_handed_over(slot)) away.set(slot);
  }
  return away;
}

SlotSet RedisCluster::slots_of(const Shard& shard) const noexcept {
  SlotSet slots;
  for (std::size_t i = 0; i < key_slots; ++i)
    if (owners_[i] == &shard) slots.set(i);
  return slots;
}

// `of`: the slots that `why` is about. Of those that are known to be away it is told anew, for what
// was told first may not have been what keeps them away.
void RedisCluster::judge(const Error& why, const SlotSet& of) noexcept {
  if (is_stopped_) return;
  const SlotSet away = slots_away();
  scout_.set_content(away.none() && gaps_since_ms_ == 0);
  VS_ASSERT(lead_ == nullptr || lead_->pair.is_ready());
  if (lead_ == nullptr) {
    is_ready_ = false;
    return owner_.on_servers_lost(why);
  }
  if (!is_ready_ && away.any() && reactor_.now_ms() - lead_since_ms_ < patience_ms) {
    return tick_soon();  // the others are on their way
  }
  if (!std::exchange(is_ready_, true)) {
    told_away_ = away;
    owner_.on_servers_ready();
    if (away.any()) owner_.on_part_lost(away, why);
    return;
  }
  const SlotSet lost = away & (~told_away_ | of);
  const SlotSet back = told_away_ & ~away;
  told_away_ = away;
  if (lost.any()) owner_.on_part_lost(lost, why);
  if (back.any()) owner_.on_part_ready(back);
}

void RedisCluster::tick_soon() noexcept {
  if (!timer_.is_armed()) reactor_.timers().schedule(timer_, reactor_.now_ms() + tick_ms);
}

void RedisCluster::on_timer() noexcept {
  if (is_stopped_) return;
  if (!is_ready_ && lead_ != nullptr)
    judge({ErrorCode::unavailable, "a primary of the Redis Cluster is away", 0});
  try_detours();
  look_for_channels();
  if (!detours_.empty() || has_lost_channels_) tick_soon();
}

// The map that is known may be older than what the server said: it is asked for again until it
// leads to one that takes the channel.
void RedisCluster::on_shard_moved(Shard& shard, std::string_view channel) noexcept {
  const auto found = followed_.find(channel);
  shard.pair.unfollow(std::string(channel));
  if (found == followed_.end() || found->second.at != &shard) return;
  found->second.at = nullptr;
  has_lost_channels_ = true;
  tick_soon();
}

void RedisCluster::look_for_channels() noexcept {
  if (!has_lost_channels_ || reactor_.now_ms() - looked_ms_ < look_again_ms) return;
  looked_ms_ = reactor_.now_ms();
  has_lost_channels_ = std::ranges::any_of(followed_, [](const auto& each) {
    return each.second.at == nullptr && each.second.reach == Channel::Reach::part;
  });
  if (has_lost_channels_) scout_.ask();
}

// --- Channels ------------------------------------------------------------------------------------

void RedisCluster::follow_at(Shard& shard, const std::string& channel, OnDone done) {
  if (shard.kind) return shard.pair.follow(channel, std::move(done), *shard.kind);
  done(fail(ErrorCode::unavailable, "not connected to Redis"));  // when it is known
}

void RedisCluster::follow(const std::string& channel, Channel::Reach reach, OnDone done) {
  if (reach == Channel::Reach::node) {
    follow(wide_name(channel), Channel::Reach::all, [](Result<>) noexcept {});
    reach = Channel::Reach::part;
  }
  const std::uint16_t slot = slot_of_name(channel);
  const auto [found, is_new] = followed_.try_emplace(channel, Followed{slot, reach});
  VS_ASSERT(found->second.reach == reach);
  Shard* at = reach == Channel::Reach::all ? lead_ : owner_of(slot);
  if (reach == Channel::Reach::part) {
    found->second.at = at;
  } else if (is_new) {
    for (const auto& shard : shards_)
      if (shard.get() != at && !shard->is_retired)
        shard->pair.follow(channel, [](Result<>) noexcept {});
  }
  if (at == nullptr) return done(fail(ErrorCode::unavailable, "not connected to Redis"));
  if (reach == Channel::Reach::part) return follow_at(*at, channel, std::move(done));
  at->pair.follow(channel, std::move(done));
}

void RedisCluster::unfollow(const std::string& channel) {
  if (!channel.ends_with(wide_end)) unfollow(wide_name(channel));
  const auto found = followed_.find(channel);
  if (found == followed_.end()) return;
  const Followed followed = found->second;
  followed_.erase(found);
  if (followed.at != nullptr) followed.at->pair.unfollow(channel);
  if (followed.reach == Channel::Reach::part) return;
  for (const auto& shard : shards_)
    if (!shard->is_retired) shard->pair.unfollow(channel);
}

void RedisCluster::on_shard_message(const Shard& shard, std::string_view channel,
                                    std::string_view payload) noexcept {
  const auto found = followed_.find(channel);
  if (found == followed_.end()) return;
  const Followed& followed = found->second;
  const bool is_its =
      followed.reach == Channel::Reach::all ? lead_ == &shard : followed.at == &shard;
  if (channel.ends_with(wide_end)) channel.remove_suffix(wide_end.size());
  if (is_its) owner_.on_servers_message(channel, payload);
}

std::string_view RedisCluster::script_publish(std::string_view channel) const noexcept {
  const Shard* owner = owner_of(slot_of_name(channel));
  const auto known = owner != nullptr ? owner->kind : std::nullopt;
  return known.value_or(latest_kind_) == RedisChannelKind::sharded ? "SPUBLISH" : "PUBLISH";
}

}  // namespace videosync
