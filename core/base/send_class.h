// SendClass: what a member's full queue may do with a frame.
#pragma once

#include <cstdint>

namespace videosync {

enum class SendClass : std::uint8_t {
  reliable,     // kept, whatever happens
  latest,       // once a quarter of the queue is taken, a newer one replaces all that wait
  latest_pong,  // a newer one replaces one that waits
  droppable,    // the first to go
  answer,       // takes the place of droppable ones; goes itself only where these do not suffice
};

}  // namespace videosync
