// What the session store keeps of a session: which node is its home, what the home has heard of its
// outposts, and the machine's record. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/uuid.h"
#include "proto/session/queue.h"
#include "proto/session/session_record.h"
#include "proto/wire/node_messages.h"
#include "storage/session_store.h"

namespace videosync {

struct StoredSession {
  static constexpr std::size_t heard_max = 64;

  Uuid home;  // nil: nobody has the session open
  // Each outpost's last command that is in the record, so that a take-over can tell what is still
  // to be carried out. The newest heard_max of them.
  std::vector<node::Heard> heard;
  SessionRecord record;
  Queue queue{};  // in the store, and between nodes, it lies beside the rest: no part of the bytes
};

// What a welcome, the chat, the queue, and whatever else goes with it to another node, takes
// besides.
inline constexpr std::size_t stored_session_bytes_max =
    node::message_bytes_max - 6 * node::text_bytes_max;

std::string encode(const StoredSession& session);
// ErrorCode::corrupt for bytes that are not exactly one of this version, are more than
// stored_session_bytes_max, or have numbers from which no home could go on.
Result<StoredSession> decode_stored_session(std::string_view bytes);

// Whether some home may have written it: what the store has may be anybody's.
constexpr bool is_version(const StoreVersion& version) noexcept {
  return version.fence > 0 && version.fence <= count_max && version.revision > 0 &&
         version.revision <= count_max;
}

}  // namespace videosync
