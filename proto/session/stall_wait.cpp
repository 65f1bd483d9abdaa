#include "proto/session/stall_wait.h"

#include <algorithm>

#include "core/base/assert.h"

namespace videosync {

void StallWait::begin(std::int64_t until_us) {
  VS_ASSERT(until_us != INT64_MAX);
  until_us_ = until_us;
}

void StallWait::add(Member& member, std::int64_t awaitable_from_us) {
  VS_ASSERT(active());
  VS_ASSERT(!full());
  VS_ASSERT(member.buffering);
  VS_ASSERT(!member.is_awaited);
  member.is_awaited = true;
  member.awaitable_from_us = awaitable_from_us;
  members_.push_back(member.id);
  VS_ASSERT(members_.size() <= awaited_max);
}

void StallWait::remove(Member& member) {
  VS_ASSERT(active());
  VS_ASSERT(member.is_awaited);
  member.is_awaited = false;
  const auto erased = std::erase(members_, member.id);
  VS_ASSERT(erased == 1);
}

void StallWait::end(Roster& roster) {
  VS_ASSERT(active() || empty());
  for (const MemberId id : members_) {
    Member* member = roster.find_connected(id);
    VS_ASSERT(member != nullptr);
    VS_ASSERT(member->is_awaited);
    member->is_awaited = false;
  }
  members_.clear();
  until_us_ = INT64_MAX;
}

WaitingEffect StallWait::to_effect() const {
  VS_ASSERT(active());
  const auto shown = static_cast<std::ptrdiff_t>(std::min(members_.size(), member_list_max));
  return {{members_.begin(), members_.begin() + shown}, until_us_};
}

}  // namespace videosync
