// Survey: what sessions there are, as an operator wants to see them: the largest in detail, the
// rest counted. A value that goes from worker to worker; each adds what it has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/uuid.h"
#include "proto/session/session_values.h"

namespace videosync {

struct SurveyedSession {
  Uuid key;
  std::size_t worker = 0;
  bool is_home = false;  // here; else members here follow `nodes`' one
  std::uint32_t members = 0;
  std::uint32_t members_here = 0;  // of these, connected to this node
  std::vector<Uuid> nodes;         // the others that have members of it; of an outpost: its home
  PlaybackState state;             // of a home; else only its epoch, seq and video are known
  std::size_t queued = 0;
};

struct SessionSurvey {
  std::size_t limit = 0;  // so many in detail
  std::uint64_t sessions = 0;
  std::uint64_t members = 0;             // connected to this node
  std::vector<SurveyedSession> largest;  // by members on this node, the most first
};

}  // namespace videosync
