#include "storage/key_slots.h"

#include "core/base/uuid.h"

namespace videosync {

std::uint16_t slot_of(const Uuid& key) noexcept {
  return slot_of_name(key.to_string());
}

}  // namespace videosync
