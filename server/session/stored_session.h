// What the session store keeps of a session: which node is its home, and the machine's record.
//
// Pure; any thread. The nil id names no node: nobody has the session open.
#pragma once

#include <cstring>
#include <string_view>

#include "core/base/error.h"
#include "core/base/shared_buffer.h"
#include "core/base/uuid.h"

namespace videosync {

struct StoredSession {
  Uuid home;
  std::string_view record;  // see SessionRecord
};

inline BufferRef encode_stored_session(const StoredSession& session) {
  const std::size_t head = session.home.bytes.size();
  BufferRef bytes = BufferRef::allocate(head + session.record.size());
  std::memcpy(bytes.mutable_bytes().data(), session.home.bytes.data(), head);
  std::memcpy(bytes.mutable_bytes().data() + head, session.record.data(), session.record.size());
  return bytes;
}

// A view into `value`.
inline Result<StoredSession> decode_stored_session(const BufferRef& value) {
  const auto bytes = value.bytes();
  StoredSession session;
  const std::size_t head = session.home.bytes.size();
  if (bytes.size() < head) return fail(ErrorCode::corrupt, "a stored session is too short");
  std::memcpy(session.home.bytes.data(), bytes.data(), head);
  session.record = {reinterpret_cast<const char*>(bytes.data()) + head, bytes.size() - head};
  return session;
}

}  // namespace videosync
