// The security headers of every page. Nothing inline, nothing foreign.
//
// The key of a session is part of its URL: no referrer may leave the site. hls.js feeds the player
// through blob: URLs; 'self' in connect-src covers the WebSocket of the same host.
#pragma once

#include <array>
#include <string_view>

namespace videosync {

struct SecurityHeader {
  std::string_view name;
  std::string_view value;
};

inline constexpr SecurityHeader nosniff_header{"X-Content-Type-Options", "nosniff"};

inline constexpr std::array<SecurityHeader, 5> page_security_headers{{
    {"Content-Security-Policy",
     "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
     "media-src 'self' blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; "
     "form-action 'self'; frame-ancestors 'none'"},
    nosniff_header,
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Permissions-Policy",
     "autoplay=(self), fullscreen=(self), picture-in-picture=(self), camera=(), "
     "display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"},
}};

}  // namespace videosync
