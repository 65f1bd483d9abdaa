// Sessions that another process has left in the store, which nobody shares.
#include "core/base/assert.h"
#include "server/session/directory_impl.h"

namespace videosync {

// As where a node has died: in an epoch and at a fence above all that its members and its record may
// have seen, with nobody connected and its host expected back.
Result<> SessionDirectory::Impl::restore(const Uuid& key, const StoredValue& value) noexcept {
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
  auto& residence = residences_[key];
  residence = std::make_unique<Residence>(key, &Impl::on_residence_timer, this);
  adopt(*residence, std::move(machine), version);
  store(*residence, {});
  VS_ASSERT(residence->is_home());
  settle(*residence);
  return {};
}

}  // namespace videosync
