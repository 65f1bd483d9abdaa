// Plan: all that is going to be done to a world, drawn from one seed beforehand.
//
// A run is rounds: a time in which viewers act and things break, then a time of peace in which
// everything is mended and the promises are checked. The actions are a list, so that each can be
// left out by its number and the rest stays as it was: that is how a failing run is made short.
// Each seed draws which kinds of faults it knows at all, since few kinds at a time reach further
// than all of them at once. Plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "tests/sim/node.h"
#include "tests/sim/pipe.h"

namespace videosync::sim {

enum class Act : std::uint8_t {
  // Of a viewer.
  seek,
  play,
  pause,
  rate,
  load,
  chat,
  reaction,
  name,
  report,
  settings,
  give,
  claim,
  kick,
  end,
  burst,  // several at once
  leave,  // for good
  come,
  lose,          // the connection breaks, and both ends notice
  vanish,        // ... the server does not, for a while
  stop_reading,  // for a while
  ask_info,
  ask_valid,
  remove,  // DELETE
  // Faults of nodes.
  crash,
  power_off,  // ... and Redis does not notice
  start,
  stand_still,
  drain,
  drift,
  err,  // of server time, within what is allowed
  // Of the way to Redis.
  cut,      // connections
  cut_off,  // ... and none can be made for a while
  hold,     // nothing passes for a while, in one direction or both
  drop,     // a few messages
  // Of Redis.
  redis_kill,
  redis_hang,
  redis_refuse,
  redis_promote,
  count_,
};

std::string_view act_name(Act act) noexcept;

struct Action {
  std::uint32_t round = 0;
  std::int64_t at_us = 0;  // of its round
  Act act = Act::seek;
  std::uint64_t salt = 0;  // who, for how long, and so on
};

struct Plan {
  std::uint64_t seed = 0;
  std::vector<NodePlan> nodes{};  // none: only the time is walked through (time_walk.h)
  std::size_t sessions = 1;
  std::size_t viewers = 2;
  std::vector<std::int64_t> rounds_us{};  // how long each is before its peace; 0: left out
  Latency redis{};
  Latency client{};
  bool has_doors = false;    // hosts close doors, and let in who knocks
  bool has_cookies = false;  // viewers' browsers are known again
  double everyone = 0.5;     // of the sessions whose members may all control
  std::size_t shards = 1;    // servers with a share of the slots each
  // Nothing breaks but this one of them, which never leads; nothing: whatever is drawn does.
  std::optional<std::size_t> only_shard{};
  bool is_spread = false;  // viewers go to the nodes in turn, and not by chance
  std::vector<Action> actions{};
};

Plan make_plan(std::uint64_t seed);

}  // namespace videosync::sim
