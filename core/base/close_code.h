// The codes with which a member's WebSocket is closed: the standard's (RFC 6455, 7.4.1), and from
// 4000 on our own, which docs/PROTOCOL.md explains to clients.
#pragma once

#include <cstdint>

namespace videosync::close_code {

inline constexpr std::uint16_t normal = 1000;
inline constexpr std::uint16_t going_away = 1001;
inline constexpr std::uint16_t protocol_error = 1002;
inline constexpr std::uint16_t unsupported_data = 1003;
inline constexpr std::uint16_t invalid_payload = 1007;
inline constexpr std::uint16_t policy_violation = 1008;
inline constexpr std::uint16_t too_big = 1009;
inline constexpr std::uint16_t internal_error = 1011;
inline constexpr std::uint16_t session_ended = 4001;
inline constexpr std::uint16_t connected_elsewhere = 4002;
inline constexpr std::uint16_t too_slow = 4003;
inline constexpr std::uint16_t removed = 4004;
inline constexpr std::uint16_t turned_away = 4005;
inline constexpr std::uint16_t too_many_messages = 4008;

// Whether it may stand in a Close frame (RFC 6455, 7.4, and IANA's registry).
constexpr bool is_valid(std::uint16_t code) noexcept {
  if (code >= 1000 && code <= 1014) return code < 1004 || code > 1006;
  return code >= 3000 && code <= 4999;
}

}  // namespace videosync::close_code
