// SessionRecord: what of a session outlives its process, and its bytes for the store.
//
// The bytes are versioned, little-endian and opaque to everyone else; at most about 1,500 bytes.
// Plain values, pure functions. Bytes that do not mean what they should give ErrorCode::corrupt; so
// do numbers from which no machine could go on: whoever reads them need not look again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/short_code.h"
#include "proto/session/session_values.h"

namespace videosync {

struct SessionRecord {
  static constexpr std::size_t forks_max = 8;
  static constexpr std::size_t video_bytes_max = 4'096;

  // The member in the host's seat: kept so that it can resume on another node.
  struct Host {
    MemberId id;
    ConnectionNumber connection;
    std::string name;
    HostReason reason = HostReason::joined;  // why it has the seat
  };

  SessionSettings settings;
  Token host_token;
  Token resume_key;  // members' resume tokens are made from it
  PlaybackState state;
  double duration_s = 0;
  std::int64_t start_us = 0;    // see Playback::start_us()
  std::int64_t up_next_us = 0;  // when the first of the queue is played by itself; 0: it is not
  bool waiting = false;         // playback stands still for members that buffer, and is to go on
  std::optional<Host> host;
  std::uint32_t next_member_id = 1;   // no id from here on was ever given
  std::int64_t last_activity_us = 0;  // when somebody was last connected
  bool occupied = false;              // somebody was connected when this was written
  // How many of the members' commands that change the record were carried out, ever: two records of
  // one line differ in it where one of them lacks some.
  std::uint64_t commands = 0;
  std::vector<Fork> forks;      // the latest take-overs, oldest first, at most forks_max
  std::vector<MemberId> ready;  // see ReadyMembers::kept()
  ShortCode code{};             // nil: it was made before there were any, and gets none
  // Of removed members, the newest last: they are not let in again.
  std::vector<BrowserId> removed_browsers;
};

std::string encode(const SessionRecord& record);
Result<SessionRecord> decode_session_record(std::string_view bytes);

}  // namespace videosync
