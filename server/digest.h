// Digests: the WebSocket handshake's answer and content hashes. The one door to libcrypto.
//
// Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "proto/session/session_values.h"

namespace videosync {

// The value of Sec-WebSocket-Accept for the client's key as received (RFC 6455 section 4.2.2).
std::array<char, 28> websocket_accept(std::string_view key) noexcept;

// HMAC-SHA256 (RFC 2104) of the text, cut to 128 bits.
Token sign(const Token& key, std::string_view text) noexcept;

// The secret of a member's resume token: its id, signed with the session's key. Every node that has the session's record can check a token that another gave.
Token resume_secret(const Token& key, MemberId member) noexcept;

// 64 lower-case digits.
std::string sha256_hex(std::span<const std::uint8_t> bytes);
std::string sha256_hex(std::string_view text);

}  // namespace videosync
