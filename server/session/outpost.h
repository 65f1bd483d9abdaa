// Outpost: what SessionOutposts keeps of a session. Its own sources' affair only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "server/session/session_outposts.h"

namespace videosync {

struct SessionOutposts::Outpost {
  enum class Phase : std::uint8_t {
    idle,       // nobody is known to be home; a look is due, or the store is away
    looking,    // the store has been asked who is home
    following,  // somebody is; the store is asked for the session's channel
    settled,    // the home hears and is heard
    taking,     // this node becomes the home
  };

  explicit Outpost(const Uuid& session_key, std::size_t workers)
      : key(session_key), members_on(workers) {}

  bool is_idle() const noexcept {
    return members.empty() && asks.empty() && foreign.empty() && phase != Phase::taking;
  }
  // Information alone is no reason to become a session's home.
  bool needs_home() const noexcept { return !members.empty() || !foreign.empty() || wants_home; }

  const Uuid key;
  Phase phase = Phase::idle;
  bool is_following = false;
  bool wants_home = false;    // a join or an end is waiting, or this node was told to take it
  bool needs_enroll = false;  // the home does not know all of `members`
  int times_unknown = 0;      // the store had no such session, one look after the other
  std::uint64_t epoch = 0;    // the newest heard of
  Uuid home;
  std::string video;
  std::optional<MemberId> host_told;  // whom members here take for the host; nothing: unknown
  LocalMembers members;
  std::vector<std::uint32_t> members_on;               // by worker
  std::unordered_map<MemberId, MemberInfo> everybody;  // as far as members here know each other
  OutpostAsks asks;
  Outbox outbox;
  std::vector<NodeEnvelope> foreign;  // for the home that this node may become
};

inline std::string_view text_of(const BufferRef& buffer) noexcept {
  const auto bytes = buffer.bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Of another node: whatever it may be there, here it is one of ours.
inline SendClass send_class_of(std::uint8_t number) noexcept {
  return number <= static_cast<std::uint8_t>(SendClass::answer) ? static_cast<SendClass>(number)
                                                                : SendClass::droppable;
}

// Who waits for an answer to it; null: nobody does.
inline const PeerRef* asker_of(const NodeMessage& message) noexcept {
  if (const auto* join = std::get_if<JoinAsk>(&message)) return &join->peer;
  if (const auto* info = std::get_if<InfoAsk>(&message)) return &info->peer;
  if (const auto* end = std::get_if<DeleteAsk>(&message)) return &end->peer;
  return nullptr;
}

}  // namespace videosync
