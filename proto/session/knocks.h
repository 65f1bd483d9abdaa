// Knocks: who waits before a session whose host says who may come in.
//
// Whoever waits says so again and again; who does not for `lease_us` has gone. What the host has
// decided of one stays for as long, for it to hear of when it asks the next time. At most
// waiting_max wait, and of as many the decision is remembered. Pure; the machine's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/session/effects.h"

namespace videosync {

class Knocks {
 public:
  static constexpr std::size_t waiting_max = 50;
  static constexpr std::int64_t lease_us = 10'000'000;
  // The host is told of each so often: a message to it may have been lost.
  static constexpr std::int64_t tell_again_us = 10'000'000;

  enum class Verdict : std::uint8_t { waits, is_to_be_told, comes_in, is_refused, is_full };
  struct Knock {
    KnockRef ref;
    std::string name;
    std::int64_t heard_us = 0;
    std::int64_t told_us = 0;
  };

  // Somebody knocks, or says that it still waits. comes_in: that was the decision, which is
  // forgotten with it. is_to_be_told: it waits, and the host should hear of it now.
  Verdict knock(const KnockRef& ref, std::string_view name, std::int64_t now_us);
  // The host's word: whoever waits no longer does. Nothing: nobody of that id waits.
  std::optional<KnockRef> decide(KnockId id, bool is_admitted, std::int64_t now_us);
  // It does not wait any more.
  void leave(KnockId id) noexcept;
  // Who has not been heard of for too long, taken out; and decisions nobody has asked for.
  std::vector<Knock> take_silent(std::int64_t now_us);
  std::vector<Knock> take_all() noexcept;

  const std::vector<Knock>& waiting() const noexcept { return waiting_; }
  // All are being told of.
  void note_told(std::int64_t now_us) noexcept;
  // When take_silent() has something to do: INT64_MAX where nobody waits.
  std::int64_t due_us() const noexcept;

 private:
  struct Decision {
    KnockId id;
    bool is_admitted = false;
    std::int64_t at_us = 0;
  };

  std::vector<Knock> waiting_;       // in the order in which they came
  std::vector<Decision> decisions_;  // likewise
};

}  // namespace videosync
