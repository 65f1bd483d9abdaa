// What guards the pages in a browser. Nothing inline, nothing foreign.
//
// Every file carries `file_security_headers`: no guessing at types, and style sheets and modules,
// too, decide what their own requests tell. What a browser shows as a document (HTML, SVG) carries
// `document_security_headers` and a content security policy besides: 2 KB that a script or a style
// sheet would send for nothing.
//
// The key of a session is part of its URL: no referrer may leave the site. hls.js feeds the player
// through blob: URLs; 'self' in connect-src covers the WebSocket of the same host. media-chrome's
// elements bring style sheets of their own, each allowed by its hash:
// tests/www/player_styles.test.mjs compares them with the library and says what they must be after
// an update.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

namespace videosync {

struct SecurityHeader {
  std::string_view name;
  std::string_view value;
};

inline constexpr SecurityHeader nosniff_header{"X-Content-Type-Options", "nosniff"};

inline constexpr std::array<SecurityHeader, 2> file_security_headers{{
    nosniff_header,
    {"Referrer-Policy", "no-referrer"},
}};

inline constexpr std::array<SecurityHeader, 2> document_security_headers{{
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Permissions-Policy",
     "autoplay=(self), fullscreen=(self), picture-in-picture=(self), camera=(), "
     "display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"},
}};

inline constexpr std::string_view content_security_policy_start =
    "default-src 'self'; script-src 'self'; img-src 'self' data:; style-src 'self' "
    "'sha256-+XYYAhYtiUsaw0+wUtfcBE3yMARPO4zdUhZGkDgDohM=' "
    "'sha256-1Jc+kPhfOh4UvXYTCgDHEAV3Caafvsf5jeNdPbSiQ8o=' "
    "'sha256-3mr12lsHkByBAuT5HIjiVaMHjH42rxTHchQEttT3yhE=' "
    "'sha256-5LsYGeD4Fwu+AtlpdRPSk6g18GLvHddLqx5a2hMGkpw=' "
    "'sha256-6U5HAlWzYb5wxRpqnEoQDmVLk4wH/2LkYlNKhVudVNU=' "
    "'sha256-C7t4uFhGErrgCiy7sp4fN8QAsq2Xafh4lWfnefi0l/E=' "
    "'sha256-GD/7u05tW5TRiymTThnNFOp6kG/cGDdJ0PZE3AUHvEY=' "
    "'sha256-Hgkgk5WNXnmXCx4VXTW7SQmDlJosyEQOVkEXmfhoBNw=' "
    "'sha256-JtGL9Nry1EePSwAYuDfDEJaZjQ90hmOJ9/+IVreUli4=' "
    "'sha256-LLrbL3VRTSpcR7f/VRuhdwB3hQdbFqJkzjoEZmHBXIw=' "
    "'sha256-Q/W/AoDhDmSYKoOkeSPGSjZ74lRGffL+iOMPi8HRljY=' "
    "'sha256-VJnVbqNRyX0jCFZEJ4ltrffJx26lCuyVbNYdioxBwzQ=' "
    "'sha256-W9200sCekROkcax0iJ77FC7fL1XmtkKZFU4jWBgOGi0=' "
    "'sha256-Z/uphCaT8SDUy/aHCSWlW3ogtH3KvmQv8nxXBDiodjQ=' "
    "'sha256-ad5pLE4ykOnAn8/VmRayKdKPhP3pvqoX4MGy3EktnBg=' "
    "'sha256-icRYLLVSVG1RE2ze2JPpc2di/XuMtAkqJdem5GFjU5M=' "
    "'sha256-l0oXN8ELODFEFGnJztGBqT5qrnYVXGDHmO9UVWjtMXA=' "
    "'sha256-m+frfzRQalnJwRN07WZLWSWd4eM4WsynbWp5qQi8Or0=' "
    "'sha256-ntLc0OsGs5UqjKSXE1qa+TXLOCjusElQkJiwbDf5ado=' "
    "'sha256-sAS/YwJd8QhcsuwF6ji1l+uwVdgQ8O/zcjWaGi0VXSw=' "
    "'sha256-uCYgKM8RuBPuS3rGnkNQo7xPByu6FzW8A9M5XainMpU=' "
    "'sha256-xPGr0kPRXSSQwuLEe+wH5cnFEbvt5xz9QfByD425vdo=' "
    "'sha256-ybkwgORVaNpgfHWjB4yaZjEyg46ZMdeyLM32opbKlpo='; ";

// sources: origins from which films may come, besides this one; a stream's parts are fetched.
std::string content_security_policy(std::span<const std::string> sources);

}  // namespace videosync
