// Content codings: which stored form of a page to send (RFC 9110, 12.5.3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace videosync {

enum class ContentCoding : std::uint8_t { identity, gzip, br };
inline constexpr std::size_t content_coding_count = 3;

// As in Content-Encoding; "" for identity, which has no header.
std::string_view to_header_value(ContentCoding coding) noexcept;

// The client's favourite among identity and what is available; the smaller one (br, then gzip)
// where it likes several equally. `accept` is the value of Accept-Encoding, "" without one. Where
// the client refuses everything there is, identity: the RFC permits it, and it serves better than a
// 406.
ContentCoding choose_coding(std::string_view accept, bool has_br, bool has_gzip) noexcept;

}  // namespace videosync
