// SessionReply: what a session says to a request, as a value. server/http makes text of it.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "core/base/uuid.h"
#include "proto/session/session_values.h"

namespace videosync {

enum class SessionFault : std::uint8_t {
  not_found,          // no such session: it has ended, or never was
  unavailable,        // its home or the store cannot be reached now
  too_many_sessions,  // the store takes no more
  full,               // the session has as many members as it may
  no_such_video,
  token_missing,
  not_the_host,  // the token is another's
  locked,
  must_knock,   // it waits for the host's word
  turned_away,  // ... which was no
  door_full,    // so many wait already
};

struct SessionCreated {
  Uuid key;
  Token host_token;
};
struct SessionInfo {
  Uuid key;
  SessionSettings settings;
  std::uint32_t members = 0;
  PlaybackState state;
};
struct SessionValidity {
  bool is_valid = false;
};
struct SessionVideo {
  std::string id;
};
struct SessionDeleted {};

using SessionReply = std::variant<SessionFault, SessionCreated, SessionInfo, SessionValidity,
                                  SessionVideo, SessionDeleted>;

}  // namespace videosync
