// Copies: what this node knows of sessions that nobody here has open any more, where it may be the
// last to know them. The store lacks such a session, or has it older; it gets what the home last
// told, for whoever comes. That is no take-over: a home that lives goes on writing at the same
// fence, and what is newer is not overwritten. But a home of a lower fence, which the store had
// instead, is told: nobody else may know of it.
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
  Outpost& outpost = residence.away();
  VS_ASSERT(outpost.members.empty());
  if (outpost.record.empty()) return;
  if (!copies_.contains(residence.key) && copies_.size() == copies_max) return drop_copy();
  Copy& copy = copies_[residence.key];
  copy.version = {outpost.line_fence, outpost.revision};
  copy.code = outpost.code;
  copy.record = std::exchange(outpost.record, {});
  copy.queue = std::exchange(outpost.queue, {});
  copy.queue_epoch = outpost.queue_epoch;
  VS_ASSERT(copies_.size() <= copies_max);
  store_copy(residence.key);
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
      {key, copy.code}, before, copy.version, bytes_of(copy.record, &copy.queue), store_ttl_us(), {},
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
  const auto copy = copies_.find(residence.key);
  if (copy == copies_.end()) return;
  Outpost& outpost = residence.away();
  VS_ASSERT(outpost.record.empty());
  VS_ASSERT(outpost.phase == Outpost::Phase::idle);
  outpost.line_fence = copy->second.version.fence;
  outpost.revision = copy->second.version.revision;
  outpost.code = copy->second.code;
  outpost.record = std::move(copy->second.record);
  outpost.queue = std::move(copy->second.queue);
  outpost.queue_epoch = copy->second.queue_epoch;
  copies_.erase(copy);
  set_unsaved(residence.key, "");
}

// Whether a node that is about to end has nothing left that it alone may know.
bool Impl::is_settled() const noexcept {
  if (moving_ > 0 || !copies_.empty()) return false;
  return std::ranges::none_of(residences_, [this](const auto& entry) noexcept {
    const Residence& residence = *entry.second;
    const bool is_unsaved = unsaved_.contains(residence.key);  // the store refused it
    if (residence.home) return was_ready_ && (residence.home->is_reread_due || is_unsaved);
    const Outpost& outpost = residence.away();
    const bool is_told = outpost.phase == Outpost::Phase::settled && !outpost.needs_farewell;
    return !outpost.record.empty() && !is_told;
  });
}

}  // namespace videosync
