#include "proto/wire/token.h"

#include "core/base/text.h"

namespace videosync {

namespace {

// The letter and a number from 1 on, without zeros in front.
template <class Number>
std::optional<Number> parse_id(std::string_view text, char letter) noexcept {
  if (text.size() < 2 || text[0] != letter || text[1] < '1' || text[1] > '9') return std::nullopt;
  return parse_decimal<Number>(text.substr(1));
}

}  // namespace

std::optional<MemberId> parse_member_id(std::string_view text) noexcept {
  const auto number = parse_id<std::uint32_t>(text, 'm');
  return number ? std::optional(MemberId{*number}) : std::nullopt;
}

std::optional<std::uint64_t> parse_chat_id(std::string_view text) noexcept {
  return parse_id<std::uint64_t>(text, 'c');
}

std::optional<QueueItemId> parse_queue_item_id(std::string_view text) noexcept {
  const auto number = parse_id<std::uint64_t>(text, 'q');
  return number ? std::optional(QueueItemId{*number}) : std::nullopt;
}

std::optional<KnockId> parse_knock_id(std::string_view text) noexcept {
  const auto number = parse_id<std::uint64_t>(text, 'k');
  return number ? std::optional(KnockId{*number}) : std::nullopt;
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
