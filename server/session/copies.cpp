// Copies: what this node knows of sessions that nobody here has open any more, where it may be the
// last to know them. The store lacks such a session, or has it older; it gets what the home last
// told, for whoever comes. That is no take-over: a home that lives goes on writing at the same
// fence, and what is newer is not overwritten. But a home of a lower fence, which the store had
// instead, is told: nobody else may know of it.
//
// What the store has said that it has it may lose all the same: a master that has been replaced
// says yes until it hears of that. So a copy is kept for a while after the last one here has left,
// and counts as one that the store lacks when it is lost in that time.
#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "server/session/directory_impl.h"

namespace videosync {

using Impl = SessionDirectory::Impl;

namespace {

constexpr std::int64_t tell_dropped_every_us = 60'000'000;

}  // namespace

void Impl::leave_copy(Residence& residence) noexcept {
  if (residence.away().record.empty()) return;
  if (!copies_.contains(residence.key) && copies_.size() == copies_max) return drop_copy();
  copies_.insert_or_assign(residence.key, take_copy(residence.away()));
  VS_ASSERT(copies_.size() <= copies_max);
  store_copy(residence.key);
}

Impl::Copy Impl::take_copy(Outpost& outpost) noexcept {
  VS_ASSERT(outpost.members.empty());
  VS_ASSERT(!outpost.record.empty());
  return {.version = {outpost.line_fence, outpost.revision},
          .code = outpost.code,
          .record = std::exchange(outpost.record, {}),
          .queue = std::exchange(outpost.queue, {}),
          .queue_epoch = outpost.queue_epoch};
}

// The store has it. No longer than the session may live there, however often it is asked for
// meanwhile: nobody is to revive it. Where there is no room it is not kept.
void Impl::keep_copy(Residence& residence) noexcept {
  Outpost& outpost = residence.away();
  if (outpost.record.empty()) return;
  VS_ASSERT(!copies_.contains(residence.key));
  VS_ASSERT(!kept_.contains(residence.key));
  const std::int64_t until_us = outpost.kept_until_us > 0
                                    ? outpost.kept_until_us
                                    : now_us() + std::min(failover_us, ports_.session_ttl_us);
  if (until_us <= now_us() || kept_.size() == copies_max) return;
  Copy copy = take_copy(outpost);
  copy.kept_until_us = until_us;
  kept_.emplace(residence.key, std::move(copy));
}

void Impl::forget_kept() noexcept {
  std::erase_if(kept_, [now = now_us()](const auto& entry) noexcept {
    return entry.second.kept_until_us <= now;
  });
}

// Whether the store that comes next has them nobody knows.
void Impl::doubt_kept(const SlotSet* slots) noexcept {
  forget_kept();
  std::vector<std::pair<Uuid, Copy>> doubted;
  for (auto& [key, copy] : kept_)
    if (is_within(slots, key)) doubted.emplace_back(key, std::move(copy));
  for (auto& [key, copy] : doubted) {
    kept_.erase(key);
    VS_ASSERT(!presence_.has(key));
    if (copies_.size() == copies_max) {
      drop_copy();
      continue;
    }
    VS_ASSERT(!residences_.contains(key));
    copy.kept_until_us = 0;
    copies_.insert_or_assign(key, std::move(copy));
    set_unsaved(key, "the store is away");
  }
}

// Whoever else knows the session may still bring it back.
void Impl::drop_copy() noexcept {
  VS_ASSERT(copies_.size() == copies_max);
  ports_.metrics.count(Counter::copies_dropped);
  ++copies_dropped_;
  if (now_us() < tell_dropped_us_) return;
  tell_dropped_us_ = now_us() + tell_dropped_every_us;
  log_warn("session", "sessions that the store may lack are forgotten: too many wait for it",
           field("forgotten", copies_dropped_), field("kept", copies_max));
}

void Impl::store_copy(const Uuid& key) noexcept {
  const Copy& copy = copies_.at(key);
  const StoreVersion before{copy.version.fence, copy.version.revision - 1};
  VS_ASSERT(!copy.record.empty());
  VS_ASSERT(!is_alone());
  const std::uint64_t fence = copy.version.fence;
  auto beneath = ask_beneath(key, fence);
  ports_.store.change(
      {key, copy.code}, before, copy.version, bytes_of(copy.record, &copy.queue), store_ttl_us(),
      {},
      answered([this, key, fence, beneath = std::move(beneath)](const Result<>& result) noexcept {
        if (result) tell_beneath(*beneath, key, fence);
        on_copy_answered(key, result);
      }));
}

// Whatever the store has instead is as good, or better. Where it could not take it, it is told
// again, and nobody is told no meanwhile.
void Impl::on_copy_answered(const Uuid& key, const Result<>& result) noexcept {
  const auto copy = copies_.find(key);
  if (copy == copies_.end()) return;  // it was needed here
  VS_ASSERT(depth_ > 0);
  VS_ASSERT(!copy->second.record.empty());
  const bool is_done = result || result.error().code == ErrorCode::conflict ||
                       result.error().code == ErrorCode::not_found;
  set_unsaved(key, is_done ? "" : result.error().message);
  if (is_done) copies_.erase(copy);
}

// The session is asked for here again.
void Impl::take_back_copy(Residence& residence) noexcept {
  forget_kept();
  auto taken = copies_.extract(residence.key);
  VS_ASSERT(taken.empty() || !kept_.contains(residence.key));
  if (taken.empty()) taken = kept_.extract(residence.key);
  if (taken.empty()) return;
  Copy& copy = taken.mapped();
  Outpost& outpost = residence.away();
  VS_ASSERT(outpost.record.empty());
  VS_ASSERT(outpost.phase == Outpost::Phase::idle);
  outpost.line_fence = copy.version.fence;
  outpost.revision = copy.version.revision;
  outpost.code = copy.code;
  outpost.record = std::move(copy.record);
  outpost.queue = std::move(copy.queue);
  outpost.queue_epoch = copy.queue_epoch;
  outpost.kept_until_us = copy.kept_until_us;
  set_unsaved(residence.key, "");
}

// Whether a node that is about to end has nothing left that it alone may know.
bool Impl::is_settled() const noexcept {
  if (moving_ > 0 || !copies_.empty()) return false;
  return std::ranges::none_of(residences_, [this](const auto& entry) noexcept {
    const Residence& residence = *entry.second;
    const bool is_unstored = is_unsaved(residence.key);  // the store refused it
    if (residence.home)
      return presence_.was_ever_there() && (residence.home->is_reread_due || is_unstored);
    const Outpost& outpost = residence.away();
    const bool is_told = outpost.phase == Outpost::Phase::settled && !outpost.needs_farewell;
    return !outpost.record.empty() && !is_told;
  });
}

}  // namespace videosync
