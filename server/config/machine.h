// What this machine gives the process. Called from main before threads start.
#pragma once

#include "server/config/config.h"

namespace videosync {

// Raises the soft limit of descriptors to the hard one, then tells the limit and the cores that
// the scheduler's affinity mask leaves us. What cannot be read counts as the smallest value.
MachineFacts prepare_machine() noexcept;

// Makes the process's table of descriptors large enough for `count` of them (or its limit) at once.
// Where threads share the table, the kernel waits for a grace period of RCU each time that it grows
// (expand_files()), so who opens the descriptor that no longer fits stands still for 15 ms or more:
// a loop with all its members. Before other threads there is nothing to wait for.
void reserve_descriptors(std::uint64_t count) noexcept;

}  // namespace videosync
