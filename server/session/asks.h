// Asks: what clients of this node want of one session, while they wait for its home.
//
// Each has a number, by which the home's answer finds it, and they keep their order. Where the home
// changes all are asked again, and only the answer to the latest attempt counts. Whoever takes one
// out owes its client an answer. Plain values, no I/O; the directory's thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "core/base/connection_ref.h"
#include "proto/session/session_machine.h"
#include "proto/wire/node_messages.h"
#include "server/session/session_reply.h"

namespace videosync {

class Asks {
 public:
  struct Ask {
    enum class Kind : std::uint8_t { join, info, end };

    Kind kind = Kind::info;
    ConnectionRef from;
    SessionMachine::JoinRequest request{};  // join; it has a connection number
    std::optional<Token> host_token{};      // end
    SessionProof proof{};                   // info
    std::int64_t deadline_us = 0;           // by the monotonic clock: it is refused then
    std::uint64_t expires_us = 0;  // by server time, some time before: no home carries it out then
    std::uint32_t attempts = 0;    // how often the home was asked
  };

  bool empty() const noexcept { return asks_.empty(); }

  // REQUIRES a number that no ask of this node has had, greater than those before.
  void add(std::uint64_t number, Ask ask) noexcept;

  // What to say to the home: another attempt of that one, of all.
  node::Message attempt_one(std::uint64_t number) noexcept;
  std::vector<node::Message> attempt_all() noexcept;

  // The ask that is answered with `ref`; nothing: an earlier attempt, or too late.
  std::optional<Ask> take_answered(const node::AskRef& ref) noexcept;
  // The same of a join, whichever attempt of it was answered.
  std::optional<Ask> take_join(std::uint64_t number) noexcept;
  std::vector<Ask> take_late(std::int64_t now_us) noexcept;
  std::vector<Ask> take_all() noexcept;

 private:
  std::map<std::uint64_t, Ask> asks_;
};

}  // namespace videosync
