// Effects: what a call of the session machine wants done, in order.
//
// The caller owns one, hands it to the machine, carries out what it finds, and clears it for the
// next call: the room is kept, so a steady flow of effects does not reach malloc. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/assert.h"
#include "proto/session/session_values.h"

namespace videosync {

struct ViewerReport {
  MemberId id;
  double drift_ms = 0;
  double rtt_ms = 0;
  bool buffering = false;
  Form form = Form::unknown;
  bool cannot_play = false;
  bool is_ready = false;
};

// To one member. Everything `welcome` says but the member's own resume token and the time.
struct WelcomeEffect {
  MemberId to;
};
struct ErrorEffect {
  MemberId to;
  Refusal code = Refusal::bad_message;
  std::string message;  // for a person
  std::string_view re;  // the refused message's type: a literal
};
struct ViewersEffect {
  MemberId to;
  std::vector<ViewerReport> list;
};
// To the host: somebody waits at the door, or does no more.
struct KnockEffect {
  MemberId to;
  KnockId id;
  std::string name;  // "" where it is gone
  bool is_gone = false;
};
// To nobody's member: whoever waits so is to ask again whether it may come in.
struct DecidedEffect {
  KnockRef knock;
};
// This connection of the member is to be closed with this code; the machine has forgotten it. The
// member may have a newer connection by now, which stays.
struct CloseEffect {
  MemberId to;
  std::uint16_t code = close_code::normal;
  ConnectionNumber connection;
};

// To every member.
struct StateEffect {
  PlaybackState state;
};
struct HostEffect {
  std::uint64_t epoch = 0;
  MemberId host;
  HostReason reason = HostReason::joined;
};
// The host's connection is gone: unless it is back by `until_us`, `next` takes its seat.
struct HostAway {
  std::int64_t until_us = 0;
  MemberId next;  // none: nobody else is connected

  friend bool operator==(const HostAway&, const HostAway&) = default;
};
struct MembersEffect {
  std::uint32_t count = 0;
  std::uint32_t ready = 0;                        // of these
  std::vector<MemberInfo> joined, left, changed;  // each at most 50
  std::optional<HostAway> host_away;              // there exactly while the host is away
};
struct WaitingEffect {
  std::vector<MemberId> members;  // at most 50
  std::int64_t until_us = 0;
};
using ChatEffect = ChatLine;
struct Reaction {
  MemberId from;
  std::string emoji;
  std::int64_t at_us = 0;
};
struct ReactionsEffect {
  std::vector<Reaction> list;
};
// The queue is another: as the machine has it, in that epoch.
struct QueueEffect {
  std::uint64_t epoch = 0;
};
// What is loaded and played by itself at that time; without an item: nothing is, any more.
struct UpNext {
  QueueItemId item;
  std::string video;
  std::int64_t at_us = 0;
};
struct UpNextEffect {
  UpNext next;
};
// The settings as they are now.
struct SettingsEffect {
  SessionSettings settings;
};

// The session is over: every connection is closed with `code` and the session forgotten.
struct EndedEffect {
  std::uint16_t code = close_code::session_ended;
};

using Effect =
    std::variant<WelcomeEffect, ErrorEffect, ViewersEffect, CloseEffect, StateEffect, HostEffect,
                 MembersEffect, WaitingEffect, ChatEffect, ReactionsEffect, EndedEffect,
                 SettingsEffect, QueueEffect, UpNextEffect, KnockEffect, DecidedEffect>;

class Effects {
 public:
  using const_iterator = std::vector<Effect>::const_iterator;

  void push(Effect effect) { list_.push_back(std::move(effect)); }

  // Puts `effect` before the one that is now at `index`.
  void insert(std::size_t index, Effect effect) {
    VS_ASSERT(index <= list_.size());
    list_.insert(list_.begin() + static_cast<std::ptrdiff_t>(index), std::move(effect));
  }

  void clear() noexcept { list_.clear(); }
  void erase_if(auto predicate) { std::erase_if(list_, predicate); }
  bool empty() const noexcept { return list_.empty(); }
  std::size_t size() const noexcept { return list_.size(); }
  const Effect& operator[](std::size_t index) const noexcept { return list_[index]; }
  const_iterator begin() const noexcept { return list_.begin(); }
  const_iterator end() const noexcept { return list_.end(); }

 private:
  std::vector<Effect> list_;
};

}  // namespace videosync
