// The version that the build was made from (the project's VERSION in CMakeLists.txt).
#pragma once

#include <string_view>

namespace videosync {

std::string_view version() noexcept;  // "1.2.3"

}  // namespace videosync
