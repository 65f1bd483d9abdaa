#include "proto/session/knocks.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"

namespace videosync {

namespace {

auto find_id(auto& list, KnockId id, auto get) {
  return std::ranges::find(list, id, get);
}

KnockId id_of(const Knocks::Knock& knock) noexcept {
  return knock.ref.id;
}

}  // namespace

Knocks::Verdict Knocks::knock(const KnockRef& ref, std::string_view name, std::int64_t now_us) {
  VS_ASSERT(ref.id);
  VS_ASSERT(waiting_.size() <= waiting_max);
  const auto decided = find_id(decisions_, ref.id, &Decision::id);
  if (decided != decisions_.end()) {
    const bool is_admitted = decided->is_admitted;
    if (is_admitted) decisions_.erase(decided);
    return is_admitted ? Verdict::comes_in : Verdict::is_refused;
  }
  auto known = find_id(waiting_, ref.id, id_of);
  if (known == waiting_.end()) {
    if (waiting_.size() >= waiting_max) return Verdict::is_full;
    waiting_.push_back({ref, std::string(name), now_us, now_us});
    VS_ASSERT(waiting_.size() <= waiting_max);
    return Verdict::is_to_be_told;
  }
  known->ref = ref;
  known->heard_us = now_us;
  if (now_us - known->told_us < tell_again_us) return Verdict::waits;
  known->told_us = now_us;
  return Verdict::is_to_be_told;
}

std::optional<KnockRef> Knocks::decide(KnockId id, bool is_admitted, std::int64_t now_us) {
  VS_ASSERT(id);
  const auto found = find_id(waiting_, id, id_of);
  if (found == waiting_.end()) return std::nullopt;
  const KnockRef ref = found->ref;
  waiting_.erase(found);
  if (decisions_.size() == waiting_max) decisions_.erase(decisions_.begin());
  decisions_.push_back({id, is_admitted, now_us});
  VS_ASSERT(decisions_.size() <= waiting_max);
  VS_ASSERT(ref.id == id);
  return ref;
}

void Knocks::leave(KnockId id) noexcept {
  VS_ASSERT(id);
  std::erase_if(waiting_, [id](const Knock& knock) noexcept { return knock.ref.id == id; });
  std::erase_if(decisions_, [id](const Decision& decision) noexcept { return decision.id == id; });
}

std::vector<Knocks::Knock> Knocks::take_silent(std::int64_t now_us) {
  std::vector<Knock> silent;
  for (auto knock = waiting_.begin(); knock != waiting_.end();) {
    if (knock->heard_us + lease_us > now_us) {
      ++knock;
      continue;
    }
    silent.push_back(std::move(*knock));
    knock = waiting_.erase(knock);
  }
  std::erase_if(decisions_, [now_us](const Decision& decision) noexcept {
    return decision.at_us + lease_us <= now_us;
  });
  VS_ASSERT(due_us() > now_us);
  VS_ASSERT(silent.size() + waiting_.size() <= waiting_max);
  return silent;
}

std::vector<Knocks::Knock> Knocks::take_all() noexcept {
  VS_ASSERT(waiting_.size() <= waiting_max);
  return std::exchange(waiting_, {});
}

void Knocks::note_told(std::int64_t now_us) noexcept {
  for (Knock& knock : waiting_) {
    VS_ASSERT(knock.ref.id);
    knock.told_us = now_us;
  }
}

std::int64_t Knocks::due_us() const noexcept {
  std::int64_t first_us = INT64_MAX;
  for (const Knock& knock : waiting_)
    first_us = std::min(first_us, knock.heard_us + lease_us);
  for (const Decision& decision : decisions_)
    first_us = std::min(first_us, decision.at_us + lease_us);
  return first_us;
}

}  // namespace videosync
