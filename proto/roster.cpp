#include "proto/roster.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"

namespace videosync {

Roster::~Roster() {
  while (away_list_.pop_front() != nullptr) {
  }
  while (buffering_list_.pop_front() != nullptr) {
  }
}

Member& Roster::add(std::string name, const Token& secret, std::int64_t now_us) {
  VS_ASSERT(next_id_ != 0 && next_id_ != UINT32_MAX);
  const MemberId id{next_id_++};
  Member& member = connected_.try_emplace(connected_.end(), id)->second;
  member.id = id;
  member.connection.value = connection_base_ + 1;
  member.secret = secret;
  member.name = std::move(name);
  member.since_us = now_us;
  member.connected = true;
  return member;
}

Member& Roster::add_away(const MemberId id, std::string name, const Token& secret,
                         std::int64_t now_us) {
  VS_ASSERT(id && id.value < next_id_ && find(id) == nullptr);
  Member& member = away_[id];
  member.id = id;
  member.secret = secret;
  member.name = std::move(name);
  member.since_us = now_us;
  away_list_.push_back(member);
  return member;
}

Member& Roster::add_connected(MemberId id, std::string name, const Token& secret,
                              ConnectionNumber connection, std::int64_t now_us) {
  VS_ASSERT(id && find(id) == nullptr);
  next_id_ = std::max(next_id_, id.value + 1);
  Member& member = connected_[id];
  member.id = id;
  member.connection = connection;
  member.secret = secret;
  member.name = std::move(name);
  member.since_us = now_us;
  member.connected = true;
  return member;
}

void Roster::reconnect(Member& member, std::int64_t now_us) {
  VS_ASSERT(!member.buffering);
  if (!member.connected) {
    member.unlink();
    connected_.insert(away_.extract(member.id));
    member.connected = true;
  }
  member.connection.value = std::max(member.connection.value, connection_base_) + 1;
  member.since_us = now_us;
}

void Roster::set_away(Member& member, std::int64_t now_us) {
  VS_ASSERT(member.connected && !member.buffering);
  away_.insert(connected_.extract(member.id));
  member.connected = false;
  member.since_us = now_us;
  away_list_.push_back(member);
}

void Roster::forget(Member& member) {
  VS_ASSERT(!member.connected);
  member.unlink();
  away_.erase(member.id);
}

void Roster::set_buffering(Member& member, bool buffering) {
  VS_ASSERT(member.connected);
  if (member.buffering == buffering) return;
  member.buffering = buffering;
  if (buffering) {
    buffering_list_.push_back(member);
    ++buffering_count_;
  } else {
    member.unlink();
    --buffering_count_;
  }
}

Member* Roster::next_buffering() noexcept {
  Member* member = buffering_list_.pop_front();
  if (member != nullptr) buffering_list_.push_back(*member);
  return member;
}

Member* Roster::find_connected(MemberId id) noexcept {
  const auto found = connected_.find(id);
  return found == connected_.end() ? nullptr : &found->second;
}

Member* Roster::find(MemberId id) noexcept {
  if (Member* member = find_connected(id)) return member;
  const auto found = away_.find(id);
  return found == away_.end() ? nullptr : &found->second;
}

const Member* Roster::find(MemberId id) const noexcept {
  return const_cast<Roster*>(this)->find(id);
}

Member* Roster::longest_connected() noexcept {
  return connected_.empty() ? nullptr : &connected_.begin()->second;
}

Member* Roster::longest_away() noexcept {
  return away_list_.empty() ? nullptr : &away_list_.front();
}

const Member* Roster::longest_away() const noexcept {
  return const_cast<Roster*>(this)->longest_away();
}

}  // namespace videosync
