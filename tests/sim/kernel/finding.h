// A rule that was broken: noted where a parent process finds it (apart.h), and the process ends,
// because code that broke one cannot be trusted to go on.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace videosync::sim {

inline constexpr int finding_status = 3;
inline constexpr std::size_t finding_bytes = 1'024;

// Of that many bytes, or null: then it is said on stdout.
extern char* finding_note;

[[noreturn]] void report_finding(std::string_view check, const std::string& words) noexcept;

}  // namespace videosync::sim
