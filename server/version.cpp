#include "server/version.h"

namespace videosync {

std::string_view version() noexcept {
  return VIDEOSYNC_VERSION;
}

}  // namespace videosync
