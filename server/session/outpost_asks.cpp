#include "server/session/outpost_asks.h"

#include <utility>

#include "core/base/assert.h"

namespace videosync {

NodeMessage OutpostAsks::try_one(std::uint64_t number) noexcept {
  const auto found = asks_.find(number);
  VS_ASSERT(found != asks_.end());
  Ask& ask = found->second;
  const PeerRef peer{++ask.tries, number};
  switch (ask.kind) {
    case Ask::Kind::join:
      return JoinAsk{peer, ask.request.name, ask.request.resume, ask.request.host_token};
    case Ask::Kind::info:
      return InfoAsk{peer};
    case Ask::Kind::end:
      return DeleteAsk{peer, ask.host_token};
  }
  std::unreachable();
}

std::vector<NodeMessage> OutpostAsks::try_all() noexcept {
  std::vector<NodeMessage> messages;
  messages.reserve(asks_.size());
  for (const auto& [number, ask] : asks_)
    messages.push_back(try_one(number));
  return messages;
}

std::optional<OutpostAsks::Ask> OutpostAsks::take_answered(const PeerRef& peer) noexcept {
  const auto found = asks_.find(peer.slot);
  if (found == asks_.end() || found->second.tries != peer.worker) return std::nullopt;
  return std::move(asks_.extract(found).mapped());
}

// All wait equally long: the first are the first to be late.
std::vector<OutpostAsks::Ask> OutpostAsks::take_late(std::int64_t now_us) noexcept {
  std::vector<Ask> late;
  while (!asks_.empty() && asks_.begin()->second.deadline_us <= now_us)
    late.push_back(std::move(asks_.extract(asks_.begin()).mapped()));
  return late;
}

std::vector<OutpostAsks::Ask> OutpostAsks::take_all() noexcept {
  return take_late(INT64_MAX);
}

}  // namespace videosync
