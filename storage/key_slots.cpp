#include "storage/key_slots.h"

#include "core/base/short_code.h"
#include "core/base/uuid.h"

namespace videosync {

std::uint16_t slot_of(const Uuid& key) noexcept {
  return slot_of_name(key.to_string());
}

std::uint16_t slot_of(ShortCode code) noexcept {
  const auto digits = code.to_digits();
  return slot_of_name({digits.data(), digits.size()});
}

}  // namespace videosync
