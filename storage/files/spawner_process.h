// What the spawner is: the body of the process that Spawner starts, and what the two say.
//
// A message is a SpawnOrder's words and numbers with the descriptors that it names, in the order of
// SpawnOrder, behind one to which the new process writes an errno where it cannot run the program,
// and which closes when it does. The answer is the new process, or an errno.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "storage/files/spawner.h"

namespace videosync {

enum class SpawnKind : std::uint8_t { program, successor };

struct SpawnAnswer {
  std::int32_t pid = 0;
  std::int32_t error = 0;
};

inline constexpr std::size_t spawn_message_bytes_max = 64 * 1024;
inline constexpr std::size_t spawn_descriptors_max = 6;
inline constexpr int spawn_input_fd = 3;  // in the new process; a successor's channel, too

// Serves until `helped`, its parent, has gone.
[[noreturn]] void run_spawner(const SpawnerTerms& terms, int channel, pid_t helped);

}  // namespace videosync
