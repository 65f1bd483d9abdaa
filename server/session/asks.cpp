#include "server/session/asks.h"

#include <utility>

#include "core/base/assert.h"

namespace videosync {

void Asks::add(std::uint64_t number, Ask ask) noexcept {
  VS_ASSERT(number > 0);
  VS_ASSERT((asks_.empty() || asks_.rbegin()->first < number));
  VS_ASSERT(ask.attempts <= 1);
  asks_.emplace_hint(asks_.end(), number, std::move(ask));
}

node::Message Asks::attempt_one(std::uint64_t number) noexcept {
  const auto found = asks_.find(number);
  VS_ASSERT(found != asks_.end());
  Ask& ask = found->second;
  VS_ASSERT(ask.kind != Ask::Kind::join || ask.request.connection);
  const node::AskRef ref{++ask.attempts, number, ask.expires_us};
  switch (ask.kind) {
    case Ask::Kind::join:
      return node::Join{ref,
                        ask.request.connection,
                        ask.request.name,
                        ask.request.resume,
                        ask.request.host_token,
                        ask.request.held,
                        ask.request.browser};
    case Ask::Kind::info:
      return node::AskInfo{ref};
    case Ask::Kind::end:
      return node::AskDelete{ref, ask.host_token};
  }
  std::unreachable();
}

std::vector<node::Message> Asks::attempt_all() noexcept {
  std::vector<node::Message> messages;
  messages.reserve(asks_.size());
  for (const auto& [number, ask] : asks_)
    messages.push_back(attempt_one(number));
  VS_ASSERT(messages.size() == asks_.size());
  return messages;
}

std::optional<Asks::Ask> Asks::take_answered(const node::AskRef& ref) noexcept {
  const auto found = asks_.find(ref.number);
  if (found == asks_.end() || found->second.attempts != ref.attempt) return std::nullopt;
  return std::move(asks_.extract(found).mapped());
}

std::optional<Asks::Ask> Asks::take_join(std::uint64_t number) noexcept {
  const auto found = asks_.find(number);
  if (found == asks_.end() || found->second.kind != Ask::Kind::join) return std::nullopt;
  return std::move(asks_.extract(found).mapped());
}

// All wait equally long: the first are the first to be late.
std::vector<Asks::Ask> Asks::take_late(std::int64_t now_us) noexcept {
  std::vector<Ask> late;
  while (!asks_.empty() && asks_.begin()->second.deadline_us <= now_us)
    late.push_back(std::move(asks_.extract(asks_.begin()).mapped()));
  VS_ASSERT(now_us != INT64_MAX || asks_.empty());
  VS_ASSERT(asks_.empty() || asks_.begin()->second.deadline_us > now_us);
  return late;
}

std::vector<Asks::Ask> Asks::take_all() noexcept {
  return take_late(INT64_MAX);
}

}  // namespace videosync
