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
#include "proto/session/session_record.h"
#include "proto/wire/node_messages.h"

namespace videosync {

struct StoredSession {
  static constexpr std::size_t heard_max = 64;

  Uuid home;  // nil: nobody has the session open
  // Each outpost's last command that is in the record, so that a take-over can tell what is still
  // to be carried out. The newest heard_max of them.
  std::vector<node::Heard> heard;
  SessionRecord record;
};

std::string encode(const StoredSession& session);
// ErrorCode::corrupt for bytes that are not exactly one of this version.
Result<StoredSession> decode_stored_session(std::string_view bytes);

}  // namespace videosync
