// OutpostAsks: what clients of this node want of one session, while they wait for its home.
//
// Each has a number, by which the home's answer finds it, and they keep their order. Where the home
// changes all are asked again, and only the answer to the latest try counts. Whoever takes one out
// owes its client an answer. Plain values, no I/O; SessionOutposts' thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "proto/wire/node_messages.h"
#include "server/session/session_home.h"

namespace videosync {

class OutpostAsks {
 public:
  struct Ask {
    enum class Kind : std::uint8_t { join, info, end };

    Kind kind = Kind::info;
    std::uint32_t from_worker = 0;
    SlotHandle from_peer;
    SessionMachine::JoinRequest request{};  // join
    std::optional<Token> host_token{};      // end
    std::int64_t deadline_us = 0;
    std::uint32_t tries = 0;  // how often the home was asked
  };

  bool empty() const noexcept { return asks_.empty(); }

  // REQUIRES a number that no ask of this node has had, greater than those before.
  void add(std::uint64_t number, Ask ask) noexcept { asks_.emplace(number, std::move(ask)); }

  // What to say to the home: another try of that one, of all.
  NodeMessage try_one(std::uint64_t number) noexcept;
  std::vector<NodeMessage> try_all() noexcept;

  // The ask that is answered with `peer`; nothing: an earlier try, or too late.
  std::optional<Ask> take_answered(const PeerRef& peer) noexcept;
  std::vector<Ask> take_late(std::int64_t now_us) noexcept;
  std::vector<Ask> take_all() noexcept;

 private:
  std::map<std::uint64_t, Ask> asks_;
};

}  // namespace videosync
