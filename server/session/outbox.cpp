#include "server/session/outbox.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace videosync {

namespace {

using Saying = Outbox::Saying;

template <class Predicate>
void take_if(std::deque<Saying>& from, std::vector<Saying>& into, Predicate is_meant) noexcept {
  std::erase_if(from, [&](Saying& saying) noexcept {
    if (!is_meant(saying)) return false;
    into.push_back(std::move(saying));
    return true;
  });
}

template <class Predicate>
std::vector<Saying> take_if(std::deque<Saying>& from, Predicate is_meant) noexcept {
  std::vector<Saying> taken;
  take_if(from, taken, is_meant);
  return taken;
}

constexpr auto any = [](const Saying&) noexcept { return true; };

}  // namespace

Said Outbox::send(const Uuid& node, Saying saying) noexcept {
  saying.node = node;
  const Saying& sent = sent_.emplace_back(std::move(saying));
  return {sent.member, sent.text, sent.number};
}

std::vector<Said> Outbox::send_unsent(const Uuid& node, std::uint64_t& last_number) noexcept {
  std::vector<Said> messages;
  for (Saying& saying : take_unsent()) {
    saying.number = ++last_number;
    messages.push_back(send(node, std::move(saying)));
  }
  return messages;
}

void Outbox::on_heard(const Uuid& node, std::uint64_t number) noexcept {
  const auto is_heard = [&](const Saying& saying) noexcept {
    return saying.number <= number && saying.node == node;
  };
  // Mostly these are all there is to it, and nothing else has to move.
  while (!sent_.empty() && is_heard(sent_.front()))
    sent_.pop_front();
  std::erase_if(sent_, is_heard);
}

void Outbox::take_back(std::uint64_t number) noexcept {
  for (Saying& saying : take_sent(number)) {
    const auto place = std::ranges::upper_bound(unsent_, number, {}, &Saying::number);
    unsent_.insert(place, std::move(saying));
  }
}

std::vector<Saying> Outbox::take_sent(std::uint64_t number) noexcept {
  return take_if(sent_, [=](const Saying& saying) noexcept { return saying.number == number; });
}

std::vector<Saying> Outbox::take_sent_to(const Uuid& node) noexcept {
  return take_if(sent_, [&](const Saying& saying) noexcept { return saying.node == node; });
}

std::vector<Saying> Outbox::take_sent() noexcept {
  return take_if(sent_, any);
}

std::vector<Saying> Outbox::take_unsent() noexcept {
  return take_if(unsent_, any);
}

std::vector<Saying> Outbox::take_older(std::int64_t said_us) noexcept {
  const auto is_older = [=](const Saying& saying) noexcept { return saying.said_us < said_us; };
  std::vector<Saying> taken;
  take_if(sent_, taken, is_older);
  take_if(unsent_, taken, is_older);
  return taken;
}

}  // namespace videosync
