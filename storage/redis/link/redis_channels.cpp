#include "storage/redis/link/redis_channels.h"

#include "core/base/assert.h"

namespace videosync {

bool RedisChannels::want(std::string channel, Kind kind) {
  Channel& entry = channels_[std::move(channel)];
  VS_ASSERT(!entry.is_wanted || entry.kind == kind);
  if (!entry.is_wanted) {
    entry.kind = kind;
    entry.is_wanted = true;
    ++unconfirmed_;
  } else if (entry.is_confirmed || entry.unanswered > 0) {
    return false;
  }
  if (is_connected_) ++entry.unanswered;
  return is_connected_;
}

std::optional<RedisChannels::Kind> RedisChannels::unwant(std::string_view channel) {
  const auto found = channels_.find(channel);
  if (found == channels_.end() || !found->second.is_wanted) return std::nullopt;
  Channel& entry = found->second;
  const bool is_there = entry.is_confirmed || entry.unanswered > 0;
  VS_ASSERT(is_connected_ || !is_there);
  if (!entry.is_confirmed) --unconfirmed_;
  if (!is_there) {
    channels_.erase(found);
    return std::nullopt;
  }
  entry.is_wanted = false;
  entry.is_confirmed = false;
  ++entry.unanswered;
  return entry.kind;
}

std::vector<std::pair<std::string_view, RedisChannels::Kind>> RedisChannels::on_connected() {
  VS_ASSERT(!is_connected_ && unconfirmed_ == channels_.size());
  is_connected_ = true;
  std::vector<std::pair<std::string_view, Kind>> wanted;
  wanted.reserve(channels_.size());
  for (auto& [name, entry] : channels_) {
    entry.unanswered = 1;
    wanted.emplace_back(name, entry.kind);
  }
  return wanted;
}

void RedisChannels::on_lost() {
  is_connected_ = false;
  std::erase_if(channels_, [](const auto& each) { return !each.second.is_wanted; });
  for (auto& [name, entry] : channels_)
    entry = {.kind = entry.kind, .is_wanted = true};
  unconfirmed_ = channels_.size();
}

RedisChannels::Channel* RedisChannels::settle(std::string_view channel) {
  const auto found = channels_.find(channel);
  VS_ASSERT(found != channels_.end() && found->second.unanswered > 0);
  Channel& entry = found->second;
  if (--entry.unanswered > 0) return nullptr;
  if (entry.is_wanted) return &entry;
  channels_.erase(found);
  return nullptr;
}

bool RedisChannels::on_subscribed(std::string_view channel) {
  Channel* entry = settle(channel);
  if (entry == nullptr) return false;
  VS_ASSERT(!entry->is_confirmed && unconfirmed_ > 0);
  entry->is_confirmed = true;
  --unconfirmed_;
  return true;
}

bool RedisChannels::on_refused(std::string_view channel) {
  return settle(channel) != nullptr;
}

void RedisChannels::on_unsubscribed(std::string_view channel) {
  const Channel* entry = settle(channel);
  VS_ASSERT(entry == nullptr);  // who wants it again has subscribed behind this
}

bool RedisChannels::on_dropped(std::string_view channel) {
  const auto found = channels_.find(channel);
  if (found == channels_.end() || !found->second.is_confirmed) return false;
  found->second.is_confirmed = false;
  ++unconfirmed_;
  return true;
}

bool RedisChannels::is_confirmed(std::string_view channel) const {
  const auto found = channels_.find(channel);
  return found != channels_.end() && found->second.is_confirmed;
}

}  // namespace videosync
