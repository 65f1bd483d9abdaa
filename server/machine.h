// What this machine gives the process. Called from main before threads start.
#pragma once

#include "server/config.h"

namespace videosync {

// Raises the soft limit of descriptors to the hard one, then tells the limit and the cores that
// the scheduler's affinity mask leaves us. What cannot be read counts as the smallest value.
MachineFacts prepare_machine() noexcept;

}  // namespace videosync
