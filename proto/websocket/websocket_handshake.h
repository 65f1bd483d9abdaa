// The opening handshake of a WebSocket, server side (RFC 6455, 4.2). No subprotocols, no
// extensions.
//
// Pure: the accept value (SHA-1 and base64 of key and GUID) is computed by the caller.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "proto/http/http_request.h"
#include "proto/http/http_response.h"

namespace videosync {

// What the caller appends to the key before it hashes (RFC 6455, 1.3).
inline constexpr std::string_view websocket_guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

// The client's key, a view into the request, or why the upgrade is refused: 405 (not GET), 426 (no
// WebSocket upgrade asked for, or another version), 400 (the rest).
std::expected<std::string_view, HttpFault> check_websocket_handshake(
    const HttpRequest& request) noexcept;

// The 101 response. `cookie`: for Set-Cookie, empty where none is set.
void append_websocket_accept(std::string& out, std::string_view accept, std::string_view date,
                             std::string_view cookie = {});

// The refusal with the fields its status owes: Allow; Upgrade and Sec-WebSocket-Version.
// `head_only` for HEAD requests.
void append_websocket_refusal(std::string& out, const ResponseContext& context,
                              const HttpFault& fault, bool head_only = false);

}  // namespace videosync
