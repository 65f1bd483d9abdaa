#include "proto/presence.h"

#include <algorithm>
#include <utility>

namespace videosync {

namespace {

void add_capped(std::vector<MemberInfo>& list, MemberInfo info) {
  if (list.size() < member_list_max) list.push_back(std::move(info));
}

}  // namespace

void Presence::touch(Member& member, std::int64_t now_us, std::int64_t interval_us) {
  due_us_ = std::min(due_us_, now_us + interval_us);
  if (!std::exchange(member.is_touched, true)) touched_.push_back(member.id);
  if (member.was_connected == member.connected) return;
  // Lists that were made since its last turn showed it as it was until now.
  const bool was_news = member.was_connected != member.is_announced;
  if (was_news && member.lists_seen != lists_) member.is_told_otherwise = true;
  member.was_connected = member.connected;
  member.lists_seen = lists_;
}

// What the joiner is told of itself does not count.
void Presence::note_list(Member& joiner) noexcept {
  const bool is_first = joiner.lists_seen == lists_;
  ++lists_;
  if (is_first) joiner.lists_seen = lists_;
}

void Presence::alter(Member& member, std::int64_t now_us, std::int64_t interval_us) {
  if (!member.connected) return;
  member.is_altered = true;
  touch(member, now_us, interval_us);
}

void Presence::forget(Member& member, Role role) {
  if (!member.is_announced && !member.is_told_otherwise) return;
  VS_ASSERT(member.is_touched && due_us_ != INT64_MAX);
  add_capped(gone_, {member.id, member.name, role});
}

void Presence::flush(Roster& roster, MemberId host, const std::optional<HostAway>& host_away,
                     Effects& effects) {
  MembersEffect effect;
  effect.host_away = host_away;
  effect.left = std::move(gone_);
  for (const MemberId id : touched_) {
    Member* member = roster.find(id);
    if (member == nullptr) continue;
    member->is_touched = false;
    const bool altered = std::exchange(member->is_altered, false);
    const bool announced = std::exchange(member->is_announced, member->connected);
    const bool told_otherwise = std::exchange(member->is_told_otherwise, false);
    MemberInfo info{id, member->name, id == host ? Role::host : Role::participant};
    if (member->connected && (!announced || told_otherwise)) {
      add_capped(effect.joined, std::move(info));
    } else if (!member->connected && (announced || told_otherwise)) {
      add_capped(effect.left, std::move(info));
    } else if (member->connected && altered) {
      add_capped(effect.changed, std::move(info));
    }
  }
  gone_.clear();
  touched_.clear();
  due_us_ = INT64_MAX;
  if (effect.joined.empty() && effect.left.empty() && effect.changed.empty()) return;
  effect.count = static_cast<std::uint32_t>(roster.connected().size());
  effects.push(std::move(effect));
}

}  // namespace videosync
