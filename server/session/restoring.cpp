// Sessions from one process to the next, where nobody shares the store.
#include "core/base/assert.h"
#include "server/session/directory_impl.h"

namespace videosync {

using Impl = SessionDirectory::Impl;

Result<> SessionDirectory::restore(const Uuid& key, const StoredValue& value,
                                   SessionCompany company) noexcept {
  const Impl::Event event(*impl_);
  return impl_->restore(key, value, std::move(company));
}
SessionCompany SessionDirectory::company_of(const Uuid& key) const {
  return impl_->company_of(key);
}
void SessionDirectory::hand_away() noexcept {
  const Impl::Event event(*impl_);
  impl_->hand_away();
}

// As where a node has died: in an epoch and at a fence above all that its members and its record
// may have seen, with nobody connected and its host expected back.
Result<> Impl::restore(const Uuid& key, const StoredValue& value, SessionCompany company) noexcept {
  VS_ASSERT(is_alone());
  VS_ASSERT(find(key) == nullptr);
  auto stored = decode_stored_session(value.bytes.text());
  if (!stored) return std::unexpected(std::move(stored.error()));
  if (!is_version(value.version)) return fail(ErrorCode::corrupt, "an impossible version");
  if (value.queue) stored->queue = read_queue(value.queue.text());
  const StoreVersion version{next_fence(value.version.fence), value.version.revision};
  auto machine =
      SessionMachine::reopen(ports_.limits, stored->record, 0, version.fence, {}, server_us());
  machine->adopt_queue(std::move(stored->queue));
  machine->take_durable_changed();
  if (company.members) machine->expect_back(*company.members);
  ChatHistory said;
  for (ChatLine& line : company.chat)
    said.add(std::move(line));
  machine->learn_chat(said);
  auto& residence = residences_[key];
  residence = std::make_unique<Residence>(key, &Impl::on_residence_timer, this);
  adopt(*residence, std::move(machine), version);
  store(*residence, {});
  VS_ASSERT(residence->is_home());
  settle(*residence);
  return {};
}

SessionCompany Impl::company_of(const Uuid& key) const {
  VS_ASSERT(is_alone());
  const auto found = residences_.find(key);
  if (found == residences_.end() || !found->second->is_home()) return {};
  const SessionMachine& machine = *found->second->at_home().machine;
  const auto& lines = machine.chat().lines();
  return {machine.known_members(), {lines.begin(), lines.end()}};
}

void Impl::hand_away() noexcept {
  VS_ASSERT(is_alone());
  VS_ASSERT(!is_handed_away_);
  is_handed_away_ = true;
  for (auto& [key, residence] : residences_)
    if (residence->timer.is_armed()) ports_.timers.cancel(residence->timer);
  for (TimerEntry* timer : {&tick_timer_, &porch_timer_})
    if (timer->is_armed()) ports_.timers.cancel(*timer);
}

}  // namespace videosync
