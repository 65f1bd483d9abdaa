#include "proto/session/roster.h"

#include <algorithm>

#include "core/base/assert.h"

namespace videosync {

Member& Roster::make(MemberId id, std::string_view name, std::int64_t now_us) {
  VS_ASSERT(id);
  Member& member = slab_.take();
  VS_ASSERT(!member.connected);
  VS_ASSERT(!member.connection);
  member.id = id;
  member.name.assign(name);
  member.since_us = now_us;
  return member;
}

Member& Roster::add(std::string_view name, std::int64_t now_us) {
  VS_ASSERT(next_id_ != 0);
  VS_ASSERT(next_id_ != UINT32_MAX);
  return add_connected(MemberId{next_id_}, name, ConnectionNumber{1}, now_us);
}

Member& Roster::add_away(MemberId id, std::string_view name, std::int64_t now_us) {
  VS_ASSERT(id);
  VS_ASSERT(id.value < next_id_);
  VS_ASSERT(find(id) == nullptr);
  Member& member = make(id, name, now_us);
  away_.insert(member);
  away_list_.push_back(member);
  assert_sound();
  return member;
}

Member& Roster::add_connected(MemberId id, std::string_view name, ConnectionNumber connection,
                              std::int64_t now_us) {
  VS_ASSERT(id);
  VS_ASSERT(find(id) == nullptr);
  next_id_ = std::max(next_id_, id.value + 1);
  Member& member = make(id, name, now_us);
  member.connection = connection;
  member.connected = true;
  connected_.insert(member);
  VS_ASSERT(id.value < next_id_);
  return member;
}

void Roster::reconnect(Member& member, std::int64_t now_us) {
  VS_ASSERT(!member.buffering);
  VS_ASSERT(!member.is_awaited);
  if (!member.connected) {
    away_list_.remove(member);
    away_.erase(member);
    connected_.insert(member);
    member.connected = true;
  }
  member.connection.value = member.connection.value == UINT32_MAX ? 1 : member.connection.value + 1;
  member.since_us = now_us;
  assert_sound();
}

void Roster::set_away(Member& member, std::int64_t now_us) {
  VS_ASSERT(member.connected);
  VS_ASSERT(!member.buffering);
  VS_ASSERT(!member.is_awaited);
  connected_.erase(member);
  away_.insert(member);
  member.connected = false;
  member.since_us = now_us;
  away_list_.push_back(member);
  assert_sound();
}

void Roster::forget(Member& member) {
  VS_ASSERT(!member.connected);
  VS_ASSERT(!member.buffering);
  away_list_.remove(member);
  away_.erase(member);
  slab_.give_back(member);
  assert_sound();
}

void Roster::set_buffering(Member& member, bool buffering) {
  VS_ASSERT(member.connected);
  if (member.buffering == buffering) return;
  member.buffering = buffering;
  if (buffering) {
    buffering_list_.push_back(member);
    ++buffering_count_;
  } else {
    buffering_list_.remove(member);
    --buffering_count_;
  }
  assert_sound();
}

Member* Roster::next_buffering() noexcept {
  Member* member = buffering_list_.front();
  if (member == nullptr) return nullptr;
  VS_ASSERT(member->connected);
  VS_ASSERT(member->buffering);
  buffering_list_.remove(*member);
  buffering_list_.push_back(*member);
  assert_sound();
  return member;
}

Member* Roster::find(MemberId id) noexcept {
  Member* member = connected_.find(id);
  return member != nullptr ? member : away_.find(id);
}

Member& Roster::known(MemberId id) noexcept {
  Member* member = find(id);
  VS_ASSERT(member != nullptr);
  return *member;
}

const Member* Roster::find(MemberId id) const noexcept {
  return const_cast<Roster*>(this)->find(id);
}

}  // namespace videosync
