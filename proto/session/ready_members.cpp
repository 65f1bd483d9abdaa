#include "proto/session/ready_members.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"

namespace videosync {

ReadyMembers::ReadyMembers(std::vector<MemberId> kept) : kept_(std::move(kept)) {
  VS_ASSERT(kept_.size() <= kept_max);
}

bool ReadyMembers::set(Member& member, bool is_ready) {
  VS_ASSERT(member.id);
  VS_ASSERT(kept_.size() <= kept_max);
  if (this->is_ready(member) == is_ready) return false;
  if (is_ready) {
    if (kept_.size() < kept_max) kept_.push_back(member.id);
    begin(member);
    recount(member);
  } else {
    std::erase(kept_, member.id);
    if (member.is_counted_ready) --count_;
    member.is_counted_ready = false;
    member.ready_round = 0;
  }
  VS_ASSERT(this->is_ready(member) == is_ready);
  return true;
}

// What was counted in another round counts no more.
void ReadyMembers::begin(Member& member) noexcept {
  VS_ASSERT(!is_ready(member));
  member.ready_round = round_;
  member.is_counted_ready = false;
  VS_ASSERT(is_ready(member));
}

void ReadyMembers::recount(Member& member) {
  const bool is_yet_to_be_heard_of =
      !is_ready(member) && std::ranges::find(kept_, member.id) != kept_.end();
  if (is_yet_to_be_heard_of) begin(member);
  if (!is_ready(member) || member.is_counted_ready == member.connected) return;
  VS_ASSERT(member.connected || count_ > 0);
  member.connected ? ++count_ : --count_;
  member.is_counted_ready = member.connected;
  VS_ASSERT(count_ > 0 || !member.connected);
}

void ReadyMembers::forget(const Member& member) {
  VS_ASSERT(!member.connected);
  VS_ASSERT(!is_ready(member) || !member.is_counted_ready);
  if (is_ready(member)) std::erase(kept_, member.id);
}

bool ReadyMembers::clear() noexcept {
  VS_ASSERT(round_ > 0);
  VS_ASSERT(kept_.size() <= kept_max);
  const bool was_anybody = count_ > 0 || !kept_.empty();
  round_ = round_ == UINT32_MAX ? 1 : round_ + 1;
  count_ = 0;
  kept_.clear();
  return was_anybody;
}

}  // namespace videosync
