// Content types by file name: the one table for media and pages.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

#include "core/base/text.h"

namespace videosync {

// What follows the last dot, without blanks at its end; "" where there is none or only a leading
// dot.
constexpr std::string_view extension_of(std::string_view name) noexcept {
  const std::size_t slash = name.rfind('/');
  if (slash != std::string_view::npos) name.remove_prefix(slash + 1);
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return {};
  return trim(name.substr(dot + 1), " ");
}

// A literal; "application/octet-stream" for what the table does not know.
constexpr std::string_view content_type_of(std::string_view name) noexcept {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 44> types{{
      {"mp4", "video/mp4"},
      {"m4v", "video/mp4"},
      {"webm", "video/webm"},
      {"mkv", "video/x-matroska"},
      {"mov", "video/quicktime"},
      {"m3u8", "application/vnd.apple.mpegurl"},
      {"avi", "video/x-msvideo"},
      {"divx", "video/x-msvideo"},
      {"ts", "video/mp2t"},
      {"m2ts", "video/mp2t"},
      {"mts", "video/mp2t"},
      {"mpg", "video/mpeg"},
      {"mpeg", "video/mpeg"},
      {"vob", "video/mpeg"},
      {"wmv", "video/x-ms-wmv"},
      {"asf", "video/x-ms-asf"},
      {"flv", "video/x-flv"},
      {"3gp", "video/3gpp"},
      {"ogv", "video/ogg"},
      {"ogm", "video/ogg"},
      {"m4s", "video/iso.segment"},
      {"aac", "audio/aac"},
      {"mp3", "audio/mpeg"},
      {"vtt", "text/vtt; charset=utf-8"},
      {"jpg", "image/jpeg"},
      {"jpeg", "image/jpeg"},
      {"png", "image/png"},
      {"webp", "image/webp"},
      {"avif", "image/avif"},
      {"gif", "image/gif"},
      {"svg", "image/svg+xml"},
      {"ico", "image/x-icon"},
      {"html", "text/html; charset=utf-8"},
      {"css", "text/css; charset=utf-8"},
      {"js", "text/javascript; charset=utf-8"},
      {"mjs", "text/javascript; charset=utf-8"},
      {"json", "application/json"},
      {"map", "application/json"},
      {"webmanifest", "application/manifest+json"},
      {"txt", "text/plain; charset=utf-8"},
      {"md", "text/markdown; charset=utf-8"},
      {"xml", "application/xml"},
      {"wasm", "application/wasm"},
      {"woff2", "font/woff2"},
  }};
  const std::string_view extension = extension_of(name);
  for (const auto& [known, type] : types) {
    if (equals_ignoring_case(extension, known)) return type;
  }
  return "application/octet-stream";
}

}  // namespace videosync
