#include "proto/wire/token.h"

#include "core/base/text.h"

namespace videosync {

std::optional<MemberId> parse_member_id(std::string_view text) noexcept {
  if (text.size() < 2 || text[0] != 'm' || text[1] < '1' || text[1] > '9') return std::nullopt;
  const auto number = parse_decimal<std::uint32_t>(text.substr(1));
  return number ? std::optional(MemberId{*number}) : std::nullopt;
}

std::optional<std::uint64_t> parse_chat_id(std::string_view text) noexcept {
  if (text.size() < 2 || text[0] != 'c' || text[1] < '1' || text[1] > '9') return std::nullopt;
  return parse_decimal<std::uint64_t>(text.substr(1));
}

std::optional<Token> parse_token(std::string_view text) noexcept {
  Token token;
  return parse_hex(text, token.bytes) ? std::optional(token) : std::nullopt;
}

std::optional<ResumeToken> parse_resume_token(std::string_view text) noexcept {
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto member = parse_member_id(text.substr(0, dot));
  const auto secret = parse_token(text.substr(dot + 1));
  if (!member || !secret) return std::nullopt;
  return ResumeToken{*member, *secret};
}

}  // namespace videosync
