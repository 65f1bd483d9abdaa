#include "proto/session/presence.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"

namespace videosync {

namespace {

void add_capped(std::vector<MemberInfo>& list, MemberInfo info) {
  if (list.size() < member_list_max) list.push_back(std::move(info));
}

}  // namespace

void Presence::touch(Member& member, std::int64_t now_us, std::int64_t interval_us) {
  VS_ASSERT(member.id);
  VS_ASSERT(interval_us >= 0);
  VS_ASSERT(!member.is_touched || !touched_.empty());
  due_us_ = std::min(due_us_, now_us + interval_us);
  if (!member.is_touched) touched_.push_back(member.id);
  member.is_touched = true;
  if (member.was_connected == member.connected) return;
  // Lists that were made since its last turn showed it as it was until now.
  const bool was_news = member.was_connected != member.is_announced;
  if (was_news && member.lists_seen != lists_) member.is_told_otherwise = true;
  member.was_connected = member.connected;
  member.lists_seen = lists_;
}

// What the joiner is told of itself does not count.
void Presence::note_list(Member& joiner) noexcept {
  VS_ASSERT(joiner.connected);
  VS_ASSERT(joiner.was_connected);
  const bool is_first = joiner.lists_seen == lists_;
  ++lists_;
  if (is_first) joiner.lists_seen = lists_;
}

void Presence::alter(Member& member, std::int64_t now_us, std::int64_t interval_us) {
  if (!member.connected) return;
  member.is_altered = true;
  touch(member, now_us, interval_us);
  VS_ASSERT(member.is_touched);
  VS_ASSERT(due_us_ != INT64_MAX);
}

void Presence::note_ready(std::int64_t now_us, std::int64_t interval_us) {
  VS_ASSERT(interval_us >= 0);
  due_us_ = std::min(due_us_, now_us + interval_us);
  is_ready_news_ = true;
}

void Presence::forget(Member& member, Role role) {
  VS_ASSERT(!member.connected);
  if (!member.is_announced && !member.is_told_otherwise) return;
  VS_ASSERT(member.is_touched);
  VS_ASSERT(due_us_ != INT64_MAX);
  add_capped(gone_, {member.id, std::string(member.name.view()), role});
}

void Presence::flush(Roster& roster, MemberId host, std::uint32_t ready,
                     const std::optional<HostAway>& host_away, Effects& effects) {
  VS_ASSERT((touched_.empty() && !is_ready_news_) == (due_us_ == INT64_MAX));
  VS_ASSERT(gone_.size() <= member_list_max);
  VS_ASSERT((gone_.empty() || !touched_.empty()));
  MembersEffect effect;
  effect.host_away = host_away;
  effect.left = std::move(gone_);
  for (const MemberId id : touched_) {
    Member* member = roster.find(id);
    if (member == nullptr) continue;
    const bool altered = member->is_altered;
    const bool announced = member->is_announced;
    const bool told_otherwise = member->is_told_otherwise;
    member->is_touched = member->is_altered = member->is_told_otherwise = false;
    member->is_announced = member->connected;
    MemberInfo info{id, std::string(member->name.view()),
                    id == host ? Role::host : Role::participant};
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
  const bool is_away_news = std::exchange(told_away_, host_away) != host_away;
  const bool is_list_news =
      !effect.joined.empty() || !effect.left.empty() || !effect.changed.empty();
  // Somebody may have been welcomed with what did not last.
  const bool is_ready_news = std::exchange(is_ready_news_, false);
  if (!is_list_news && !is_away_news && !is_ready_news) return;
  effect.count = static_cast<std::uint32_t>(roster.connected().size());
  effect.ready = ready;
  VS_ASSERT(effect.ready <= effect.count);
  effects.push(std::move(effect));
}

}  // namespace videosync
