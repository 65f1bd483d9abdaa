#include "server/session/porch.h"

#include <algorithm>

#include "core/base/assert.h"

namespace videosync {

template <class Predicate>
Porch::Knocker* Porch::find_if(const Uuid& key, Predicate is_meant) noexcept {
  if (waiting_.empty()) return nullptr;
  const auto session = waiting_.find(key);
  if (session == waiting_.end()) return nullptr;
  VS_ASSERT(!session->second.empty());
  const auto found = std::ranges::find_if(session->second, is_meant);
  return found != session->second.end() ? &*found : nullptr;
}

Porch::Knocker* Porch::find(const Uuid& key, ConnectionNumber number) noexcept {
  return find_if(
      key, [number](const Knocker& each) noexcept { return each.request.connection == number; });
}

Porch::Knocker* Porch::find(const Uuid& key, KnockId id) noexcept {
  return find_if(key, [id](const Knocker& each) noexcept { return each.id == id; });
}

void Porch::add(const Uuid& key, Knocker knocker) {
  VS_ASSERT(knocker.id);
  VS_ASSERT(knocker.request.connection);
  VS_ASSERT(find(key, knocker.request.connection) == nullptr);
  waiting_[key].push_back(std::move(knocker));
}

std::optional<Porch::Knocker> Porch::take(const Uuid& key, ConnectionNumber number) noexcept {
  Knocker* found = find(key, number);
  if (found == nullptr) return std::nullopt;
  const auto session = waiting_.find(key);
  VS_ASSERT(session != waiting_.end());
  VS_ASSERT(found->request.connection == number);
  Knocker taken = std::move(*found);
  session->second.erase(session->second.begin() + (found - session->second.data()));
  if (session->second.empty()) waiting_.erase(session);
  return taken;
}

void Porch::hurry(const Uuid& key, std::int64_t now_us) noexcept {
  VS_ASSERT(now_us >= 0);
  const auto session = waiting_.find(key);
  if (session == waiting_.end()) return;
  VS_ASSERT(!session->second.empty());
  for (Knocker& knocker : session->second)
    knocker.asks_at_us = std::min(knocker.asks_at_us, now_us);
}

template <class Predicate>
std::vector<Porch::Place> Porch::list(Predicate is_meant) const {
  std::vector<Place> places;
  for (const auto& [key, knockers] : waiting_)
    for (const Knocker& knocker : knockers)
      if (is_meant(knocker)) places.emplace_back(key, knocker.request.connection);
  return places;
}

std::vector<Porch::Place> Porch::since(std::int64_t time_us) const {
  return list([time_us](const Knocker& each) noexcept { return each.since_us <= time_us; });
}

std::vector<Porch::Place> Porch::asking_by(std::int64_t time_us) const {
  return list([time_us](const Knocker& each) noexcept {
    return !each.is_asked && each.asks_at_us <= time_us;
  });
}

}  // namespace videosync
