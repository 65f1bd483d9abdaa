// SessionReply: what a session says to a request, as a value. server/http makes text of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "core/base/short_code.h"
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
  removed,      // a member from this browser was
};

// What somebody has shown to be told more than whoever knows the key: a host or a resume token; or
// who asks for itself.
using SessionProof = std::variant<std::monostate, Token, ResumeToken, BrowserId>;

struct SessionCreated {
  Uuid key;
  Token host_token;
  ShortCode code;
};
struct SessionInfo {
  Uuid key;
  SessionSettings settings;
  std::uint32_t members = 0;
  PlaybackState state;
  ShortCode code{};         // nil: it has none, or who asks is not to know it
  bool is_removed = false;  // the browser that asks
  bool is_host = false;     // who asks has shown the host token
};
struct SessionValidity {
  std::optional<Uuid> key{};  // nothing: there is no such session
};
struct SessionVideo {
  std::string id;
};
struct SessionDeleted {};

using SessionReply = std::variant<SessionFault, SessionCreated, SessionInfo, SessionValidity,
                                  SessionVideo, SessionDeleted>;

}  // namespace videosync
