// What this build is (the project's VERSION in CMakeLists.txt, and cmake/Version.cmake), and what
// the kernel under it has.
#pragma once

#include <string>
#include <string_view>

namespace videosync {

std::string_view version() noexcept;  // "1.2.3"

// For --version: the line "videosync 1.2.3", then a line each of commit, compiler, libraries and
// kernel. Asks the kernel.
std::string version_text();

}  // namespace videosync
