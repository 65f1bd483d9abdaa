// Outbox: what members of an outpost said, until their session's home has heard it.
//
// Sayings have growing numbers and are sent as a chain, each naming the one before it, so the home
// notices what was lost on the way; then, or where there is another home, the chain starts again
// with what has not been heard. A number is heard once, so nothing is carried out twice; what is
// not heard in time is taken out to be refused, so nothing is lost in silence. What a home that is
// no more may have told to others is in doubt: it is not said again, but done if the record tells
// so, and refused if not. Plain values, no I/O; the directory's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/assert.h"
#include "proto/wire/node_messages.h"

namespace videosync {

class Outbox {
 public:
  static constexpr std::size_t size_max = 1'024;

  struct Saying {
    MemberId member;
    std::string_view type;  // a literal: what a refusal is about
    std::string text;
    std::int64_t said_us = 0;      // by the monotonic clock
    std::uint64_t expires_us = 0;  // by server time: no home carries it out after that
    std::uint64_t number = 0;
    bool is_repeatable = true;  // what it does is in the record, or done twice it is done once
    bool is_sent = false;
    bool is_in_doubt = false;
    std::uint32_t sendings = 0;  // that may have been heard
  };

  bool empty() const noexcept { return sayings_.empty(); }
  bool is_full() const noexcept { return sayings_.size() >= size_max; }

  // REQUIRES not full, and a number greater than all before.
  void keep(Saying saying) noexcept;
  // Everything that has not been sent, as it is to be said to the home now.
  std::vector<node::Said> send() noexcept;
  // The home has heard nothing beyond `heard` (0: it starts anew): the rest is to be sent again.
  void restart(std::uint64_t heard) noexcept;
  void on_heard(std::uint64_t number) noexcept;
  // The number of the last one; 0: there is none.
  std::uint64_t newest() const noexcept { return sayings_.empty() ? 0 : sayings_.back().number; }
  // It is no longer kept. Nothing: it was not any more.
  std::optional<Saying> take(std::uint64_t number) noexcept;
  // Those up to `number` of which nobody can say later what came of them, no longer kept.
  std::vector<Saying> take_unrepeatable(std::uint64_t number) noexcept;
  // It reached nobody: it is unsent again, until the chain is restarted.
  void take_back(std::uint64_t number) noexcept;

  // There will be another home: what the one before was sent and is not repeatable, or all of it,
  // is in doubt. Nothing more is to be sent before settle_doubts().
  void doubt(bool is_all) noexcept;
  bool has_doubts() const noexcept;
  // What the home before has heard was taken off by on_heard(); what else is in doubt is no longer
  // kept.
  std::vector<Saying> settle_doubts() noexcept;

  // These are no longer kept.
  // Nobody is there any more to hear what comes of them.
  template <class Predicate>
  void drop_absent(Predicate is_absent) noexcept {
    std::erase_if(sayings_,
                  [&](const Saying& saying) noexcept { return is_absent(saying.member); });
  }
  std::vector<Saying> take_older(std::int64_t said_us) noexcept;
  std::vector<Saying> take_all() noexcept;

 private:
  template <class Predicate>
  std::vector<Saying> take_if(Predicate is_meant) noexcept;
  void assert_sound() const noexcept {
    VS_ASSERT(sayings_.size() <= size_max);
    VS_ASSERT(sayings_.empty() || sayings_.front().number <= sayings_.back().number);
  }

  std::deque<Saying> sayings_;  // by number; those that were sent come first
  std::uint64_t chain_ = 0;     // the number before the next one to be sent
};

}  // namespace videosync
