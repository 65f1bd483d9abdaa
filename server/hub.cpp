#include "server/hub.h"

#include "core/base/assert.h"
#include "server/metrics.h"
#include "server/peer.h"

namespace videosync {

LocalSession& Hub::enter(const Uuid& key, Peer& peer) {
  auto& session = sessions_[key];
  if (!session) {
    session = std::make_unique<LocalSession>();
    session->key = key;
  }
  session->members.push_back(peer);
  ++session->count;
  return *session;
}

void Hub::leave(LocalSession& session, Peer& peer) noexcept {
  VS_ASSERT(session.count > 0);
  static_cast<ListLink<MemberTag>&>(peer).unlink();
  --session.count;
  if (session.count == 0 && &session != visited_) sessions_.erase(Uuid(session.key));
}

// A visit may end the connection of the peer at hand, which then leaves.
template <class Visitor>
void Hub::visit_members(const Uuid& key, Visitor&& visit) noexcept {
  const auto found = sessions_.find(key);
  if (found == sessions_.end()) return;
  VS_ASSERT(visited_ == nullptr);
  visited_ = found->second.get();
  visited_->members.for_each(visit);
  if (visited_->count == 0) sessions_.erase(found);
  visited_ = nullptr;
}

void Hub::deliver(const Uuid& key, const BufferRef& frame, SendClass send_class) noexcept {
  std::uint64_t sent = 0;
  visit_members(key, [&](Peer& peer) {
    __builtin_prefetch(static_cast<ListLink<MemberTag>&>(peer).next_link);
    peer.send_frame(frame, send_class);
    ++sent;
  });
  metrics_.count(Counter::frames_sent, sent);
}

void Hub::close_all(const Uuid& key, std::uint16_t code, std::string_view reason) noexcept {
  visit_members(key, [&](Peer& peer) { peer.close_websocket(code, reason); });
}

}  // namespace videosync
