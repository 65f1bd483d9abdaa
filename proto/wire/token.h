// Ids and tokens from their text, as it stands in messages, queries and headers. (Messages
// write them by json_format.h.)
//
// A member id is "m" and a decimal number ("m17"); a token is 32 lower-case hex digits; a resume
// token is "<member id>.<token>". Parsers accept exactly these forms (hex in either case) and
// answer nothing for any other text.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "proto/session/session_values.h"

namespace videosync {

std::optional<MemberId> parse_member_id(std::string_view text) noexcept;
// Of a line of chat: "c" and a decimal number.
std::optional<std::uint64_t> parse_chat_id(std::string_view text) noexcept;
// Of what is in a queue: "q" and a decimal number.
std::optional<QueueItemId> parse_queue_item_id(std::string_view text) noexcept;
// Of one that waits at the door: "k" and a decimal number.
std::optional<KnockId> parse_knock_id(std::string_view text) noexcept;
std::optional<Token> parse_token(std::string_view text) noexcept;
std::optional<ResumeToken> parse_resume_token(std::string_view text) noexcept;

}  // namespace videosync
