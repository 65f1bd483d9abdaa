#include "storage/redis/redis_channels.h"

#include <utility>

#include "core/base/assert.h"

namespace videosync {

bool RedisChannels::want(std::string channel) {
  Channel& entry = channels_[std::move(channel)];
  if (entry.is_wanted) return false;
  entry.is_wanted = true;
  ++unconfirmed_;
  return is_connected_ && !entry.is_leaving;
}

bool RedisChannels::unwant(std::string_view channel) {
  const auto found = channels_.find(channel);
  if (found == channels_.end() || !found->second.is_wanted) return false;
  Channel& entry = found->second;
  if (!entry.is_confirmed) --unconfirmed_;
  entry.is_wanted = false;
  entry.is_confirmed = false;
  if (!is_connected_) {
    channels_.erase(found);
    return false;
  }
  return !std::exchange(entry.is_leaving, true);
}

std::vector<std::string_view> RedisChannels::on_connected() {
  VS_ASSERT(!is_connected_ && unconfirmed_ == channels_.size());
  is_connected_ = true;
  std::vector<std::string_view> names;
  names.reserve(channels_.size());
  for (const auto& [name, entry] : channels_)
    names.push_back(name);
  return names;
}

void RedisChannels::on_lost() {
  is_connected_ = false;
  std::erase_if(channels_, [](const auto& each) { return !each.second.is_wanted; });
  for (auto& [name, entry] : channels_)
    entry = {.is_wanted = true};
  unconfirmed_ = channels_.size();
}

bool RedisChannels::on_subscribed(std::string_view channel) {
  const auto found = channels_.find(channel);
  if (found == channels_.end()) return false;
  Channel& entry = found->second;
  if (!entry.is_wanted || entry.is_leaving || entry.is_confirmed) return false;
  entry.is_confirmed = true;
  --unconfirmed_;
  return true;
}

bool RedisChannels::on_unsubscribed(std::string_view channel) {
  const auto found = channels_.find(channel);
  if (found == channels_.end()) return false;
  found->second.is_leaving = false;
  if (found->second.is_wanted) return true;
  channels_.erase(found);
  return false;
}

bool RedisChannels::is_confirmed(std::string_view channel) const {
  const auto found = channels_.find(channel);
  return found != channels_.end() && found->second.is_confirmed;
}

}  // namespace videosync
