// Digests: the WebSocket handshake's answer, signatures and content hashes; base64. The one door to
// libcrypto.
//
// Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proto/session/session_values.h"

namespace videosync {

// The value of Sec-WebSocket-Accept for the client's key as received (RFC 6455 section 4.2.2).
std::array<char, 28> websocket_accept(std::string_view key) noexcept;

// HMAC-SHA256 (RFC 2104) of the text, cut to 128 bits.
Token sign(const Token& key, std::string_view text) noexcept;

// The secret of a member's resume token: its id, signed with the session's key. Every node that has
// the session's record can check a token that another gave.
Token resume_secret(const Token& key, MemberId member) noexcept;

// RFC 4648 section 4: with its padding, without line ends. Nothing: it is none.
std::optional<std::string> decode_base64(std::string_view text);
std::string encode_base64(std::string_view bytes);

// A strong entity tag of what is in it (RFC 9110 section 8.8.3), with its quotes: half of its
// SHA-256.
std::string entity_tag(std::string_view body);

}  // namespace videosync
