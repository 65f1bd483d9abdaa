// ConnectionRef: a connection anywhere in this process, by worker and slot. One that is gone is not
// found there, which is a normal answer. A value; any thread.
#pragma once

#include <cstdint>

#include "core/base/slot_pool.h"

namespace videosync {

struct ConnectionRef {
  std::uint32_t worker = 0;
  SlotHandle slot;

  friend bool operator==(ConnectionRef, ConnectionRef) noexcept = default;
};

}  // namespace videosync
