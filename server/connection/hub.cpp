#include "server/connection/hub.h"

#include "core/base/assert.h"
#include "server/connection/connection.h"
#include "server/metrics/metrics.h"

namespace videosync {

namespace {

// So many members later one that is fetched now is in the cache.
constexpr std::size_t looked_ahead = 4;

}  // namespace

LocalSession& Hub::enter(const Uuid& key, Connection& connection) {
  return enter(sessions_, key, connection);
}

LocalSession& Hub::enter_porch(const Uuid& key, Connection& connection) {
  LocalSession& porch = enter(porches_, key, connection);
  porch.is_porch = true;
  return porch;
}

LocalSession& Hub::enter(LocalSessions& sessions, const Uuid& key, Connection& connection) {
  auto& session = sessions[key];
  if (!session) {
    session = std::make_unique<LocalSession>();
    session->key = key;
  }
  connection.set_place(static_cast<std::uint32_t>(session->members.size()));
  session->members.push_back(&connection);
  return *session;
}

void Hub::leave(LocalSession& session, Connection& connection) noexcept {
  auto& members = session.members;
  const std::uint32_t place = connection.place();
  VS_ASSERT(place < members.size() && members[place] == &connection);
  members[place] = members.back();
  members[place]->set_place(place);
  members.pop_back();
  if (!members.empty() || &session == visited_) return;
  (session.is_porch ? porches_ : sessions_).erase(Uuid(session.key));
}

// A visit may end the connection of the connection at hand, and of no other: it then leaves, and
// the last one takes its place.
template <class Visitor>
void Hub::visit_members(const Uuid& key, Visitor&& visit) noexcept {
  const auto found = sessions_.find(key);
  if (found == sessions_.end()) return;
  VS_ASSERT(visited_ == nullptr);
  visited_ = found->second.get();
  auto& members = visited_->members;
  for (std::size_t i = 0; i < members.size();) {
    if (i + looked_ahead < members.size()) members[i + looked_ahead]->prefetch_for_send();
    Connection* connection = members[i];
    visit(*connection);
    if (i < members.size() && members[i] == connection) ++i;
  }
  if (members.empty()) sessions_.erase(found);
  visited_ = nullptr;
}

void Hub::deliver(const Uuid& key, const BufferRef& frame, SendClass send_class) noexcept {
  std::uint64_t sent = 0;
  visit_members(key, [&](Connection& connection) {
    connection.send_frame(frame, send_class);
    ++sent;
  });
  metrics_.count(Counter::frames_sent, sent);
}

void Hub::close_all(const Uuid& key, std::uint16_t code, std::string_view reason) noexcept {
  visit_members(key, [&](Connection& connection) { connection.close_websocket(code, reason); });
}

}  // namespace videosync
