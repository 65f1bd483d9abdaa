#include "server/session/outbox.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"

namespace videosync {

template <class Predicate>
std::vector<Outbox::Saying> Outbox::take_if(Predicate is_meant) noexcept {
  std::vector<Saying> taken;
  const std::size_t kept = sayings_.size();
  std::erase_if(sayings_, [&](Saying& saying) noexcept {
    if (!is_meant(saying)) return false;
    taken.push_back(std::move(saying));
    return true;
  });
  VS_ASSERT(taken.size() + sayings_.size() == kept);
  assert_sound();
  return taken;
}

void Outbox::keep(Saying saying) noexcept {
  VS_ASSERT(!is_full());
  VS_ASSERT(saying.number > (sayings_.empty() ? chain_ : sayings_.back().number));
  VS_ASSERT(!saying.is_in_doubt);
  saying.is_sent = false;
  sayings_.push_back(std::move(saying));
}

std::vector<node::Said> Outbox::send() noexcept {
  std::vector<node::Said> said;
  auto next = std::ranges::find(sayings_, false, &Saying::is_sent);
  for (; next != sayings_.end(); ++next) {
    if (next->is_sent) continue;
    VS_ASSERT(next->number > chain_);
    VS_ASSERT(!next->is_in_doubt);
    next->is_sent = true;
    ++next->sendings;
    said.push_back({next->member, next->text, next->number, std::exchange(chain_, next->number),
                    sayings_.front().number - 1, next->expires_us});
  }
  return said;
}

void Outbox::restart(std::uint64_t heard) noexcept {
  on_heard(heard);
  for (Saying& saying : sayings_)
    saying.is_sent = saying.is_in_doubt;
  chain_ = heard;
  assert_sound();
  VS_ASSERT(sayings_.empty() || sayings_.front().number > chain_);
}

void Outbox::on_heard(std::uint64_t number) noexcept {
  while (!sayings_.empty() && sayings_.front().number <= number)
    sayings_.pop_front();
  VS_ASSERT(sayings_.empty() || sayings_.front().number > number);
}

std::optional<Outbox::Saying> Outbox::take(std::uint64_t number) noexcept {
  const auto found = std::ranges::find(sayings_, number, &Saying::number);
  if (found == sayings_.end()) return std::nullopt;
  std::optional<Saying> taken = std::move(*found);
  sayings_.erase(found);
  VS_ASSERT(taken->number == number);
  assert_sound();
  return taken;
}

std::vector<Outbox::Saying> Outbox::take_unrepeatable(std::uint64_t number) noexcept {
  return take_if([=](const Saying& saying) noexcept {
    return saying.number <= number && !saying.is_repeatable;
  });
}

void Outbox::take_back(std::uint64_t number) noexcept {
  const auto found = std::ranges::find(sayings_, number, &Saying::number);
  if (found == sayings_.end() || found->is_in_doubt) return;
  found->is_sent = false;
  if (found->sendings > 0) --found->sendings;
  VS_ASSERT(found->number == number);
  VS_ASSERT(!found->is_sent);
}

void Outbox::doubt(bool is_all) noexcept {
  for (Saying& saying : sayings_)
    saying.is_in_doubt =
        saying.sendings > 0 && (is_all || !saying.is_repeatable || saying.is_in_doubt);
}

bool Outbox::has_doubts() const noexcept {
  return std::ranges::any_of(sayings_, &Saying::is_in_doubt);
}

std::vector<Outbox::Saying> Outbox::settle_doubts() noexcept {
  return take_if([](const Saying& saying) noexcept { return saying.is_in_doubt; });
}

std::vector<Outbox::Saying> Outbox::take_older(std::int64_t said_us) noexcept {
  return take_if([=](const Saying& saying) noexcept { return saying.said_us < said_us; });
}

std::vector<Outbox::Saying> Outbox::take_all() noexcept {
  return take_if([](const Saying&) noexcept { return true; });
}

}  // namespace videosync
