// The store goes and comes back, as a whole or in part: what it may have lost is told it again, and
// what could not be said meanwhile is said again.
#include <algorithm>
#include <iterator>
#include <utility>

#include "core/base/assert.h"
#include "server/session/directory_impl.h"

namespace videosync {

using Impl = SessionDirectory::Impl;

namespace {

constexpr std::int64_t retry_us = 1'000'000;
constexpr std::int64_t roll_us = 2'000'000;  // as Nodes::return_us
constexpr std::int64_t roll_again_us = 500'000;
constexpr std::size_t written_a_tick = 2'000;

}  // namespace

void SessionDirectory::on_store_ready() noexcept {
  const Impl::Event event(*impl_);
  impl_->store_ready();
}
void SessionDirectory::on_store_lost() noexcept {
  const Impl::Event event(*impl_);
  impl_->store_lost();
}
void SessionDirectory::on_part_ready(const SharedSlots& slots) noexcept {
  const Impl::Event event(*impl_);
  impl_->part_ready(*slots);
}
void SessionDirectory::on_part_lost(const SharedSlots& slots) noexcept {
  const Impl::Event event(*impl_);
  impl_->part_lost(*slots);
}
bool SessionDirectory::is_apart(const Uuid& key) const noexcept {
  return impl_->is_apart(key);
}
void SessionDirectory::on_store_judged(bool may_lack) noexcept {
  const Impl::Event event(*impl_);
  impl_->store_judged(may_lack);
}

void Impl::store_lost() noexcept {
  presence_.on_lost();
  give_up_store(nullptr);
  VS_ASSERT(kept_.empty());
  VS_ASSERT(!presence_.is_there());
}

void Impl::part_lost(const SlotSet& slots) noexcept {
  if (!presence_.is_there()) return;
  presence_.on_part_lost(slots);
  VS_ASSERT(presence_.has_parts());
  forget_plans(slots);
  set_aside_unsaved();
  give_up_store(&slots);
  VS_ASSERT(effects_.empty());
}

void Impl::give_up_store(const SlotSet* slots) noexcept {
  VS_ASSERT(depth_ > 0);
  VS_ASSERT(slots != nullptr || !presence_.is_there());
  doubt_kept(slots);
  for (auto& [key, removal] : unremoved_)
    if (is_within(slots, key)) removal.done_us = 0;
  for (auto& [key, residence] : residences_)
    if (residence->home && is_within(slots, key)) residence->home->is_reread_due = true;
}

void Impl::store_ready() noexcept {
  presence_.on_ready(now_us());
  roll_.clear();
  write_back_.clear();
  recode_.clear();
  VS_ASSERT(!presence_.has_parts());
  take_up_store(nullptr);
  VS_ASSERT(is_writing_back_);
}

void Impl::part_ready(const SlotSet& slots) noexcept {
  if (!presence_.is_there()) return;
  presence_.on_part_ready(slots, now_us());
  VS_ASSERT(presence_.has_parts());
  forget_plans(slots);
  take_up_store(&slots);
  VS_ASSERT(is_writing_back_);
}

// Homes there are looked at anew, whoever is to be named there is named anew.
void Impl::forget_plans(const SlotSet& slots) noexcept {
  const auto is_meant = [&](const Uuid& key) noexcept { return slots.test(slot_of(key)); };
  std::erase_if(roll_, is_meant);
  std::erase_if(write_back_, is_meant);
  VS_ASSERT(depth_ > 0);
  VS_ASSERT(presence_.is_there());
}

void Impl::take_up_store(const SlotSet* slots) noexcept {
  VS_ASSERT(depth_ > 0);
  VS_ASSERT(presence_.is_there());
  is_writing_back_ = true;
  // What was said meanwhile was not heard: homes say all anew, and every home is asked anew.
  for (auto& [key, residence] : residences_) {
    if (!is_within(slots, key)) {
      const ShortCode code = residence->is_home() ? residence->home->machine->code() : ShortCode{};
      if (code && slots->test(slot_of(code))) recode_.push_back(key);
      continue;
    }
    if (residence->is_home()) write_back_.push_back(key);
    Outpost* outpost = residence->out();
    if (outpost == nullptr || residence->home) continue;
    outpost->needs_enroll = true;
    if (outpost->phase == Outpost::Phase::idle || outpost->phase == Outpost::Phase::settled) {
      look_later(*residence);
    }
  }
  retry_unsaved();
  if (!tick_timer_.is_armed()) schedule(tick_timer_, 1'000);
}

void Impl::retry_unsaved() noexcept {
  VS_ASSERT(presence_.is_there());
  VS_ASSERT(depth_ > 0);
  retried_us_ = now_us();
  std::vector<Removal> removals;
  for (const auto& [key, removal] : unremoved_)
    if (removal.done_us == 0 && !presence_.is_apart(key)) removals.push_back(removal);
  for (const Removal& removal : removals)
    remove(removal);
  if (!write_back_.empty()) return;  // all of them will be stored
  std::vector<Uuid> keys(unsaved_.begin(), unsaved_.end());
  std::ranges::copy_if(unsaved_away_, std::back_inserter(keys),
                       [this](const Uuid& key) noexcept { return !presence_.is_apart(key); });
  for (std::size_t i = 0; i < keys.size() && i < written_a_tick; ++i) {
    Residence* residence = find(keys[i]);
    if (residence != nullptr && residence->is_home()) store_again(*residence);
    if (copies_.contains(keys[i])) store_copy(keys[i]);
  }
}

// It may be this home's own change that was there first: another node has heard of it by another
// way and left its copy before the change itself came. Otherwise another node is home.
void Impl::on_conflict(Residence& residence) noexcept {
  VS_ASSERT(residence.is_home());
  VS_ASSERT(presence_.is_divided());
  const std::uint64_t fence = residence.at_home().version.fence;
  const auto on_value = [this, key = residence.key, fence](const Result<StoredValue>& value) {
    Residence* now = find(key);
    if (now == nullptr || !now->is_home() || now->at_home().version.fence != fence) return;
    const bool is_own = value && value->version.fence == fence &&
                        value->version.revision <= now->at_home().version.revision;
    if (!is_own) return superseded(*now);
    store_again(*now);
    settle(*now);
  };
  ports_.store.load(residence.key, answered<StoredValue>(on_value));
}

// Who has taken the session over meanwhile, at a lower fence where the clocks differ, hears of this
// home, which is about to write over it; at a higher one the session is there.
void Impl::on_reread(const Uuid& key, const Result<StoredValue>& value) noexcept {
  VS_ASSERT(reread_ > 0);
  --reread_;
  Residence* residence = find(key);
  if (residence == nullptr || !residence->is_home()) return;
  if (presence_.is_apart(key)) return;  // with its return it is looked at again
  const std::uint64_t fence = residence->at_home().version.fence;
  residence->at_home().is_reread_due = false;
  if (value && value->version.fence > fence) return superseded(*residence);
  call_roll(*residence);
  store_again(*residence);
  settle(*residence);  // it was to stay until now
  if (!value || value->version.fence == fence) return;
  const auto stored = decode_stored_session(value->bytes.text());
  // Also where it is taken for dead: it took this one for dead.
  const bool is_other = stored && stored->home != Uuid{} && stored->home != self();
  if (is_other) send(stored->home, key, fence, node::Moved{});
}

void Impl::read_again() noexcept {
  VS_ASSERT(depth_ > 0);
  for (std::size_t i = 0; i < written_a_tick && !write_back_.empty(); ++i) {
    Residence* residence = find(write_back_.back());
    write_back_.pop_back();
    if (residence == nullptr || !residence->is_home()) continue;
    VS_ASSERT(!presence_.is_apart(residence->key));
    ++reread_;
    ports_.store.load(residence->key,
                      answered<StoredValue>(
                          [this, key = residence->key](const Result<StoredValue>& value) noexcept {
                            on_reread(key, value);
                          }));
  }
}

// A code lies elsewhere than its session: where that part has lost it, it is written with the
// session, which was there all the time.
void Impl::store_codes() noexcept {
  for (std::size_t i = 0; i < written_a_tick && !recode_.empty(); ++i) {
    Residence* residence = find(recode_.back());
    recode_.pop_back();
    const bool is_due = residence != nullptr && residence->is_home() &&
                        presence_.has(residence->key) && !residence->home->is_ending;
    if (!is_due || residence->home->is_reread_due) continue;
    store_again(*residence);
    settle(*residence);
  }
  VS_ASSERT(effects_.empty());
}

// A few times a second, while the store is there.
void Impl::tend_homes() noexcept {
  VS_ASSERT(presence_.is_there());
  read_again();
  store_codes();
  const bool are_all_called = write_back_.empty() && reread_ == 0;
  if (are_all_called && std::exchange(is_writing_back_, false)) {
    to_nodes(
        [worker = ports_.worker](NodePort& nodes) noexcept { nodes.report_written_back(worker); });
  }
  const std::int64_t called_for_us = now_us() - called_us_;
  const bool may_repeat = !is_roll_repeated_ && called_for_us >= roll_again_us;
  VS_ASSERT(effects_.empty());
  if (!roll_.empty() && are_all_called && may_repeat) repeat_roll();
  if (!roll_.empty() && are_all_called && called_for_us >= roll_us) end_roll();
  if (write_back_.empty() && now_us() - retried_us_ >= retry_us) retry_unsaved();
}

}  // namespace videosync
