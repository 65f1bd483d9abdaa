// The text forms of member ids and tokens, as they stand in messages, queries and headers.
//
// A member id is "m" and a decimal number ("m17"); a token is 32 lower-case hex digits; a resume
// token is "<member id>.<token>". Parsers accept exactly these forms (hex in either case) and
// answer nothing for any other text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proto/session/session_values.h"

namespace videosync {

// REQUIRES an id that is not none.
std::string member_id_to_string(MemberId id);
std::optional<MemberId> parse_member_id(std::string_view text) noexcept;

std::string token_to_string(const Token& token);
std::optional<Token> parse_token(std::string_view text) noexcept;

std::string resume_token_to_string(const ResumeToken& token);
std::optional<ResumeToken> parse_resume_token(std::string_view text) noexcept;

}  // namespace videosync
