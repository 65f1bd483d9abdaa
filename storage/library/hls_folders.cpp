#include "storage/library/hls_folders.h"

#include <algorithm>
#include <array>

#include "core/base/text.h"
#include "storage/names/content_type.h"
#include "storage/names/video_name.h"

namespace videosync {

namespace {

constexpr std::size_t path_bytes_max = 2048;
constexpr std::array<std::string_view, 8> served_kinds{"m3u8", "ts",  "m4s", "mp4",
                                                       "vtt",  "jpg", "png", "aac"};

bool is_clean(std::string_view path) noexcept {
  for (;;) {
    const std::size_t end = path.find('/');
    if (!is_servable_name(path.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    path.remove_prefix(end + 1);
  }
}

}  // namespace

bool HlsFolders::is_servable(std::string_view path) const {
  if (paths_.empty() || path.size() > path_bytes_max) return false;
  const std::string_view extension = extension_of(path);
  const bool is_known = std::ranges::any_of(
      served_kinds, [&](auto kind) { return equals_ignoring_case(kind, extension); });
  if (!is_known) return false;
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos;
       slash = path.find('/', slash + 1)) {
    if (paths_.contains(std::string(path.substr(0, slash))))
      return is_clean(path.substr(slash + 1));
  }
  return false;
}

}  // namespace videosync
